import { HubError } from "./errors.ts";

export interface PageQuery {
  readonly limit: number;
  readonly cursor?: string | undefined;
}

export interface Page<Item> {
  readonly items: Item[];
  readonly next: string | null;
  readonly total: number;
}

/**
 * One page of a list in memory. The cursor holds the sort value and the id of the last row, so a row that comes or goes
 * in between neither repeats nor hides another.
 *
 * @throws HubError INVALID_INPUT for a cursor that is not one of ours.
 */
export function pageOf<Row extends { readonly id: string }>(
  rows: readonly Row[],
  query: PageQuery,
  order: { readonly valueOf: (row: Row) => string; readonly descending: boolean },
): Page<Row> {
  const sign = order.descending ? -1 : 1;
  const compare = (a: readonly [string, string], b: readonly [string, string]) =>
    sign * (compareText(a[0], b[0]) || compareText(a[1], b[1]));
  const placed = rows.map((row) => ({ row, place: [order.valueOf(row), row.id] as const }));
  placed.sort((a, b) => compare(a.place, b.place));
  const after = query.cursor === undefined ? undefined : readCursor(query.cursor);
  const rest = after ? placed.filter(({ place }) => compare(place, after) > 0) : placed;
  const items = rest.slice(0, query.limit);
  const last = items.at(-1);
  return {
    items: items.map(({ row }) => row),
    next: last && rest.length > items.length ? Buffer.from(JSON.stringify(last.place)).toString("base64url") : null,
    total: rows.length,
  };
}

/** By name, as people sort: without regard to case. By an instant: its ISO form sorts as text. */
export function sortOrder(sort: "name" | "-name" | "createdAt" | "-createdAt") {
  return {
    valueOf: (row: { readonly name: string; readonly createdAt: Date }) =>
      sort.endsWith("name") ? row.name.toLowerCase() : row.createdAt.toISOString(),
    descending: sort.startsWith("-"),
  };
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function readCursor(cursor: string): readonly [string, string] {
  try {
    const place: unknown = JSON.parse(Buffer.from(cursor, "base64url").toString());
    if (Array.isArray(place) && typeof place[0] === "string" && typeof place[1] === "string")
      return [place[0], place[1]];
  } catch {
    // answered below
  }
  throw new HubError("INVALID_INPUT", "This cursor did not come from this list", { field: "cursor" });
}
