import type { EntityManager } from "@mikro-orm/postgresql";
import type { DroppedLink } from "#contracts/api/common.ts";
import { Agent } from "../agents/agent.entity.ts";
import { Cluster } from "../clusters/cluster.entity.ts";
import { Device } from "../devices/device.entity.ts";
import { HubError } from "../kernel/errors.ts";
import { Site } from "../sites/site.entity.ts";
import type { Trail, TrailEvent } from "../kernel/trail.ts";
import { DeviceAgent } from "./device-agent.entity.ts";
import { PowerMethod } from "../power-methods/power-method.entity.ts";
import { ClusterNeed, DeviceNeed } from "./dependency.entity.ts";
import { ClusterShare, DeviceShare } from "./share.entity.ts";
import { type ClusterParts, type DeviceParts, agentEntry, clusterEntry, deviceEntry } from "./directory-entries.ts";
import type { Directory } from "./directory.ts";

/**
 * Who is in which cluster, and which agents serve which device. A move drops the links that no longer fit, and says which.
 *
 * These run inside `changeMembers`, which each use case that touches members goes through.
 */

/** The cluster with this id; the site's `unassigned` row for null. @throws HubError NOT_FOUND naming the field. */
export async function clusterFor(em: EntityManager, clusterId: string | null, field = "clusterId"): Promise<Cluster> {
  const cluster = await em.findOne(
    Cluster,
    clusterId === null ? { unassigned: true } : { id: clusterId, unassigned: false },
  );
  if (!cluster) throw new HubError("NOT_FOUND", "There is no such cluster", { field });
  return cluster;
}

/** Moves devices and agents, first dropping the links that would cross clusters. */
export async function moveMembers(
  em: EntityManager,
  members: { devices: Device[]; agents: Agent[] },
  cluster: Cluster,
): Promise<DroppedLink[]> {
  const devices = members.devices.filter((device) => device.cluster.id !== cluster.id);
  const agents = members.agents.filter((agent) => agent.cluster.id !== cluster.id);
  if (devices.length === 0 && agents.length === 0) return [];
  const movedDevices = new Set(devices.map((device) => device.id));
  const movedAgents = new Set(agents.map((agent) => agent.id));
  const touched = await em.find(
    DeviceAgent,
    { $or: [{ device: { $in: [...movedDevices] } }, { agent: { $in: [...movedAgents] } }] },
    { populate: ["device", "agent"] },
  );
  // a link whose both sides move together crosses clusters for a moment, so it is made anew after the move
  const together = touched.filter(
    (link) => landsIn(link.device.$, movedDevices, cluster) && landsIn(link.agent.$, movedAgents, cluster),
  );
  const dropped = touched.filter((link) => !together.includes(link)).map(linkOf);
  const kept = together.map(linkOf);
  for (const link of touched) em.remove(link);
  await em.flush();
  for (const member of [...devices, ...agents])
    member.cluster = em.getReference(Cluster, cluster.id, { wrapped: true });
  await em.flush();
  for (const link of kept) createLink(em, link, cluster);
  await em.flush();
  return dropped;
}

function landsIn(member: Device | Agent, moved: ReadonlySet<string>, cluster: Cluster): boolean {
  return moved.has(member.id) || member.cluster.id === cluster.id;
}

function linkOf(link: DeviceAgent): DroppedLink {
  return { deviceId: link.device.id, agentId: link.agent.id };
}

function createLink(em: EntityManager, { deviceId, agentId }: DroppedLink, { site }: { site: Cluster["site"] }): void {
  em.create(DeviceAgent, {
    device: em.getReference(Device, deviceId),
    agent: em.getReference(Agent, agentId),
    site: em.getReference(Site, site.id),
  });
}

/** Sets the agents of a device. @throws HubError AGENT_NOT_IN_CLUSTER when one is not in the device's cluster. */
export async function setAgentsOf(em: EntityManager, device: Device, agentIds: readonly string[]): Promise<void> {
  await setAgents(em, [{ device, agentIds }]);
}

/**
 * The same for many devices: each statement looks at all rows that are in memory, so there are as few as for one.
 *
 * @throws HubError AGENT_NOT_IN_CLUSTER
 */
export async function setAgents(
  em: EntityManager,
  wishes: readonly { readonly device: Device; readonly agentIds: readonly string[] }[],
): Promise<void> {
  const agents = await em.find(Agent, { id: { $in: [...new Set(wishes.flatMap(({ agentIds }) => agentIds))] } });
  const clusterOf = new Map(agents.map(({ id, cluster }) => [id, cluster.id]));
  const links = await em.find(DeviceAgent, { device: { $in: wishes.map(({ device }) => device.id) } });
  const linksOf = Map.groupBy(links, ({ device }) => device.id);
  for (const { device, agentIds } of wishes) {
    const wanted = new Set(agentIds);
    if ([...wanted].some((id) => clusterOf.get(id) !== device.cluster.id))
      throw new HubError("AGENT_NOT_IN_CLUSTER", "A device's agents must be in the device's own cluster", {
        field: "agentIds",
      });
    for (const link of linksOf.get(device.id) ?? []) if (!wanted.delete(link.agent.id)) em.remove(link);
    for (const agentId of wanted) createLink(em, { deviceId: device.id, agentId }, device);
  }
  await em.flush();
}

