import { isDeepStrictEqual } from "node:util";
import type { EntityManager } from "@mikro-orm/postgresql";
import { Agent } from "../agents/agent.entity.ts";
import { Cluster } from "../clusters/cluster.entity.ts";
import { Device } from "../devices/device.entity.ts";
import { DeviceAgent } from "./device-agent.entity.ts";
import { NetworkInterface } from "#contracts/agent.ts";
import { PowerMethod } from "../power-methods/power-method.entity.ts";
import { ClusterNeed, DeviceNeed } from "./dependency.entity.ts";
import { ClusterShare, DeviceShare } from "./share.entity.ts";
import { Directory, type DirectoryAgent, type DirectoryCluster, type DirectoryDevice } from "./directory.ts";

/** The rows are read once and let go, so no unit of work needs to know them. */
const ALL_SITES_ONCE = { filters: { site: false }, disableIdentityMap: true } as const;

/** Reads all sites once, at the start. */
export async function loadDirectory(em: EntityManager): Promise<Directory> {
  const directory = new Directory();
  const options = ALL_SITES_ONCE;
  const linksByDevice = new Map<string, string[]>();
  for (const link of await em.find(DeviceAgent, {}, options)) {
    const ids = linksByDevice.get(link.device.id) ?? [];
    linksByDevice.set(link.device.id, [...ids, link.agent.id]);
  }
  const deviceShares = await em.find(DeviceShare, {}, options);
  const sharesByDevice = Map.groupBy(deviceShares, (share) => share.device.id);
  const clusterShares = await em.find(ClusterShare, {}, options);
  const sharesByCluster = Map.groupBy(clusterShares, (share) => share.cluster.id);
  const clusterNeeds = Map.groupBy(await em.find(ClusterNeed, {}, options), (need) => need.cluster.id);
  for (const row of await em.find(Cluster, {}, options)) {
    const parts = { shares: sharesByCluster.get(row.id) ?? [], needs: clusterNeeds.get(row.id) ?? [] };
    directory.putCluster(clusterEntry(row, parts));
  }
  for (const row of await em.find(Agent, {}, options)) directory.putAgent(agentEntry(row));
  const deviceNeeds = Map.groupBy(await em.find(DeviceNeed, {}, options), (need) => need.device.id);
  const methods = new Map((await em.find(PowerMethod, {}, options)).map((row) => [row.device.id, row]));
  for await (const row of allDevices(em)) {
    const { id } = row;
    const parts = {
      agentIds: linksByDevice.get(id) ?? [],
      shares: sharesByDevice.get(id) ?? [],
      needs: deviceNeeds.get(id) ?? [],
      method: methods.get(id),
    };
    directory.putDevice(deviceEntry(row, parts));
  }
  return directory;
}

/**
 * Brings a directory in line with the rows: a change may have been made without anybody being told.
 *
 * @returns the agents that are gone.
 */
export async function refreshDirectory(em: EntityManager, directory: Directory): Promise<string[]> {
  return await directory.inTurn(async () => {
    const fresh = await loadDirectory(em);
    const goneAgents = [...directory.agents].filter(({ id }) => !fresh.agents.byId(id));
    const goneDevices = [...directory.devices].filter(({ id }) => !fresh.devices.byId(id));
    const goneClusters = [...directory.clusters].filter(({ id }) => !fresh.clusters.byId(id));
    const isNew = <Row extends { readonly id: string }>(row: Row, before: Row | undefined) =>
      !isDeepStrictEqual(row, before);
    directory.together(() => {
      for (const row of fresh.clusters) if (isNew(row, directory.clusters.byId(row.id))) directory.putCluster(row);
      for (const row of fresh.agents) if (isNew(row, directory.agents.byId(row.id))) directory.putAgent(row);
      for (const row of fresh.devices) if (isNew(row, directory.devices.byId(row.id))) directory.putDevice(row);
      for (const { id } of goneDevices) directory.removeDevice(id);
      for (const { id } of goneAgents) directory.removeAgent(id);
      for (const { id } of goneClusters) directory.removeCluster(id);
    });
    return goneAgents.map(({ id }) => id);
  });
}

