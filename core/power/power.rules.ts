import { HEARTBEAT_INTERVAL_SECONDS } from "#contracts/limits.ts";
import type { Evidence, PowerState } from "#contracts/power.ts";

/**
 * How the hub makes one power state of a device out of what several saw and of what it was told to do.
 *
 * All spans are measured on the hub's own clock that only runs on; a wall clock that jumps, here or at an agent, moves nothing.
 */

/** Why a device is in its state, as the history tells it. */
export type Because =
  | "hub-start"
  | "seen"
  | "missed"
  | "own-agent"
  | "plug"
  | "wake"
  | "power-off"
  | "command-over"
  | "nobody-looks";

/** What one agent last said of a device. */
export interface Verdict {
  readonly up: boolean;
  /** Null when it is not up. */
  readonly evidence: Evidence | null;
  /** Since when it says so. */
  readonly sinceMs: number;
  /** When it last said so. */
  readonly atMs: number;
  /** Whether the MAC address was compared. Beyond a router, and on loopback, it cannot be. */
  readonly isByMac: boolean;
}

/**
 * The verdicts that count where another machine answers at the device's address, as somebody on its network saw.
 *
 * Who could not compare the MAC address saw that other machine up, which says nothing about the device.
 */
export function verdictsThatCount(verdicts: readonly Verdict[], isTaken: boolean): readonly Verdict[] {
  return isTaken ? verdicts.filter(({ up, isByMac }) => !up || isByMac) : verdicts;
}

/** The agent on the device's very machine: online, or gone a moment ago. */
export type OwnAgent =
  | { readonly state: "online"; readonly heardMs: number; readonly evidence: Evidence }
  | { readonly state: "leaving"; readonly leftMs: number };

/** What its plug says: `on` means that power flows, which alone does not prove that the machine runs. */
export interface Plug {
  readonly on: boolean;
  readonly evidence: Evidence;
  readonly sinceMs: number;
}

export interface PowerInput {
  /** The last state that was no command's. */
  readonly settled: Exclude<PowerState, "waking" | "stopping">;
  /** Was there ever evidence, one way or the other? */
  readonly known: boolean;
  /** The verdicts of the agents that watch this device and are connected, or were until a moment ago. */
  readonly verdicts: readonly Verdict[];
  /** Can any of them look now? */
  readonly watched: boolean;
  readonly own: OwnAgent | null;
  readonly plug: Plug | null;
  /** A command under way. */
  readonly command: "waking" | "stopping" | null;
  /** `told`: its own agent said that it goes down now. `went`: and so it did. */
  readonly goingDown: "told" | "went" | null;
  /** A device that was on counts as off only after it was missed for so long. */
  readonly holdMs: number;
  readonly nowMs: number;
}

export interface PowerVerdict {
  readonly power: PowerState;
  readonly reachable: boolean | null;
  /** Null when nobody sees it up. */
  readonly evidence: Evidence | null;
  readonly because: Because;
  /** Everybody who could look says that it is down, whatever it was told to do. */
  readonly isGone: boolean;
  /** When to ask again though nothing new came; null = never. Milliseconds. */
  readonly againInMs: number | null;
}

/**
 * An own agent whose machine sleeps is still `online` to the broker for 1.5 keep-alives (30 s); one that lives is heard each
 * heartbeat. While others contradict it, its word stands for one and a half heartbeats, so that a blocked ping never turns
 * a living machine off, and one that a broker forgot to take away does not keep a sleeping one on. Milliseconds.
 */
export const OWN_WORD_MS = HEARTBEAT_INTERVAL_SECONDS * 1_500;

/**
 * One power state out of all that is known.
 *
 * - The device's own agent beats all, while its word is fresh.
 * - Else whoever sees it up is right: another agent may have no way to it.
 * - It is off only when everybody who looks agrees; agents themselves say so only after several looks in a row, and a
 *   device that bounced before has to be missed for longer.
 * - A command under way is never contradicted: until it is over the device is `waking` (or, once seen, `on`), or `stopping`
 *   (or, once seen to be gone, `off`). A wake of a machine that is about to go down begins with its being gone.
 * - When nobody can look, a device whose state was known is `unreachable`, never made-up `off`.
 */