/** What a change touched, for the directory. */
export interface Touched {
  readonly clusters?: readonly Cluster[];
  readonly agents?: readonly Agent[];
  readonly devices?: readonly Device[];
  readonly dropped?: readonly DroppedLink[];
  readonly removed?: { readonly cluster?: string; readonly agent?: string; readonly device?: string };
}

export interface MembersContext {
  /** Bound to the site. */
  readonly em: EntityManager;
  readonly directory: Directory;
  readonly trail: Trail;
}

/**
 * Runs a change in a transaction, with its rows in the audit log, and after its commit brings the directory up to date.
 *
 * One change at a time: two that overlap could otherwise reach the directory in the wrong order.
 */
export async function changeMembers<Result>(
  { em, directory, trail }: MembersContext,
  work: (
    em: EntityManager,
  ) => Promise<{ result: Result; touched: Touched; event?: TrailEvent | readonly TrailEvent[] }>,
): Promise<Result> {
  return await directory.inTurn(async () => {
    const { result, tell } = await em.transactional(
      async (em) => {
        const { result, touched, event } = await work(em);
        const events = [event ?? []].flat();
        if (events.length > 0) await trail.write(em, ...events);
        return { result, tell: await news(em, directory, touched) };
      },
      { clear: true },
    );
    tell();
    return result;
  });
}

/** Reads what the directory needs while still in the transaction: after the commit nothing can fail any more. */
async function news(em: EntityManager, directory: Directory, touched: Touched): Promise<() => void> {
  const devices = new Map((touched.devices ?? []).map((device) => [device.id, device]));
  const others = [...new Set((touched.dropped ?? []).map((link) => link.deviceId))].filter((id) => !devices.has(id));
  if (others.length > 0)
    for (const device of await em.find(Device, { id: { $in: others } })) devices.set(device.id, device);
  const deviceParts = await partsOfDevices(em, [...devices.keys()]);
  const clusterIds = (touched.clusters ?? []).map((cluster) => cluster.id);
  const clusterParts = await partsOfClusters(em, clusterIds);
  const entries = {
    clusters: (touched.clusters ?? []).map((row) => clusterEntry(row, clusterParts(row.id))),
    agents: (touched.agents ?? []).map(agentEntry),
    devices: [...devices.values()].map((row) => deviceEntry(row, deviceParts(row.id))),
  };
  const { removed = {} } = touched;
  return () =>
    directory.together(() => {
      for (const entry of entries.clusters) directory.putCluster(entry);
      for (const entry of entries.agents) directory.putAgent(entry);
      for (const entry of entries.devices) directory.putDevice(entry);
      if (removed.device) directory.removeDevice(removed.device);
      if (removed.agent) directory.removeAgent(removed.agent);
      if (removed.cluster) directory.removeCluster(removed.cluster);
    });
}

async function partsOfDevices(em: EntityManager, ids: readonly string[]): Promise<(id: string) => DeviceParts> {
  const where = { device: { $in: [...ids] } };
  const none = ids.length === 0;
  const links = Map.groupBy(none ? [] : await em.find(DeviceAgent, where), (link) => link.device.id);
  const shares = Map.groupBy(none ? [] : await em.find(DeviceShare, where), (share) => share.device.id);
  const needs = Map.groupBy(none ? [] : await em.find(DeviceNeed, where), (need) => need.device.id);
  const methods = Map.groupBy(none ? [] : await em.find(PowerMethod, where), (method) => method.device.id);
  return (id) => ({
    agentIds: (links.get(id) ?? []).map((link) => link.agent.id),
    shares: shares.get(id) ?? [],
    needs: needs.get(id) ?? [],
    method: methods.get(id)?.[0],
  });
}

async function partsOfClusters(em: EntityManager, ids: readonly string[]): Promise<(id: string) => ClusterParts> {
  const where = { cluster: { $in: [...ids] } };
  const none = ids.length === 0;
  const shares = Map.groupBy(none ? [] : await em.find(ClusterShare, where), (share) => share.cluster.id);
  const needs = Map.groupBy(none ? [] : await em.find(ClusterNeed, where), (need) => need.cluster.id);
  return (id) => ({ shares: shares.get(id) ?? [], needs: needs.get(id) ?? [] });
}