/** So many rows are in memory at once. */
const DEVICES_PER_PAGE = 5_000;
const BEFORE_ALL_IDS = "00000000-0000-0000-0000-000000000000";

async function* allDevices(em: EntityManager): AsyncGenerator<Device> {
  for (let after = BEFORE_ALL_IDS; ;) {
    const where = { id: { $gt: after } };
    const page = await em.find(Device, where, { ...ALL_SITES_ONCE, orderBy: { id: "asc" }, limit: DEVICES_PER_PAGE });
    yield* page;
    const last = page.at(-1);
    if (!last || page.length < DEVICES_PER_PAGE) return;
    after = last.id;
  }
}

/** What stands in rows of their own. */
export interface ClusterParts {
  readonly shares: readonly ShareRow[];
  readonly needs: readonly NeedRow[];
}

export interface DeviceParts extends ClusterParts {
  readonly agentIds: readonly string[];
  readonly method: PowerMethod | undefined;
}

export function clusterEntry(row: Cluster, { shares, needs }: ClusterParts): DirectoryCluster {
  const { id, key, name, tags, unassigned, showInHomeAssistant, createdAt, updatedAt } = row;
  return {
    id,
    siteId: row.site.id,
    key,
    name,
    description: row.description ?? null,
    tags,
    unassigned,
    showInHomeAssistant,
    pace: { staggerMs: row.staggerMs, atOnce: row.atOnce ?? null },
    needs: needsOf(needs),
    ...rightsOf(row, shares),
    createdAt,
    updatedAt,
  };
}

export function agentEntry(row: Agent): DirectoryAgent {
  const { id, key, name, hostname, os, arch, version, capabilities, showInHomeAssistant } = row;
  const { createdAt, updatedAt } = row;
  const owner = { siteId: row.site.id, clusterId: row.cluster.id };
  const interfaces = NetworkInterface.array().parse(row.interfaces); // rows of earlier versions lack what came later
  const said = { hostname, os, arch, version, interfaces, capabilities, machine: row.machine ?? null };
  return { id, ...owner, key, name, ...said, showInHomeAssistant, createdAt, updatedAt };
}

export function deviceEntry(row: Device, { agentIds, shares, needs, method }: DeviceParts): DirectoryDevice {
  const { id, key, name, mac, os, enabled, showInHomeAssistant, tags, createdAt, updatedAt } = row;
  return {
    id,
    siteId: row.site.id,
    clusterId: row.cluster.id,
    key,
    name,
    mac,
    address: row.address ?? null,
    os,
    enabled,
    showInHomeAssistant,
    description: row.description ?? null,
    tags,
    secureOn: row.secureOn ?? null,
    wake: { addresses: row.wakeAddresses, ports: row.wakePorts, windowSeconds: row.wakeWindowSeconds ?? null },
    watch: {
      icmp: row.watchIcmp,
      arp: row.watchArp,
      tcpPorts: row.watchTcpPorts,
      intervalSeconds: row.watchIntervalSeconds,
    },
    power: {
      ownAgentId: row.ownAgent?.id ?? null,
      off: row.offAction,
      countdownSeconds: row.offCountdownSeconds,
      graceSeconds: row.offGraceSeconds ?? null,
      offAfterLease: row.offAfterLease,
    },
    powerMethod: method?.method ?? null,
    sealedSecrets: method?.sealed ?? null,
    needs: needsOf(needs),
    agentIds,
    ...rightsOf(row, shares),
    createdAt,
    updatedAt,
  };
}

type ShareRow = DeviceShare | ClusterShare;
type NeedRow = DeviceNeed | ClusterNeed;

function needsOf(rows: readonly NeedRow[]) {
  return rows.map(({ needs, ready }) => ({ deviceId: needs.id, ready }));
}

function rightsOf({ owner }: Device | Cluster, shares: readonly ShareRow[]) {
  return {
    ownerId: owner?.id ?? null,
    shares: shares.map(({ user, level }) => ({ userId: user.id, level })),
  };
}
