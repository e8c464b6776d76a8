import type { Machine } from "#contracts/agent.ts";
import type { PowerMethod } from "#contracts/api/power-methods.ts";
import { PowerOffAction } from "#contracts/power-action.ts";
import type { PowerOffWay } from "#contracts/power-off.ts";

/** The agent on a machine, as far as powering it off goes. */
export interface OwnAgent {
  readonly key: string;
  readonly online: boolean;
  readonly capabilities: readonly string[];
  /** Null: an agent of an earlier version. */
  readonly machine: Pick<Machine, "powerActions" | "powerProblem"> | null;
}

/** Who takes a machine down in one of the ways of going down. */
export interface WayDown {
  readonly action: PowerOffAction;
  readonly way: PowerOffWay;
  /** Whether it can be done at this moment. */
  readonly ready: boolean;
}

export interface Ability {
  /** In the order of `PowerOffAction`; one for each that the machine can do at all. */
  readonly ways: readonly WayDown[];
  /** Why nothing can be done now, and what to do about it; null where something can. */
  readonly why: string | null;
}

/**
 * What can take a machine down, and by whom.
 *
 * Its own agent comes first: it knows who works there, and arms the network card before. While it is offline the other way
 * that was set does it, as far as that was set for the action.
 */
export function abilityOf({ agent, method }: { agent: OwnAgent | undefined; method: PowerMethod | null }): Ability {
  const byAgent = agent?.capabilities.includes("power") ? (agent.machine?.powerActions ?? []) : [];
  const byMethod = method === null ? [] : actionsOf(method);
  const ways = PowerOffAction.options.flatMap((action): WayDown[] => {
    const isByAgent = byAgent.includes(action);
    if (isByAgent && agent?.online) return [{ action, way: "agent", ready: true }];
    if (method !== null && byMethod.includes(action)) return [{ action, way: method.type, ready: true }];
    return isByAgent ? [{ action, way: "agent", ready: false }] : [];
  });
  return { ways, why: ways.some(({ ready }) => ready) ? null : whyNothing(agent, ways) };
}

/**
 * What can take a machine down whoever is there at the moment, as others prepare for it: with the agent that has to be there,
 * or null where there is another way.
 */
export function waysDownOf({
  agent,
  method,
}: {
  agent: Pick<OwnAgent, "key" | "capabilities" | "machine"> | undefined;
  method: PowerMethod | null;
}): { action: PowerOffAction; agent: string | null }[] {
  const { ways } = abilityOf({ agent: agent && { ...agent, online: false }, method });
  return ways.map(({ action, way }) => ({ action, agent: way === "agent" ? (agent?.key ?? null) : null }));
}

function whyNothing(agent: OwnAgent | undefined, ways: readonly WayDown[]): string {
  if (!agent)
    return "No agent runs on this machine, and no other way is set; install an agent on it, or set SSH, MQTT or HTTP for it";
  if (ways.length > 0) return `The agent on this machine, ${agent.key}, is offline`;
  const reason = agent.machine?.powerProblem ?? null;
  if (reason !== null) return `The agent on this machine, ${agent.key}, cannot take it down: ${reason}`;
  return agent.machine === null
    ? `The agent on this machine, ${agent.key}, is too old to take it down; update it`
    : `The agent on this machine, ${agent.key}, cannot take it down`;
}

/** The ways of going down that were set for another way. */
export function actionsOf(method: PowerMethod): PowerOffAction[] {
  const set = method.type === "ssh" ? method.commands : method.type === "mqtt" ? method.payloads : method.requests;
  return PowerOffAction.options.filter((action) => set[action] !== undefined);
}
