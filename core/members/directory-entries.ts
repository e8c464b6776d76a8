import { isDeepStrictEqual } from "node:util";
import type { EntityManager } from "@mikro-orm/postgresql";
import { Agent } from "../agents/agent.entity.ts";
import { Cluster } from "../clusters/cluster.entity.ts";
import { Device } from "../devices/device.entity.ts";
import { DeviceAgent } from "./device-agent.entity.ts";
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
  for (const row of await em.find(Cluster, {}, options))
    directory.putCluster(clusterEntry(row, sharesByCluster.get(row.id) ?? []));
  for (const row of await em.find(Agent, {}, options)) directory.putAgent(agentEntry(row));
  for await (const row of allDevices(em)) {
    const agentIds = linksByDevice.get(row.id) ?? [];
    directory.putDevice(deviceEntry(row, { agentIds, shares: sharesByDevice.get(row.id) ?? [] }));
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

export function clusterEntry(row: Cluster, shares: readonly ShareRow[]): DirectoryCluster {
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
    ...rightsOf(row, shares),
    createdAt,
    updatedAt,
  };
}

export function agentEntry(row: Agent): DirectoryAgent {
  const { id, key, name, hostname, os, arch, version, interfaces, capabilities, showInHomeAssistant } = row;
  const { createdAt, updatedAt } = row;
  const owner = { siteId: row.site.id, clusterId: row.cluster.id };
  const said = { hostname, os, arch, version, interfaces, capabilities };
  return { id, ...owner, key, name, ...said, showInHomeAssistant, createdAt, updatedAt };
}

export function deviceEntry(
  row: Device,
  { agentIds, shares }: { agentIds: readonly string[]; shares: readonly ShareRow[] },
): DirectoryDevice {
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
    agentIds,
    ...rightsOf(row, shares),
    createdAt,
    updatedAt,
  };
}

type ShareRow = DeviceShare | ClusterShare;

function rightsOf({ owner }: Device | Cluster, shares: readonly ShareRow[]) {
  return {
    ownerId: owner?.id ?? null,
    shares: shares.map(({ user, level }) => ({ userId: user.id, level })),
  };
}
