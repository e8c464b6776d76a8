import type { EntityManager } from "@mikro-orm/postgresql";
import type { DroppedLink } from "#contracts/api/common.ts";
import type { DeviceChange, DeviceCreate } from "#contracts/api/devices.ts";
import type { Key } from "#contracts/key.ts";
import type { Cluster } from "../clusters/cluster.entity.ts";
import { HubError } from "../kernel/errors.ts";
import { freeKey, keyFromName } from "../kernel/keys.ts";
import { clusterFor, moveMembers, setAgents } from "../members/members.service.ts";
import { needyDevice, refuseCircle } from "../members/needs.service.ts";
import { Device } from "./device.entity.ts";
import { type DevicesContext, applyChange, newDevice } from "./devices.service.ts";

type Apart = "ownerId" | "shares" | "secureOn" | "dependsOn";

/** What is to be made and changed at once. Nobody's owner and nobody's password is among it, nor what a device needs. */
export interface ManyDevices {
  readonly created: readonly Omit<DeviceCreate, Apart>[];
  readonly changed: readonly {
    readonly id: string;
    readonly change: Omit<DeviceChange, Apart>;
  }[];
}

export interface SavedDevices {
  /** In the order of what was asked for. */
  readonly created: readonly Device[];
  readonly changed: readonly Device[];
  readonly dropped: readonly DroppedLink[];
}

/**
 * Makes and changes many devices with a handful of statements. Call it in the work of `changeMembers`, after the rights to
 * each of them, and its addresses, are checked. A key that is taken becomes the next free one.
 *
 * @throws HubError NOT_FOUND, DUPLICATE (mac), AGENT_NOT_IN_CLUSTER, DEPENDENCY_CYCLE
 */
export async function saveDevices(
  em: EntityManager,
  context: DevicesContext,
  { created, changed }: ManyDevices,
  now: Date,
): Promise<SavedDevices> {
  const clusterOf = clustersIn(em);
  const devices = await createAll(em, context, created, clusterOf, now);
  const rows = await em.find(Device, { id: { $in: changed.map(({ id }) => id) } });
  const byId = new Map(rows.map((row) => [row.id, row]));
  const pairs = changed.map(({ id, change }) => ({ device: found(byId.get(id)), change }));
  for (const { device, change } of pairs) {
    applyChange(device, change);
    device.updatedAt = now;
  }
  await em.flush();
  const dropped: DroppedLink[] = [];
  const moving = pairs.filter(({ change }) => change.clusterId !== undefined);
  for (const [clusterId, moved] of Map.groupBy(moving, ({ change }) => change.clusterId ?? null)) {
    const members = { devices: moved.map(({ device }) => device), agents: [] };
    dropped.push(...(await moveMembers(em, members, await clusterOf(clusterId))));
  }
  const [one] = moving;
  if (one) {
    const after = moving.map(({ device }) => needyDevice(context.directory, device, undefined));
    refuseCircle(context.directory, one.device.site.id, { devices: after }, "clusterId");
  }
  const wishes = [...created.map((input, index) => ({ device: found(devices[index]), change: input })), ...pairs];
  await setAgents(
    em,
    wishes.flatMap(({ device, change: { agentIds } }) => (agentIds ? [{ device, agentIds }] : [])),
  );
  return { created: devices, changed: pairs.map(({ device }) => device), dropped };
}

async function createAll(
  em: EntityManager,
  context: DevicesContext,
  inputs: ManyDevices["created"],
  clusterOf: (id: string | null) => Promise<Cluster>,
  now: Date,
): Promise<Device[]> {
  const [other] = await em.find(Device, { mac: { $in: inputs.map(({ mac }) => mac) } }, { limit: 1 });
  if (other) throw new HubError("DUPLICATE", `"${other.name}" has the MAC address ${other.mac}`, { field: "mac" });
  const taken = new Set<string>();
  const isTaken = (key: string) => taken.has(key) || context.directory.devices.byKey(key) !== undefined;
  const devices: Device[] = [];
  for (const input of inputs) {
    const key: Key = freeKey(input.key ?? keyFromName(input.name, "device"), isTaken);
    taken.add(key);
    const cluster = await clusterOf(input.clusterId ?? null);
    devices.push(newDevice(em, context, { input, cluster, key, now }));
  }
  await em.flush();
  return devices;
}

/** Reads each cluster once. */
function clustersIn(em: EntityManager): (id: string | null) => Promise<Cluster> {
  const known = new Map<string | null, Promise<Cluster>>();
  return (id) => {
    const cluster = known.get(id) ?? clusterFor(em, id);
    known.set(id, cluster);
    return cluster;
  };
}

function found(device: Device | undefined): Device {
  if (!device) throw new HubError("NOT_FOUND", "There is no such device");
  return device;
}
