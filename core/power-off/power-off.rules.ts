import { DEFAULT_OFF_GRACE_SECONDS, DEFAULT_WAKE_WINDOW_SECONDS } from "#contracts/limits.ts";
import type { PowerState } from "#contracts/power.ts";
import type { PowerOffAction } from "#contracts/power-action.ts";
import type { PowerOffWay } from "#contracts/power-off.ts";
import type { RefusalReason } from "#contracts/agent.ts";
import type { ErrorCode } from "../kernel/errors.ts";
import type { Ability } from "./power-ability.rules.ts";

export interface PowerOffPlanInput {
  readonly enabled: boolean;
  readonly power: PowerState;
  /** A wake of it is under way. */
  readonly isBeingWoken: boolean;
  readonly action: PowerOffAction;
  readonly force: boolean;
  readonly ability: Ability;
  /** Whether its network card answers a magic packet; null = unknown. */
  readonly armed: boolean | null;
  /** The agents that could wake it again; its own is none of them. */
  readonly wakers: readonly { readonly key: string; readonly online: boolean }[];
  /** The power-off of this device that is under way. */
  readonly running: { readonly action: PowerOffAction; readonly by: string } | null;
  /** What needs it, in a sentence. */
  readonly neededBy: string | null;
  /** Who holds it on. */
  readonly leases: { readonly count: number; readonly by: readonly string[] };
}

export type PowerOffPlan =
  | { readonly type: "run"; readonly way: PowerOffWay }
  /** What was asked for is under way already. */
  | { readonly type: "join" }
  | { readonly type: "already-off" }
  | { readonly type: "refuse"; readonly code: ErrorCode; readonly reason: string };

/** What a request to power one device off leads to. */
export function planPowerOff(input: PowerOffPlanInput): PowerOffPlan {
  const { enabled, power, isBeingWoken, action, force, ability, running } = input;
  if (!enabled) return refuse("DEVICE_DISABLED", "This device is disabled");
  if (running)
    return running.action === action
      ? { type: "join" }
      : refuse("CONFLICT", `${running.by} has asked for another power-off, ${running.action}, which is under way`);
  if (isBeingWoken && !force)
    return refuse("CONFLICT", "It is being woken at this moment; cancel the wake, or wait until it is up");
  if (power === "off") return { type: "already-off" };
  const found = ability.ways.find((one) => one.action === action);
  if (!found) return refuse("NOT_SUPPORTED", whyUnable(action, ability));
  if (!found.ready) return refuse("AGENT_OFFLINE", ability.why ?? "The agent on this machine is offline");
  const objection = force ? undefined : objectionTo(input, found.way);
  return objection ?? { type: "run", way: found.way };
}

/** What speaks against it, unless it is forced. */
function objectionTo(input: PowerOffPlanInput, way: PowerOffWay): PowerOffPlan | undefined {
  const { action, neededBy, leases } = input;
  if (neededBy !== null) return refuse("NEEDED_BY", neededBy);
  if (leases.count > 0) return refuse("LEASED", `It is held on by ${listOf(leases.by, leases.count)}`);
  const stranded = action === "reboot" ? null : whyStranded(input, way);
  return stranded === null ? undefined : refuse("STRANDED", stranded);
}

/**
 * Why nobody could wake it again; null where somebody can.
 *
 * The agent on the machine arms the network card before it goes down, and refuses where it cannot; so what was said of the
 * card earlier counts only where somebody else takes the machine down.
 */
function whyStranded({ armed, wakers }: PowerOffPlanInput, way: PowerOffWay): string | null {
  if (way !== "agent" && armed === false)
    return "Nobody could wake it again: its network card does not answer magic packets";
  if (wakers.some(({ online }) => online)) return null;
  return wakers.length === 0
    ? "Nobody could wake it again: no agent other than its own is linked to it or in its cluster"
    : `Nobody could wake it again: ${listOf(
        wakers.map(({ key }) => key),
        wakers.length,
      )} ${wakers.length === 1 ? "is" : "are"} offline`;
}

