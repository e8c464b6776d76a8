import { byName } from "../words/by-name.ts";

/** Rows by the id of their cluster, each group by name. */
export function grouped<Row extends { clusterId: string | null; name: string }>(
  rows: Iterable<Row>,
): Map<string | null, Row[]> {
  return Map.groupBy([...rows].toSorted(byName), ({ clusterId }) => clusterId);
}
