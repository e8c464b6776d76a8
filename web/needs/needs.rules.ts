import type { ClusterAnswer } from "#contracts/api/clusters.ts";
import type { DeviceAnswer } from "#contracts/api/devices.ts";

interface Rows {
  readonly devices: ReadonlyMap<string, DeviceAnswer>;
  readonly clusters: ReadonlyMap<string, ClusterAnswer>;
}

/** The devices that have to be up before this one: those that it needs itself, and those that its cluster needs. */
export function needsOf({ id, dependsOn, clusterId }: DeviceAnswer, { devices, clusters }: Rows): DeviceAnswer[] {
  const ofCluster = clusterId === null ? [] : (clusters.get(clusterId)?.dependsOn ?? []);
  const ids = new Set([...dependsOn, ...ofCluster].map(({ deviceId }) => deviceId));
  ids.delete(id);
  return [...ids].flatMap((each) => devices.get(each) ?? []);
}
