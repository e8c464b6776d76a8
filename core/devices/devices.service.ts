import { randomUUID } from "node:crypto";
import type { EntityManager } from "@mikro-orm/postgresql";
import type { DroppedLink } from "#contracts/api/common.ts";
import type { DeviceAnswer, DeviceChange, DeviceCreate, DeviceNow } from "#contracts/api/devices.ts";
import { Key, UNASSIGNED } from "#contracts/key.ts";
import { MacAddress } from "#contracts/mac-address.ts";
import { Cluster } from "../clusters/cluster.entity.ts";
import { HubError } from "../kernel/errors.ts";
import { freeKey, keyFromName } from "../kernel/keys.ts";
import type { Directory, DirectoryDevice } from "../members/directory.ts";
import {
  type MembersContext,
  changeMembers,
  clusterFor,
  moveMembers,
  setAgentsOf,
} from "../members/members.service.ts";
import { naming, needsInTrail, needyDevice, refuseCircle, setNeeds } from "../members/needs.service.ts";
import { type OwnersContext, setOwners } from "../members/owners.service.ts";
import { checkAddresses } from "./address.rules.ts";
import { Device } from "./device.entity.ts";
import { checkMac } from "./mac.rules.ts";
import { setOwnAgent } from "./own-agent.service.ts";

/** UDP ports 9 (discard) and 7 (echo): where magic packets go by custom. */
const DEFAULT_WAKE_PORTS = [9, 7];
const DEFAULT_WATCH_INTERVAL_SECONDS = 15;

export interface DevicesContext extends MembersContext, OwnersContext {}

/**
 * Makes a device, which belongs to whoever makes it. Its key comes from its name unless one is given.
 *
 * @returns the id of the new device.
 * @throws HubError DUPLICATE (mac, key, power.ownAgentId), NOT_FOUND (clusterId, power.ownAgentId), AGENT_NOT_IN_CLUSTER, FORBIDDEN (mac, ownerId), INVALID_INPUT (shares)
 */
export async function createDevice(context: DevicesContext, input: DeviceCreate, now: Date): Promise<string> {
  checkAddresses(context.actor, input);
  return await changeMembers(context, async (em) => {
    const cluster = await clusterFor(em, input.clusterId ?? null);
    checkMac(context.actor, context.directory, { siteId: cluster.site.id, mac: input.mac });
    await refuseDuplicateMac(em, input.mac, undefined);
    const device = newDevice(em, context, { input, cluster, key: chooseKey(context.directory, input), now });
    await em.flush();
    await setAgentsOf(em, device, input.agentIds ?? []);
    await setOwnAgent(em, context.actor, device, input.power?.ownAgentId);
    await setNeeds(em, device, input.dependsOn);
    await setOwners(em, context, device, input);
    await em.flush();
    const event = { action: "device.create", target: targetOf(device), details: { mac: device.mac } } as const;
    return { result: device.id, touched: { devices: [device] }, event };
  });
}

/** A row with the defaults of what the input does not say. It is not flushed yet. */
export function newDevice(
  em: EntityManager,
  { actor }: DevicesContext,
  { input, cluster, key, now }: { input: DeviceCreate; cluster: Cluster; key: Key; now: Date },
): Device {
  return em.create(Device, {
    id: randomUUID(),
    site: cluster.site,
    cluster,
    key,
    name: input.name,
    mac: input.mac,
    address: input.address ?? null,
    os: input.os ?? "other",
    enabled: input.enabled ?? true,
    showInHomeAssistant: input.showInHomeAssistant ?? true,
    description: input.description ?? null,
    tags: input.tags ?? [],
    secureOn: input.secureOn ?? null,
    wakeAddresses: input.wake?.addresses ?? [],
    wakePorts: input.wake?.ports ?? DEFAULT_WAKE_PORTS,
    wakeWindowSeconds: input.wake?.windowSeconds ?? null,
    watchIcmp: input.watch?.icmp ?? true,
    watchArp: input.watch?.arp ?? true,
    watchTcpPorts: input.watch?.tcpPorts ?? [],
    watchIntervalSeconds: input.watch?.intervalSeconds ?? DEFAULT_WATCH_INTERVAL_SECONDS,
    ownAgent: null,
    offAction: input.power?.off ?? "shutdown",
    offCountdownSeconds: input.power?.countdownSeconds ?? 30,
    offGraceSeconds: input.power?.graceSeconds ?? null,
    offAfterLease: input.power?.offAfterLease ?? false,
    owner: actor.userId,
    createdAt: now,
    updatedAt: now,
  });
}

