import { randomUUID } from "node:crypto";
import type { EntityManager } from "@mikro-orm/postgresql";
import { Agent } from "../agents/agent.entity.ts";
import type { ClusterAnswer, ClusterChange, ClusterCreate, ClusterNow } from "#contracts/api/clusters.ts";
import type { DroppedLink } from "#contracts/api/common.ts";
import { Key, UNASSIGNED } from "#contracts/key.ts";
import { Device } from "../devices/device.entity.ts";
import { type Actor, mayChange, reachFor } from "#contracts/permissions.ts";
import { HubError } from "../kernel/errors.ts";
import { freeKey, keyFromName } from "../kernel/keys.ts";
import type { Directory, DirectoryCluster } from "../members/directory.ts";
import {
  type MembersContext,
  type Touched,
  changeMembers,
  clusterFor,
  moveMembers,
} from "../members/members.service.ts";
import { needsInTrail, needyDevice, refuseCircle, setNeeds } from "../members/needs.service.ts";
import { type OwnersContext, setOwners } from "../members/owners.service.ts";
import { Site } from "../sites/site.entity.ts";
import { Cluster } from "./cluster.entity.ts";

export interface ClusterChangeResult {
  readonly id: string;
  readonly droppedLinks: DroppedLink[];
}

export interface ClustersContext extends MembersContext, OwnersContext {}

/** Makes a cluster, which belongs to whoever makes it. @throws HubError DUPLICATE (key), NOT_FOUND and FORBIDDEN (deviceIds, agentIds) */
export async function createCluster(
  context: ClustersContext & { siteId: string },
  input: ClusterCreate,
  now: Date,
): Promise<ClusterChangeResult> {
  return await changeMembers(context, async (em) => {
    const cluster = em.create(Cluster, {
      id: randomUUID(),
      site: em.getReference(Site, context.siteId),
      key: chooseKey(context.directory, input),
      name: input.name,
      description: input.description ?? null,
      tags: input.tags ?? [],
      unassigned: false,
      showInHomeAssistant: input.showInHomeAssistant ?? true,
      staggerMs: input.pace?.staggerMs ?? 0,
      atOnce: input.pace?.atOnce ?? null,
      owner: context.actor.userId,
      createdAt: now,
      updatedAt: now,
    });
    await em.flush();
    const { touched, dropped } = await setMembers(em, cluster, input, context.actor);
    await setClusterNeeds(em, context.directory, { cluster, touched }, input);
    await setOwners(em, context, cluster, input);
    await em.flush();
    const event = { action: "cluster.create", target: targetOf(cluster) } as const;
    return { result: { id: cluster.id, droppedLinks: dropped }, touched, event };
  });
}

function chooseKey(directory: Directory, { key, name }: ClusterCreate): Key {
  const isTaken = (candidate: string) => directory.clusters.byKey(candidate) !== undefined;
  if (key === undefined) return freeKey(keyFromName(name, "cluster"), isTaken);
  if (key.startsWith(UNASSIGNED))
    throw new HubError("INVALID_INPUT", `Keys that begin with ${UNASSIGNED} belong to the hub`, { field: "key" });
  if (isTaken(key)) throw new HubError("DUPLICATE", "Another cluster has this key", { field: "key" });
  return key;
}

/**
 * Changes what the input names. Members are replaced as a whole where they are named.
 *
 * @throws HubError NOT_FOUND, FORBIDDEN (deviceIds, agentIds, ownerId), INVALID_INPUT (shares), DEPENDENCY_CYCLE
 */
export async function changeCluster(
  context: ClustersContext,
  id: string,
  change: ClusterChange,
  now: Date,
): Promise<ClusterChangeResult> {
  return await changeMembers(context, async (em) => {
    const cluster = await clusterFor(em, id, "id");
    if (change.name !== undefined) cluster.name = change.name;
    if (change.description !== undefined) cluster.description = change.description;
    if (change.tags !== undefined) cluster.tags = change.tags;
    if (change.showInHomeAssistant !== undefined) cluster.showInHomeAssistant = change.showInHomeAssistant;
    cluster.updatedAt = now;
    applyPace(cluster, change.pace);
    const { touched, dropped } = await setMembers(em, cluster, change, context.actor);
    await setClusterNeeds(em, context.directory, { cluster, touched }, change);
    await setOwners(em, context, cluster, change);
    await em.flush();
    const details = { fields: Object.keys(change), ...needsInTrail(context.directory, change.dependsOn) };
    const event = { action: "cluster.change", target: targetOf(cluster), details } as const;
    return { result: { id, droppedLinks: dropped }, touched, event };
  });
}

function applyPace(cluster: Cluster, pace: ClusterChange["pace"]): void {
  if (pace?.staggerMs !== undefined || pace === null) cluster.staggerMs = pace?.staggerMs ?? 0;
  if (pace?.atOnce !== undefined || pace === null) cluster.atOnce = pace?.atOnce ?? null;
}

