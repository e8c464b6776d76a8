import type { ClusterAnswer } from "#contracts/api/clusters.ts";
import { byName } from "../words/by-name.ts";

/** The clusters to choose from, and none. */
export function clusterOptions(
  clusters: ReadonlyMap<string, ClusterAnswer> | undefined,
): { value: string; label: string }[] {
  const rows = [...(clusters?.values() ?? [])].toSorted(byName);
  return [{ value: "", label: "None" }, ...rows.map(({ id, name }) => ({ value: id, label: name }))];
}

/** Who has one cluster puts things there, unless they say otherwise. */
export function onlyCluster(clusters: ReadonlyMap<string, ClusterAnswer> | undefined): string | null {
  const [first, second] = [...(clusters?.keys() ?? [])];
  return second === undefined ? (first ?? null) : null;
}
