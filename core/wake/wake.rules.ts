import { DEFAULT_WAKE_WINDOW_SECONDS } from "#contracts/limits.ts";
import type { PowerState } from "#contracts/power.ts";
import type { ErrorCode } from "../kernel/errors.ts";

export interface WakePlanInput {
  readonly enabled: boolean;
  readonly power: PowerState;
  readonly force: boolean;
  /** The agents that serve this device. */
  readonly agents: readonly { readonly online: boolean }[];
}

export type WakePlan =
  | { readonly type: "send" }
  | { readonly type: "already-on" }
  /** The request itself is wrong: no wake is made. */
  | { readonly type: "refuse"; readonly code: ErrorCode; readonly reason: string }
  /** A wake that is over before it began, worth remembering: somebody meant it, and it did not happen. */
  | { readonly type: "fail"; readonly code: ErrorCode; readonly reason: string };

/** What a wake request for one device leads to. */
export function planWake({ enabled, power, force, agents }: WakePlanInput): WakePlan {
  if (!enabled) return { type: "refuse", code: "DEVICE_DISABLED", reason: "This device is disabled" };
  if (power === "on" && !force) return { type: "already-on" };
  if (agents.length === 0)
    return { type: "fail", code: "NO_AGENT", reason: "No agent is linked to this device or in its cluster" };
  if (!agents.some((agent) => agent.online))
    return { type: "fail", code: "ALL_OFFLINE", reason: "Every agent that could wake this device is offline" };
  return { type: "send" };
}

/** Pauses between the bursts of one wake. After the last one the hub only waits. */
const PAUSES_MS = [2_000, 5_000, 10_000, 20_000, 40_000] as const;

/** How long to wait after this many bursts before the next; undefined = no further burst. */
export function pauseAfterBurst(bursts: number): number | undefined {
  return PAUSES_MS[bursts - 1];
}

export function windowMsOf(windowSeconds: number | null): number {
  return (windowSeconds ?? DEFAULT_WAKE_WINDOW_SECONDS) * 1_000;
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

/** The end of a window without a sighting: `no-answer` when a magic packet left, else `failed` with why. */
export function endOfWindow(
  parts: readonly AgentPart[],
): { stage: "no-answer" } | { stage: "failed"; code: ErrorCode; reason: string } {
  if (parts.some(({ stage }) => stage === "sent")) return { stage: "no-answer" };
  if (parts.some(({ stage }) => stage === "asked")) {
    return { stage: "failed", code: "NO_RECEIPT", reason: "No agent said that it sent a magic packet" };
  }
  return { stage: "failed", code: "SEND_FAILED", reason: "No agent could send a magic packet" };
}