async function setClusterNeeds(
  em: EntityManager,
  directory: Directory,
  { cluster, touched }: { readonly cluster: Cluster; readonly touched: Touched },
  { dependsOn }: Pick<ClusterChange, "dependsOn">,
): Promise<void> {
  await setNeeds(em, cluster, dependsOn);
  const moved = touched.devices ?? [];
  if (!dependsOn && moved.length === 0) return;
  const needs = dependsOn === undefined ? (directory.clusters.byId(cluster.id)?.needs ?? []) : (dependsOn ?? []);
  const devices = moved.map((device) => needyDevice(directory, device, undefined));
  const after = { devices, clusters: [{ id: cluster.id, needs }] };
  refuseCircle(directory, cluster.site.id, after, dependsOn ? "dependsOn" : "deviceIds");
}

/** Its members stay, in no cluster. @throws HubError NOT_FOUND */
export async function deleteCluster(context: MembersContext, id: string): Promise<DroppedLink[]> {
  return await changeMembers(context, async (em) => {
    const cluster = await clusterFor(em, id, "id");
    const { touched, dropped } = await setMembers(em, cluster, { deviceIds: [], agentIds: [] }, null);
    em.remove(cluster);
    await em.flush();
    const event = { action: "cluster.delete", target: targetOf(cluster) } as const;
    return { result: dropped, touched: { ...touched, clusters: [], removed: { cluster: id } }, event };
  });
}

/**
 * Makes exactly the named ones members: others leave to no cluster, and a list that is not named stays as it is.
 *
 * @param actor who needs the right to move each of them; null where their cluster goes.
 */
async function setMembers(
  em: EntityManager,
  cluster: Cluster,
  { deviceIds, agentIds }: { deviceIds?: string[] | undefined; agentIds?: string[] | undefined },
  actor: Actor | null,
): Promise<{ touched: Touched; dropped: DroppedLink[] }> {
  const nowhere = await clusterFor(em, null);
  const devices = await membersToBe(em, Device, deviceIds, cluster, "deviceIds");
  const agents = await membersToBe(em, Agent, agentIds, cluster, "agentIds");
  if (actor) checkMayMove(actor, [...devices.leaving, ...devices.coming], [...agents.leaving, ...agents.coming]);
  const left = await moveMembers(em, { devices: devices.leaving, agents: agents.leaving }, nowhere);
  const came = await moveMembers(em, { devices: devices.coming, agents: agents.coming }, cluster);
  const dropped = [...left, ...came];
  const moved = { devices: [...devices.leaving, ...devices.coming], agents: [...agents.leaving, ...agents.coming] };
  return { touched: { clusters: [cluster], ...moved, dropped }, dropped };
}

/** A cluster of one's own would else be a way to whatever is moved into it. @throws HubError FORBIDDEN */
function checkMayMove(actor: Actor, devices: readonly Device[], agents: readonly Agent[]): void {
  const rightsOf = ({ owner }: Device) => ({ ownerId: owner?.id ?? null, shares: [] });
  const foreign = devices.find((device) => !mayChange(actor, "device:change", rightsOf(device)));
  if (foreign) throw new HubError("FORBIDDEN", `"${foreign.name}" belongs to somebody else`, { field: "deviceIds" });
  if (agents.length > 0 && reachFor(actor, "agent:manage") === undefined)
    throw new HubError("FORBIDDEN", "Only administrators move agents", { field: "agentIds" });
}

async function membersToBe<Member extends Device | Agent>(
  em: EntityManager,
  entity: new () => Member,
  ids: string[] | undefined,
  cluster: Cluster,
  field: string,
): Promise<{ leaving: Member[]; coming: Member[] }> {
  if (!ids) return { leaving: [], coming: [] };
  const wanted = new Set(ids);
  const rows = (await em.find<Device | Agent>(entity, {
    $or: [{ cluster: cluster.id }, { id: { $in: [...wanted] } }],
  })) as Member[]; // rows of the asked entity
  const found = new Set(rows.map((row) => row.id));
  const missing = [...wanted].find((id) => !found.has(id));
  if (missing !== undefined) throw new HubError("NOT_FOUND", `There is no member with the id ${missing}`, { field });
  return {
    leaving: rows.filter((row) => row.cluster.id === cluster.id && !wanted.has(row.id)),
    coming: rows.filter((row) => row.cluster.id !== cluster.id),
  };
}

export function clusterAnswer(cluster: DirectoryCluster, directory: Directory, now: ClusterNow): ClusterAnswer {
  return {
    id: cluster.id,
    key: Key.parse(cluster.key),
    name: cluster.name,
    description: cluster.description,
    tags: [...cluster.tags],
    showInHomeAssistant: cluster.showInHomeAssistant,
    ownerId: cluster.ownerId,
    shares: [...cluster.shares],
    pace: cluster.pace,
    dependsOn: [...cluster.needs],
    deviceIds: directory.devicesOf(cluster.id).map((device) => device.id),
    agentIds: directory.agentsOf(cluster.id).map((agent) => agent.id),
    ...now,
    createdAt: cluster.createdAt.toISOString(),
    updatedAt: cluster.updatedAt.toISOString(),
  };
}

function targetOf({ id, key }: Cluster) {
  return { type: "cluster", id, name: key };
}
