import type { EntityManager } from "@mikro-orm/postgresql";
import { type Actor, reachFor } from "#contracts/permissions.ts";
import { Agent } from "../agents/agent.entity.ts";
import { HubError } from "../kernel/errors.ts";
import { Device } from "./device.entity.ts";

const FIELD = { field: "power.ownAgentId" };

/**
 * Chooses the agent on a device's very machine; null leaves it to the MAC addresses of agents.
 *
 * Whoever powers the device off takes that agent's machine down, so it is for those who manage agents.
 *
 * @throws HubError FORBIDDEN, NOT_FOUND, DUPLICATE (power.ownAgentId)
 */
export async function setOwnAgent(
  em: EntityManager,
  actor: Actor,
  device: Device,
  agentId: string | null | undefined,
): Promise<void> {
  if (agentId === undefined || agentId === (device.ownAgent?.id ?? null)) return;
  if (reachFor(actor, "agent:manage") === undefined)
    throw new HubError("FORBIDDEN", "Only who manages agents may choose the one on a machine", FIELD);
  if (agentId === null) {
    device.ownAgent = null;
    return;
  }
  if (!(await em.findOne(Agent, { id: agentId }))) throw new HubError("NOT_FOUND", "There is no such agent", FIELD);
  // the unique index holds under a race; this answers with the name of the other device
  const other = await em.findOne(Device, { ownAgent: agentId, id: { $ne: device.id } });
  if (other) throw new HubError("DUPLICATE", `This agent runs on "${other.name}"`, FIELD);
  device.ownAgent = em.getReference(Agent, agentId, { wrapped: true });
}