function whyUnable(action: PowerOffAction, { ways, why }: Ability): string {
  if (ways.length === 0) return why ?? "Nobody can take it down";
  const others = ways.map((one) => one.action).join(", ");
  return `Nobody can do "${action}" on this machine, only ${others}`;
}

const MAX_NAMED = 3;

/** `ann, ben and 2 more`. */
function listOf(names: readonly string[], count: number): string {
  const shown = names.slice(0, MAX_NAMED).join(", ");
  if (shown === "") return String(count);
  return count > MAX_NAMED ? `${shown} and ${count - MAX_NAMED} more` : shown;
}

function refuse(code: ErrorCode, reason: string): PowerOffPlan {
  return { type: "refuse", code, reason };
}

/** An agent that has said nothing after so long will not. Milliseconds. */
export const RECEIPT_MS = 10_000;
/** An order whose receipt does not come is published again after so long, as it was. Milliseconds. */
export const REPUBLISH_MS = 3_000;
/** After its countdown an agent has so long to begin. Milliseconds. */
export const AFTER_COUNTDOWN_MS = 15_000;
/** Another way than an agent has so long to be done. Milliseconds. */
export const METHOD_MS = 60_000;

export function graceMs(graceSeconds: number | null): number {
  return (graceSeconds ?? DEFAULT_OFF_GRACE_SECONDS) * 1_000;
}

/** How long a machine that reboots may take to come back once it was seen off. */
export function returnMs(windowSeconds: number | null): number {
  return (windowSeconds ?? DEFAULT_WAKE_WINDOW_SECONDS) * 1_000;
}

/** How a power-off ends whose grace time is over without a sign that it went down. */
export function endOfGrace(
  power: PowerState,
  reachable: boolean | null,
): { stage: "off" } | { stage: "still-on" } | { stage: "failed"; code: ErrorCode; reason: string } {
  if (power === "off") return { stage: "off" };
  if (reachable) return { stage: "still-on" };
  return { stage: "failed", code: "NOT_SEEN", reason: "Nobody could see whether it went down" };
}

/** An agent that did not know how old its order was asks for the time at once; after so long it gets a fresh one. Milliseconds. */
export const ANEW_MS = 2_000;

/** Whether an agent may obey a fresh order although it refused one: it was suspended, or a clock was set. */
export function doubtsTime(code: RefusalReason | null): boolean {
  return code === "CLOCK_UNKNOWN" || code === "NOT_YET_VALID" || code === "EXPIRED";
}

/** What the reasons of agents mean to whoever asked; null: the order came twice, and the first receipt said what was done. */
export function refusalOf(
  code: RefusalReason | null,
  reason: string | null,
): { code: ErrorCode; reason: string } | null {
  switch (code) {
    case "REPEATED":
      return null;
    case "INHIBITED":
      return { code: "INHIBITED", reason: reason ?? "Something on the machine keeps it from going down" };
    case "NOT_ARMED":
      return { code: "STRANDED", reason: reason ?? "Its network card would not answer a magic packet" };
    case "NOT_ABLE":
      return { code: "NOT_SUPPORTED", reason: reason ?? "The machine says that it cannot do this" };
    case "BUSY":
      return { code: "CONFLICT", reason: reason ?? "The machine is about to go down in another way" };
    case "WRONG_MACHINE":
    case "BAD_SIGNATURE":
    case "UNKNOWN_ORDER":
    case "WRONG_AUDIENCE":
    case "EXPIRED":
    case "NOT_YET_VALID":
    case "CLOCK_UNKNOWN":
    case "SUPERSEDED":
    case null:
      return { code: "AGENT_REFUSED", reason: `Its agent refused: ${reason ?? code ?? "it did not say why"}` };
  }
}
