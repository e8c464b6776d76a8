import type { Need } from "#contracts/needs.ts";

export interface NeedyDevice {
  readonly id: string;
  readonly clusterId: string;
  /** Its own. */
  readonly needs: readonly Need[];
}

export interface NeedyCluster {
  readonly id: string;
  readonly needs: readonly Need[];
}

/**
 * What each device needs: its own needs, and those of its cluster. Devices that need nothing are left out.
 *
 * What a cluster needs may be a member itself. It, and whatever it needs by its own needs in turn, is the ground that the
 * cluster stands on, and so does not need what the cluster needs.
 */
export function needsOfAll(
  devices: Iterable<NeedyDevice>,
  clusters: Iterable<NeedyCluster>,
): Map<string, readonly Need[]> {
  const byId = new Map<string, NeedyDevice>();
  for (const device of devices) byId.set(device.id, device);
  const needy = new Map<string, { readonly needs: readonly Need[]; readonly ground: ReadonlySet<string> }>();
  for (const { id, needs } of clusters) {
    const there = needs.filter(({ deviceId }) => byId.has(deviceId));
    if (there.length > 0) needy.set(id, { needs: there, ground: groundOf(there, byId) });
  }
  const all = new Map<string, readonly Need[]>();
  for (const { id, clusterId, needs: own } of byId.values()) {
    const cluster = needy.get(clusterId);
    const ofCluster = !cluster || cluster.ground.has(id) ? [] : cluster.needs;
    const needs = own.length === 0 ? ofCluster : merged(own, ofCluster, byId);
    if (needs.length > 0) all.set(id, needs);
  }
  return all;
}

function groundOf(needs: readonly Need[], devices: ReadonlyMap<string, NeedyDevice>): Set<string> {
  const ground = new Set(needs.map(({ deviceId }) => deviceId));
  // a set hands out what is added while it is walked
  for (const id of ground) for (const { deviceId } of devices.get(id)?.needs ?? []) ground.add(deviceId);
  return ground;
}

/** A device's own word on how ready a needed one has to be counts before its cluster's. */
function merged(own: readonly Need[], ofCluster: readonly Need[], devices: ReadonlyMap<string, unknown>): Need[] {
  const named = new Set(own.map(({ deviceId }) => deviceId));
  const further = ofCluster.filter(({ deviceId }) => !named.has(deviceId));
  return [...own.filter(({ deviceId }) => devices.has(deviceId)), ...further];
}

/** Devices that need each other in a circle, in order and without repeating the first; undefined when there is none. */
export function findCircle(needs: ReadonlyMap<string, readonly Need[]>): string[] | undefined {
  const isFine = new Set<string>();
  for (const start of needs.keys()) {
    const onPath = new Set<string>();
    const path: { readonly id: string; next: number }[] = [];
    const enter = (id: string) => {
      onPath.add(id);
      path.push({ id, next: 0 });
    };
    if (!isFine.has(start)) enter(start);
    for (let last = path.at(-1); last; last = path.at(-1)) {
      const need = needs.get(last.id)?.[last.next++];
      if (!need) {
        isFine.add(last.id);
        onPath.delete(last.id);
        path.pop();
      } else if (onPath.has(need.deviceId)) {
        const ids = path.map(({ id }) => id);
        return ids.slice(ids.indexOf(need.deviceId));
      } else if (!isFine.has(need.deviceId)) enter(need.deviceId);
    }
  }
  return undefined;
}