export function powerOf(input: PowerInput): PowerVerdict {
  const sight = sightOf(input);
  const { reachable, evidence, againInMs } = sight;
  const verdict = (power: PowerState, because: Because): PowerVerdict => ({
    power,
    reachable,
    evidence,
    because,
    isGone: sight.type === "down",
    againInMs,
  });
  const { command, goingDown } = input;
  if (command === "stopping")
    return sight.type === "down" ? verdict("off", "power-off") : verdict("stopping", "power-off");
  if (command === "waking" && (sight.type !== "up" || goingDown === "told")) return verdict("waking", "wake");
  switch (sight.type) {
    case "up":
      return verdict("on", sight.because);
    case "down":
      return offUnlessHeld(input, sight);
    case "held":
      return verdict(input.settled, "command-over");
    case "unseen":
      if (input.watched) return verdict(input.settled, "command-over");
      return verdict(input.known ? "unreachable" : "unknown", "nobody-looks");
  }
}

/** What is seen of a device, whatever it was told to do. `held`: its own agent left a moment ago, and nobody has looked since. */
interface Sight {
  readonly type: "up" | "down" | "held" | "unseen";
  readonly reachable: boolean | null;
  readonly evidence: Evidence | null;
  readonly because: Because;
  readonly againInMs: number | null;
}

const UNSEEN = { reachable: null, evidence: null, because: "nobody-looks", againInMs: null } as const;

function sightOf({ verdicts, watched, own, plug, goingDown, nowMs }: PowerInput): Sight {
  const [seen, missed] = [newest(verdicts, true), newest(verdicts, false)];
  const unplugged = plug?.on === false;
  if (own?.state === "online") {
    const isContradicted = !seen && (missed !== undefined || unplugged);
    const leftMs = own.heardMs + OWN_WORD_MS - nowMs;
    if (!isContradicted || leftMs > 0)
      return {
        type: "up",
        reachable: true,
        evidence: own.evidence,
        because: "own-agent",
        againInMs: isContradicted ? leftMs : null,
      };
  }
  if (seen) return { type: "up", reachable: true, evidence: seen.evidence, because: "seen", againInMs: null };
  if (plug?.on && !missed)
    return { type: "up", reachable: null, evidence: plug.evidence, because: "plug", againInMs: null };
  const isMissedSince = missed !== undefined && own?.state === "leaving" && missed.sinceMs > own.leftMs;
  const isAnybodyToLook = goingDown === null || (goingDown === "told" && watched);
  if (own?.state === "leaving" && isAnybodyToLook && !isMissedSince && !unplugged) return { ...UNSEEN, type: "held" };
  const down = { type: "down", reachable: false, evidence: null, againInMs: null } as const;
  if (missed) return { ...down, because: goingDown === null ? "missed" : "power-off" };
  if (unplugged) return { ...down, because: "plug" };
  const isGone = own?.state !== "online" && goingDown !== null && !watched;
  return isGone ? { ...down, reachable: null, because: "power-off" } : { ...UNSEEN, type: "unseen" };
}

function offUnlessHeld({ settled, holdMs, verdicts, plug, nowMs }: PowerInput, sight: Sight): PowerVerdict {
  const { reachable, because } = sight;
  const off: PowerVerdict = { power: "off", reachable, evidence: null, because, isGone: true, againInMs: null };
  if (settled !== "on" || !mayComeBack(because)) return off;
  const words = because === "plug" && plug ? [plug] : verdicts;
  const againInMs = Math.max(...words.map(({ sinceMs }) => sinceMs)) + holdMs - nowMs;
  return againInMs > 0 ? { ...off, power: "on", because: "seen", isGone: false, againInMs } : off;
}

/** Whether a device that counts as off for this may be back by itself in a moment. */
export function mayComeBack(because: Because): boolean {
  return because === "missed" || because === "plug";
}

function newest(verdicts: readonly Verdict[], up: boolean): Verdict | undefined {
  let newest: Verdict | undefined;
  for (const verdict of verdicts) if (verdict.up === up && (!newest || verdict.atMs > newest.atMs)) newest = verdict;
  return newest;
}
