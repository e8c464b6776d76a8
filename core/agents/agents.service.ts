import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import type { Inventory } from "#contracts/agent.ts";
import type { AgentAnswer, AgentChange } from "#contracts/api/agents.ts";
import type { DroppedLink } from "#contracts/api/common.ts";
import { Key } from "#contracts/key.ts";
import { ORDER_LIFETIME_MS } from "#contracts/limits.ts";
import type { AgentOrder } from "#contracts/order.ts";
import { topics } from "#contracts/topics.ts";
import { HubError } from "../kernel/errors.ts";
import type { HubSigner } from "../kernel/hub-key.ts";
import type { Link } from "../kernel/link.ts";
import type { Directory, DirectoryAgent } from "../members/directory.ts";
import { type MembersContext, changeMembers, clusterFor, moveMembers } from "../members/members.service.ts";
import { Device } from "../devices/device.entity.ts";
import { Agent, AgentHeartbeat } from "./agent.entity.ts";
import type { Presence } from "./presence.ts";

/** Who removes an agent waits so long for the broker. */
const TELLING_MS = 2_000;

/** Renames or moves an agent, or shows it in Home Assistant or not. @throws HubError NOT_FOUND */
export async function changeAgent(
  context: MembersContext,
  id: string,
  change: AgentChange,
  now: Date,
): Promise<DroppedLink[]> {
  return await changeMembers(context, async (em) => {
    const agent = await em.findOne(Agent, { id });
    if (!agent) throw notFound();
    if (change.name !== undefined) agent.name = change.name;
    if (change.showInHomeAssistant !== undefined) agent.showInHomeAssistant = change.showInHomeAssistant;
    agent.updatedAt = now;
    const cluster = change.clusterId === undefined ? undefined : await clusterFor(em, change.clusterId);
    const dropped = cluster ? await moveMembers(em, { devices: [], agents: [agent] }, cluster) : [];
    await em.flush();
    const event = {
      action: "agent.change",
      target: targetOf(agent),
      details: { fields: Object.keys(change) },
    } as const;
    return { result: dropped, touched: { agents: [agent], dropped }, event };
  });
}

export interface DeleteAgentContext extends MembersContext {
  readonly link: Link;
  readonly signer: HubSigner;
  /** Ends the agent's live connection. */
  readonly disconnect: (principalId: string) => void;
}

/** Takes an agent's credential back: it is told, its connection ends, and its retained topics go. @throws HubError NOT_FOUND */
export async function deleteAgent(context: DeleteAgentContext, id: string, now: Date): Promise<void> {
  const agent = await changeMembers(context, async (em) => {
    const row = await em.findOne(Agent, { id });
    const agent = context.directory.agents.byId(id);
    if (!row || !agent) throw notFound();
    const devices = context.directory.devicesOf(agent.clusterId).filter((device) => device.agentIds.includes(id));
    const machines = await em.find(Device, { ownAgent: id });
    for (const device of machines) device.ownAgent = null;
    em.remove(row);
    await em.flush();
    await em.nativeDelete(AgentHeartbeat, { agentId: id });
    const dropped = devices.map((device) => ({ deviceId: device.id, agentId: id }));
    const event = { action: "agent.delete", target: targetOf(agent) } as const;
    return { result: agent, touched: { removed: { agent: id }, devices: machines, dropped }, event };
  });
  await inTime([sendOrder(context, agent, { type: "revoked" }, now)]);
  context.disconnect(id);
  const own = [topics.agentStatus, topics.agentHeartbeat, topics.agentInventory, topics.agentUpdate, topics.agentWatch];
  const cleared = { qos: 1, retain: true, siteId: agent.siteId } as const;
  await inTime(own.map((topic) => context.link.publish(topic.for(agent.key), "", cleared)));
}

/** A broker that is away or slow does not hold up, or undo, what has happened already. */
async function inTime(publishing: readonly Promise<void>[]): Promise<void> {
  await Promise.race([Promise.allSettled(publishing), delay(TELLING_MS, undefined, { ref: false })]);
}

/** Answers an agent's nonce with signed time. */
export async function answerTime(
  context: OrderContext,
  agent: DirectoryAgent,
  nonce: string,
  now: Date,
): Promise<void> {
  await sendOrder(context, agent, { type: "time", nonce }, now);
}

export interface OrderContext {
  readonly link: Link;
  readonly signer: HubSigner;
}

type OrderBody = { type: "time"; nonce: string } | { type: "revoked" };

async function sendOrder(
  { link, signer }: OrderContext,
  agent: DirectoryAgent,
  body: OrderBody,
  now: Date,
): Promise<void> {
  const topic = topics.agentOrder.for(agent.key);
  const iat = now.getTime() / 1_000;
  const order: AgentOrder = { ...body, aud: topic, id: randomUUID(), iat, exp: iat + ORDER_LIFETIME_MS / 1_000 };
  await link.publish(topic, signer.sign(order), topics.agentOrder.options);
}

/** Writes an inventory down where it differs from the row; agents repeat theirs at every connect. */
export async function takeInventory(
  context: MembersContext,
  agent: DirectoryAgent,
  inventory: Inventory,
  now: Date,
): Promise<void> {
  const { hostname, os, arch, version, interfaces, capabilities, machine } = inventory;
  const seen = { hostname, os, arch, version, interfaces, capabilities, machine };
  const known = {
    hostname: agent.hostname,
    os: agent.os,
    arch: agent.arch,
    version: agent.version,
    interfaces: agent.interfaces,
    capabilities: agent.capabilities,
    machine: agent.machine,
  };
  if (isDeepStrictEqual(seen, known)) return;
  await changeMembers(context, async (em) => {
    const row = await em.findOne(Agent, { id: agent.id });
    if (!row) return { result: undefined, touched: {} }; // deleted while its message was on the way
    Object.assign(row, seen, { updatedAt: now });
    await em.flush();
    return { result: undefined, touched: { agents: [row] } };
  });
}

export function agentAnswer(agent: DirectoryAgent, directory: Directory, presence: Presence): AgentAnswer {
  const now = presence.of(agent.id);
  const cluster = directory.clusterOf(agent);
  return {
    id: agent.id,
    key: Key.parse(agent.key),
    name: agent.name,
    hostname: agent.hostname,
    os: agent.os,
    arch: agent.arch,
    version: agent.version,
    clusterId: cluster.unassigned ? null : cluster.id,
    showInHomeAssistant: agent.showInHomeAssistant,
    status: now?.status ?? "offline",
    statusSince: now?.since.toISOString() ?? null,
    lastSeenAt: now?.lastSeenAt.toISOString() ?? null,
    heartbeat: now?.heartbeat ?? null,
    interfaces: agent.interfaces,
    capabilities: agent.capabilities,
    machine: agent.machine,
    machineId: directory.machineOf(agent)?.id ?? null,
    deviceIds: directory
      .devicesOf(agent.clusterId)
      .flatMap((device) => (device.agentIds.includes(agent.id) ? [device.id] : [])),
    createdAt: agent.createdAt.toISOString(),
    updatedAt: agent.updatedAt.toISOString(),
  };
}

function targetOf({ id, key }: { readonly id: string; readonly key: string }) {
  return { type: "agent", id, name: key };
}

function notFound(): HubError {
  return new HubError("NOT_FOUND", "There is no such agent");
}
