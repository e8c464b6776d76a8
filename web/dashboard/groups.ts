/** Rows by the id of their cluster, each group by name. */
export function grouped<Row extends { clusterId: string | null; name: string }>(
  rows: Iterable<Row>,
): Map<string | null, Row[]> {
  return Map.groupBy([...rows].toSorted(byName), ({ clusterId }) => clusterId);
}

const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });

export function byName(one: { name: string }, other: { name: string }): number {
  return collator.compare(one.name, other.name);
}
