import type { EntityManager } from "@mikro-orm/postgresql";
import type { Need } from "#contracts/needs.ts";
import type { Cluster } from "../clusters/cluster.entity.ts";
import { Device } from "../devices/device.entity.ts";
import { HubError } from "../kernel/errors.ts";
import { ClusterNeed, DeviceNeed } from "./dependency.entity.ts";
import type { Directory, DirectoryDevice } from "./directory.ts";
import { type NeedyCluster, type NeedyDevice, findCircle, needsOfAll } from "./needs.rules.ts";

/**
 * Sets what a device or a cluster needs: the whole list. Undefined leaves it as it is, null empties it.
 *
 * @throws HubError NOT_FOUND and INVALID_INPUT (dependsOn.N.deviceId)
 */
export async function setNeeds(
  em: EntityManager,
  thing: Device | Cluster,
  needs: readonly Need[] | null | undefined,
): Promise<void> {
  if (needs === undefined) return;
  const wanted = new Map((needs ?? []).map(({ deviceId, ready }) => [deviceId, ready]));
  const rows = await em.find(Device, { id: { $in: [...wanted.keys()] } });
  const found = new Set(rows.map(({ id }) => id));
  for (const [index, deviceId] of [...wanted.keys()].entries()) {
    const field = `dependsOn.${index}.deviceId`;
    if (!found.has(deviceId)) throw new HubError("NOT_FOUND", "There is no such device", { field });
    if (deviceId === thing.id) throw new HubError("INVALID_INPUT", "A device cannot need itself", { field });
  }
  for (const row of await needsOf(em, thing)) {
    const ready = wanted.get(row.needs.id);
    if (ready) row.ready = ready;
    else em.remove(row);
    wanted.delete(row.needs.id);
  }
  for (const [deviceId, ready] of wanted) {
    const need = { needs: deviceId, site: thing.site.id, ready };
    if ("mac" in thing) em.create(DeviceNeed, { device: thing.id, ...need });
    else em.create(ClusterNeed, { cluster: thing.id, ...need });
  }
  await em.flush();
}

async function needsOf(em: EntityManager, thing: Device | Cluster): Promise<readonly (DeviceNeed | ClusterNeed)[]> {
  return "mac" in thing
    ? await em.find(DeviceNeed, { device: thing.id })
    : await em.find(ClusterNeed, { cluster: thing.id });
}

/** What will be different of the directory when a change is made. */
export interface NeedsChange {
  readonly devices?: readonly NeedyDevice[];
  readonly clusters?: readonly NeedyCluster[];
  readonly removed?: string;
}

/**
 * Refuses a change after which devices would need each other in a circle. To be asked within `changeMembers`, where
 * nothing else changes meanwhile.
 *
 * @throws HubError DEPENDENCY_CYCLE naming them
 */
export function refuseCircle(directory: Directory, siteId: string, change: NeedsChange, field?: string): void {
  const ofSite = <Row extends { readonly id: string; readonly siteId: string }>(rows: Iterable<Row>) =>
    [...rows].filter((row) => row.siteId === siteId).map((row) => [row.id, row] as const);
  const devices = new Map<string, NeedyDevice>(ofSite(directory.devices));
  const clusters = new Map<string, NeedyCluster>(ofSite(directory.clusters));
  for (const device of change.devices ?? []) devices.set(device.id, device);
  for (const cluster of change.clusters ?? []) clusters.set(cluster.id, cluster);
  if (change.removed !== undefined) devices.delete(change.removed);
  const circle = findCircle(needsOfAll(devices.values(), clusters.values()));
  if (!circle) return;
  const keys = [...circle, circle[0] ?? ""].map((id) => directory.devices.byId(id)?.key ?? id);
  const sentence = `Devices would need each other in a circle: ${keys.join(" → ")}`;
  throw new HubError("DEPENDENCY_CYCLE", sentence, field === undefined ? {} : { field });
}

/** A device as it will be: where it is, and what it needs by itself unless that changes. */
export function needyDevice(
  directory: Directory,
  { id, cluster }: Device,
  needs: readonly Need[] | null | undefined,
): NeedyDevice {
  const kept = directory.devices.byId(id)?.needs ?? [];
  return { id, clusterId: cluster.id, needs: needs === undefined ? kept : (needs ?? []) };
}

/** What the audit log says of it: the devices by their keys. Nothing where the list was not changed. */
export function needsInTrail(
  directory: Directory,
  needs: readonly Need[] | null | undefined,
): { readonly needs?: readonly string[] } {
  if (needs === undefined) return {};
  return { needs: (needs ?? []).map(({ deviceId }) => directory.devices.byId(deviceId)?.key ?? deviceId) };
}

/** The devices and clusters that name a device among their own needs. */
export function naming(directory: Directory, deviceId: string): { devices: DirectoryDevice[]; clusterIds: string[] } {
  const names = ({ needs }: { readonly needs: readonly Need[] }) => needs.some((need) => need.deviceId === deviceId);
  return {
    devices: [...directory.devices].filter(names),
    clusterIds: [...directory.clusters].filter(names).map(({ id }) => id),
  };
}
