import { IMPORT_FIELDS, type ImportField } from "#contracts/api/imports.ts";
import { valueFrom } from "./fields.rules.ts";
import { type RawDevice, type Reading, type Unusable, clipped } from "./found.rules.ts";

/** What others call the same. A name counts without upper case and without what is neither a letter nor a digit. */
const ALIASES: Readonly<Record<string, ImportField>> = {
  devicename: "name",
  device: "name",
  macaddress: "mac",
  macadresse: "mac",
  hwaddr: "mac",
  ip: "address",
  ipaddress: "address",
  ipadresse: "address",
  host: "address",
  hostname: "address",
  operatingsystem: "os",
  comment: "description",
  notes: "description",
  group: "cluster",
};
const FIELD_BY_NAME: Readonly<Record<string, ImportField>> = {
  ...ALIASES,
  ...Object.fromEntries(IMPORT_FIELDS.map((field) => [plain(field), field])),
};

interface Row {
  readonly line: number;
  readonly cells: readonly string[];
  /** A quotation mark of it was never closed. */
  readonly isOpen: boolean;
}

/**
 * CSV with a first line that names the columns; `,`, `;` or a tab stand between them.
 *
 * An empty cell says that the field is empty, a column that is not there says nothing.
 *
 * @see RFC 4180
 */
export function readCsv(text: string): Reading {
  const [header, ...rows] = rowsOf(text);
  if (!header) return { found: [], notes: [] };
  const { fields, notes } = columnsOf(header);
  if (!fields.includes("mac"))
    return {
      found: [unusable(header, "The first line has to name the columns, and one of them has to be “mac”.")],
      notes: [],
    };
  return { found: rows.map((row) => deviceOf(row, fields)), notes };
}

function columnsOf({ cells }: Row): { fields: (ImportField | undefined)[]; notes: string[] } {
  const notes: string[] = [];
  const seen = new Set<ImportField>();
  const fields = cells.map((cell) => {
    const name = plain(cell);
    const field = Object.hasOwn(FIELD_BY_NAME, name) ? FIELD_BY_NAME[name] : undefined;
    if (field && !seen.has(field)) {
      seen.add(field);
      return field;
    }
    const why = field
      ? `there is another one for “${field}”`
      : /secure/.test(name)
        ? "passwords are entered at the device"
        : "it is unknown";
    if (notes.length < 20) notes.push(`The column “${clipped(cell.trim(), 40)}” is left out: ${why}.`);
    return undefined;
  });
  return { fields, notes };
}

function deviceOf(row: Row, columns: readonly (ImportField | undefined)[]): RawDevice | Unusable {
  if (row.isOpen) return unusable(row, "A quotation mark is opened here and never closed.");
  if (row.cells.length > columns.length)
    return unusable(row, `This line has ${row.cells.length} cells, and the first line names ${columns.length}.`);
  const fields: Partial<Record<ImportField, unknown>> = {};
  for (const [index, cell] of row.cells.entries()) {
    const field = columns[index];
    if (field) fields[field] = valueFrom(field, withoutGuard(cell));
  }
  return { line: row.line, fields };
}

function unusable({ line, cells }: Row, problem: string): Unusable {
  return { line, mac: null, name: clipped(cells.join(" ").trim(), 80), problem };
}

/** Spreadsheets write one before a text that would be a formula otherwise, and so does our own export. */
function withoutGuard(cell: string): string {
  return cell.replace(/^'(?='*[=+\-@\t\r\n])/, "");
}

function plain(name: string): string {
  return name.toLowerCase().replaceAll(/[^\p{L}\p{N}]/gu, "");
}

/** The first line says what stands between cells; Excel's `sep=;` before it says so, too. */
function rowsOf(text: string): Row[] {
  const whole = text.replace(/^\uFEFF/, "");
  const [said, told] = /^sep=(.)(?:\r\n|\r|\n)/.exec(whole) ?? [];
  const rows = cellsOf(said === undefined ? whole : whole.slice(said.length), told ?? separatorIn(whole));
  const first = said === undefined ? 0 : 1;
  return rows
    .map((row) => ({ ...row, line: row.line + first }))
    .filter(({ cells }) => cells.some((cell) => cell.trim() !== ""));
}

function separatorIn(text: string): string {
  const firstLine = (/\S[^\r\n]*/.exec(text)?.[0] ?? "").replaceAll(/"[^"]*"/g, "");
  const count = (separator: string) => firstLine.split(separator).length;
  return [",", ";", "\t"].toSorted((one, other) => count(other) - count(one))[0] ?? ",";
}

function cellsOf(text: string, separator: string): Row[] {
  const rows: Row[] = [];
  const between = separator === "\t" ? "\\t" : `\\u{${separator.codePointAt(0)?.toString(16)}}`;
  const cell = new RegExp(
    `(?:"([^"]*(?:""[^"]*)*)("?)([^${between}\\r\\n]*)|([^${between}\\r\\n]*))(${between}|\\r\\n|\\r|\\n|$)`,
    "gu",
  );
  let cells: string[] = [];
  let [line, begun, isOpen] = [1, 1, false];
  for (const [whole, quoted, close, behind = "", bare = "", end] of text.matchAll(cell)) {
    cells.push(quoted === undefined ? bare : quoted.replaceAll('""', '"') + behind);
    isOpen ||= quoted !== undefined && close === "";
    line += whole.match(/\r\n|\r|\n/g)?.length ?? 0;
    if (end === separator) continue;
    rows.push({ line: begun, cells, isOpen });
    cells = [];
    begun = line;
    if (end === "") break;
  }
  return rows;
}
