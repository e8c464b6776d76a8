import type { ClusterAnswer } from "#contracts/api/clusters.ts";

/** The clusters to choose from, and none. */
export function clusterOptions(
  clusters: ReadonlyMap<string, ClusterAnswer> | undefined,
): { value: string; label: string }[] {
  const rows = [...(clusters?.values() ?? [])].toSorted((one, other) => one.name.localeCompare(other.name));
  return [{ value: "", label: "None" }, ...rows.map(({ id, name }) => ({ value: id, label: name }))];
}