function chooseKey(directory: Directory, { key, name }: DeviceCreate): Key {
  const isTaken = (candidate: string) => directory.devices.byKey(candidate) !== undefined;
  if (key === undefined) return freeKey(keyFromName(name, "device"), isTaken);
  if (key.startsWith(UNASSIGNED))
    throw new HubError("INVALID_INPUT", `Keys that begin with ${UNASSIGNED} belong to the hub`, { field: "key" });
  if (isTaken(key)) throw new HubError("DUPLICATE", "Another device has this key", { field: "key" });
  return key;
}

/** The unique index holds under a race; this answers with the name of the field and of the other device. */
async function refuseDuplicateMac(em: EntityManager, mac: string, ownId: string | undefined): Promise<void> {
  const other = await em.findOne(Device, { mac });
  if (other && other.id !== ownId)
    throw new HubError("DUPLICATE", `"${other.name}" has this MAC address`, { field: "mac" });
}

/**
 * Changes what the input names, and nothing else. A move to another cluster drops the links that no longer fit.
 *
 * @throws HubError NOT_FOUND, DUPLICATE (mac, power.ownAgentId), AGENT_NOT_IN_CLUSTER, FORBIDDEN (mac, ownerId), INVALID_INPUT (shares, dependsOn), DEPENDENCY_CYCLE
 */
export async function changeDevice(
  context: DevicesContext,
  id: string,
  change: DeviceChange,
  now: Date,
): Promise<DroppedLink[]> {
  checkAddresses(context.actor, change);
  return await changeMembers(context, async (em) => {
    const device = await em.findOne(Device, { id });
    if (!device) throw notFound();
    if (change.mac !== undefined && change.mac !== device.mac) {
      checkMac(context.actor, context.directory, { siteId: device.site.id, mac: change.mac });
      await refuseDuplicateMac(em, change.mac, id);
    }
    applyChange(device, change);
    device.updatedAt = now;
    const cluster = change.clusterId === undefined ? undefined : await clusterFor(em, change.clusterId);
    const moved = cluster ? await moveMembers(em, { devices: [device], agents: [] }, cluster) : [];
    if (change.agentIds) await setAgentsOf(em, device, change.agentIds);
    await setOwnAgent(em, context.actor, device, change.power?.ownAgentId);
    await setNeeds(em, device, change.dependsOn);
    if (cluster || change.dependsOn) {
      const after = { devices: [needyDevice(context.directory, device, change.dependsOn)] };
      refuseCircle(context.directory, device.site.id, after, change.dependsOn ? "dependsOn" : "clusterId");
    }
    await setOwners(em, context, device, change);
    await em.flush();
    const kept = new Set(change.agentIds);
    const dropped = moved.filter((link) => !kept.has(link.agentId));
    const details = { fields: Object.keys(change), ...needsInTrail(context.directory, change.dependsOn) };
    const event = { action: "device.change", target: targetOf(device), details } as const;
    return { result: dropped, touched: { devices: [device], dropped }, event };
  });
}

