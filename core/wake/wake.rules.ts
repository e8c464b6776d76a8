import type { RefusalReason } from "#contracts/agent.ts";
import { DEFAULT_WAKE_WINDOW_SECONDS } from "#contracts/limits.ts";
import type { PowerState } from "#contracts/power.ts";
import type { ErrorCode } from "../kernel/errors.ts";
import type { GateRefusal } from "./wake-gate.ts";

export interface WakePlanInput {
  readonly enabled: boolean;
  readonly power: PowerState;
  readonly force: boolean;
  /** The agents that serve this device and run on other machines. */
  readonly agents: readonly { readonly online: boolean }[];
  /** Whether an agent on the device itself serves it, too. It is off whenever it is needed. */
  readonly servesItself?: boolean;
  /** Whether a power-off of the device is under way: then seeing it up says nothing. */
  readonly goingDown?: boolean;
}

export type WakePlan =
  | { readonly type: "send" }
  /** Packets would meet a machine that is still up: first it has to be down. */
  | { readonly type: "wait" }
  | { readonly type: "already-on" }
  /** The request itself is wrong: no wake is made. */
  | { readonly type: "refuse"; readonly code: ErrorCode; readonly reason: string }
  /** A wake that is over before it began, worth remembering: somebody meant it, and it did not happen. */
  | { readonly type: "fail"; readonly code: ErrorCode; readonly reason: string };

/** What a wake request for one device leads to. */
export function planWake({ enabled, power, force, agents, servesItself, goingDown }: WakePlanInput): WakePlan {
  if (!enabled) return { type: "refuse", code: "DEVICE_DISABLED", reason: "This device is disabled" };
  if (power === "on" && !force && !goingDown) return { type: "already-on" };
  if (agents.length === 0)
    return { type: "fail", code: "NO_AGENT", reason: servesItself ? ONLY_ITS_OWN_AGENT : NO_AGENT_AT_ALL };
  if (!agents.some((agent) => agent.online))
    return { type: "fail", code: "ALL_OFFLINE", reason: "Every agent that could wake this device is offline" };
  return { type: goingDown ? "wait" : "send" };
}

/** The same, seen with what the device needs. Who is out of reach may come into it: its agent may run on just what it needs. */
export function planWithNeeds(plan: WakePlan, verdict: GateRefusal | "waits" | undefined): WakePlan {
  if (verdict === undefined || plan.type === "already-on" || plan.type === "refuse") return plan;
  if (verdict === "waits") return plan.type === "fail" && plan.code === "ALL_OFFLINE" ? { type: "send" } : plan;
  return { type: verdict.code === "FORBIDDEN" ? "refuse" : "fail", code: verdict.code, reason: verdict.reason };
}

const NO_AGENT_AT_ALL = "No agent is linked to this device or in its cluster";
const ONLY_ITS_OWN_AGENT =
  "The only agent for this device runs on the device itself, which cannot wake it; it needs one on another machine of its network";

/** A wake waits so long for a machine that is going down, and then sends all the same. Milliseconds. */
const LONGEST_WAY_DOWN_MS = 15 * 60_000;

/**
 * What becomes of a wake that waits for its machine to go down first.
 *
 * It is only up again when it was down: what is seen of it before is the end of the last run, and no success.
 */
export function afterPowerOff({
  goingDown,
  power,
  force,
  waitedMs,
}: {
  goingDown: boolean;
  power: PowerState;
  force: boolean;
  waitedMs: number;
}): "wait" | "send" | "already-on" {
  if (goingDown) return waitedMs < LONGEST_WAY_DOWN_MS ? "wait" : "send";
  return power === "on" && !force ? "already-on" : "send"; // it stayed up: the power-off was taken back or came to nothing
}

/** Pauses between the bursts of one wake; the last one stays, for long windows. */
const PAUSES_MS = [2_000, 5_000, 10_000, 20_000, 40_000] as const;
const LAST_PAUSE_MS = 40_000;

/** How long to wait after this many bursts before the next. */
export function pauseAfterBurst(bursts: number): number {
  return PAUSES_MS[bursts - 1] ?? LAST_PAUSE_MS;
}

/** An agent asks for the hub's time anew as soon as an order does not fit it; the answer takes moments. */
const CLOCK_PAUSE_MS = 1_000;
const CLOCK_DOUBTS: ReadonlySet<string | null> = new Set<RefusalReason>(["EXPIRED", "NOT_YET_VALID", "CLOCK_UNKNOWN"]);

/**
 * How soon a burst that no agent sent is sent again, where that is sooner than the pauses have it: when a clock was set, and
 * every agent refused the order for its time alone. Once in a row, so that an agent that never learns the time is not flooded.
 */
export function pauseAfterFailure(
  answers: readonly { readonly outcome: string; readonly reason: string | null }[],
  failedBursts: number,
): number | undefined {
  const isForClock = answers.every(({ outcome, reason }) => outcome === "refused" && CLOCK_DOUBTS.has(reason));
  return isForClock && failedBursts === 1 ? CLOCK_PAUSE_MS : undefined;
}

/** No device is awaited longer than this unless it says so. Seconds. */
const LONGEST_LEARNED_WINDOW_SECONDS = 900;

/** How long a device is awaited: as it is set, else twice its slow time, and two minutes at least. */
export function windowMsOf(setSeconds: number | null, slowSeconds: number | null): number {
  const learned = Math.min(LONGEST_LEARNED_WINDOW_SECONDS, Math.ceil((slowSeconds ?? 0) * 2));
  return (setSeconds ?? Math.max(DEFAULT_WAKE_WINDOW_SECONDS, learned)) * 1_000;
}

/** What one agent has made of a wake so far. */
export interface AgentPart {
  readonly stage: "asked" | "sent" | "failed" | "refused";
}

/** A burst that nobody could send is tried once more before the wake is given up: an interface may just be coming up. */
const FAILED_BURSTS = 2;

/** Is a wake over because no agent can send? True when all that were asked said no, in each of the last bursts. */
export function isHopeless(parts: readonly AgentPart[], failedBursts: number): boolean {
  return failedBursts >= FAILED_BURSTS && parts.every(({ stage }) => stage === "failed" || stage === "refused");
}

/** The end of a window without a sighting: `no-answer` when a magic packet left, or was heard on the wire, else `failed` with why. */
export function endOfWindow(
  parts: readonly AgentPart[],
  wasHeard = false,
): { stage: "no-answer" } | { stage: "failed"; code: ErrorCode; reason: string } {
  if (wasHeard || parts.some(({ stage }) => stage === "sent")) return { stage: "no-answer" };
  if (parts.some(({ stage }) => stage === "asked")) {
    return { stage: "failed", code: "NO_RECEIPT", reason: "No agent said that it sent a magic packet" };
  }
  return { stage: "failed", code: "SEND_FAILED", reason: "No agent could send a magic packet" };
}
