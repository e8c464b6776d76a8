import type { AuditRow } from "#contracts/api/audit.ts";

type Pages = AsyncIterable<readonly AuditRow[]>;

/** The columns of an export as CSV, and what stands in them. */
const COLUMNS: Readonly<Record<string, (row: AuditRow) => string | number | null>> = {
  seq: (row) => row.seq,
  scope: (row) => row.scope,
  at: (row) => row.at,
  actorType: (row) => row.actor.type,
  actorId: (row) => row.actor.id,
  actorName: (row) => row.actor.name,
  action: (row) => row.action,
  targetType: (row) => row.target?.type ?? null,
  targetId: (row) => row.target?.id ?? null,
  targetName: (row) => row.target?.name ?? null,
  address: (row) => row.address,
  result: (row) => row.result,
  reason: (row) => row.reason,
  details: (row) => row.details && JSON.stringify(row.details),
  requestId: (row) => row.requestId,
  hash: (row) => row.hash,
};

/** RFC 4180; the first line names the columns. */
export async function* asCsv(pages: Pages): AsyncGenerator<string> {
  yield lineOf(Object.keys(COLUMNS));
  const columns = Object.values(COLUMNS);
  for await (const rows of pages) yield rows.map((row) => lineOf(columns.map((column) => column(row)))).join("");
}

/** One array, one row on each line. */
export async function* asJson(pages: Pages): AsyncGenerator<string> {
  let before = "[\n";
  for await (const rows of pages) {
    yield before + rows.map((row) => JSON.stringify(row)).join(",\n");
    before = ",\n";
  }
  yield before === "[\n" ? "[]\n" : "\n]\n";
}

function lineOf(values: readonly (string | number | null)[]): string {
  return `${values.map(cellOf).join(",")}\r\n`;
}

/** Text that a spreadsheet would take for a formula gets an apostrophe before it, which makes it text there, too. */
function cellOf(value: string | number | null): string {
  const text = String(value ?? "").replace(/^(?=[=+\-@\t\r\n])/, "'");
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