export function applyChange(device: Device, change: DeviceChange): void {
  const { name, mac, address, os, enabled, showInHomeAssistant, description, tags, secureOn, wake, watch, power } =
    change;
  if (name !== undefined) device.name = name;
  if (mac !== undefined) device.mac = mac;
  if (address !== undefined) device.address = address;
  if (os !== undefined) device.os = os;
  if (enabled !== undefined) device.enabled = enabled;
  if (showInHomeAssistant !== undefined) device.showInHomeAssistant = showInHomeAssistant;
  if (description !== undefined) device.description = description;
  if (tags !== undefined) device.tags = tags;
  if (secureOn !== undefined) device.secureOn = secureOn;
  if (power?.off !== undefined) device.offAction = power.off;
  if (power?.countdownSeconds !== undefined) device.offCountdownSeconds = power.countdownSeconds;
  if (power?.graceSeconds !== undefined) device.offGraceSeconds = power.graceSeconds;
  if (power?.offAfterLease !== undefined) device.offAfterLease = power.offAfterLease;
  if (wake?.addresses !== undefined) device.wakeAddresses = wake.addresses;
  if (wake?.ports !== undefined) device.wakePorts = wake.ports;
  if (wake?.windowSeconds !== undefined) device.wakeWindowSeconds = wake.windowSeconds;
  if (watch?.icmp !== undefined) device.watchIcmp = watch.icmp;
  if (watch?.arp !== undefined) device.watchArp = watch.arp;
  if (watch?.tcpPorts !== undefined) device.watchTcpPorts = watch.tcpPorts;
  if (watch?.intervalSeconds !== undefined) device.watchIntervalSeconds = watch.intervalSeconds;
}

/** Its links and its history go with it, and nobody needs it any more. @throws HubError NOT_FOUND, DEPENDENCY_CYCLE */
export async function deleteDevice(context: MembersContext, id: string): Promise<void> {
  await changeMembers(context, async (em) => {
    const device = await em.findOne(Device, { id });
    if (!device) throw notFound();
    const { devices, clusterIds } = naming(context.directory, id);
    const needing = {
      devices: await em.find(Device, { id: { $in: devices.map((row) => row.id) } }),
      clusters: await em.find(Cluster, { id: { $in: clusterIds } }),
    };
    // what stood on it may have been what kept a circle open
    if (devices.length + clusterIds.length > 0) refuseCircle(context.directory, device.site.id, { removed: id });
    em.remove(device);
    await em.flush();
    const event = { action: "device.delete", target: targetOf(device) } as const;
    return { result: undefined, touched: { ...needing, removed: { device: id } }, event };
  });
}

export function deviceAnswer(device: DirectoryDevice, directory: Directory, now: DeviceNow): DeviceAnswer {
  const { id, key, name, mac, address, os, enabled, description, tags, agentIds, secureOn, wake, watch } = device;
  const cluster = directory.clusterOf(device);
  return {
    id,
    key: Key.parse(key),
    name,
    mac: MacAddress.parse(mac),
    address,
    os,
    enabled,
    showInHomeAssistant: device.showInHomeAssistant,
    description,
    tags: [...tags],
    clusterId: cluster.unassigned ? null : cluster.id,
    agentIds: [...agentIds],
    ownerId: device.ownerId,
    shares: [...device.shares],
    secureOnSet: secureOn !== null,
    wake: { addresses: [...wake.addresses], ports: [...wake.ports], windowSeconds: wake.windowSeconds },
    watch: { icmp: watch.icmp, arp: watch.arp, tcpPorts: [...watch.tcpPorts], intervalSeconds: watch.intervalSeconds },
    powerSettings: device.power,
    dependsOn: [...device.needs],
    powerMethod: device.powerMethod?.type ?? null,
    ...now,
    createdAt: device.createdAt.toISOString(),
    updatedAt: device.updatedAt.toISOString(),
  };
}

function targetOf({ id, key }: Device) {
  return { type: "device", id, name: key };
}

function notFound(): HubError {
  return new HubError("NOT_FOUND", "There is no such device");
}
