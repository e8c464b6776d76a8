import type { Evidence, PowerState } from "#contracts/power.ts";

/** What one agent last said of a device. */
export interface Verdict {
  readonly up: boolean;
  /** Null when it is not up. */
  readonly evidence: Evidence | null;
  readonly at: Date;
}

export interface PowerInput {
  readonly before: PowerState;
  /** The verdicts of the agents that watch this device and are connected, or were until a moment ago. */
  readonly verdicts: readonly Verdict[];
  /** Can anybody look now? */
  readonly watched: boolean;
  /** A wake of this device is under way. */
  readonly waking: boolean;
}

export interface PowerVerdict {
  readonly power: PowerState;
  readonly reachable: boolean | null;
  readonly evidence: Evidence | null;
}

/**
 * One power state out of what several agents saw.
 *
 * - Whoever sees it up is right: another agent may have no way to it.
 * - It is off only when everybody who looks agrees; agents themselves say so only after several probes in a row.
 * - A wake under way is never contradicted: until it is over the device is `waking` or, once seen, `on`.
 * - When nobody can look, a device whose state was known is `unreachable`, never made-up `off`.
 */
export function powerOf({ before, verdicts, watched, waking }: PowerInput): PowerVerdict {
  const seen = newest(verdicts.filter((verdict) => verdict.up));
  if (seen) return { power: "on", reachable: true, evidence: seen.evidence };
  const reachable = watched && verdicts.length > 0 ? false : null;
  if (waking) return { power: "waking", reachable, evidence: null };
  if (reachable === false) return { power: "off", reachable, evidence: null };
  if (!watched)
    return {
      power: before === "unknown" || before === "waking" ? "unknown" : "unreachable",
      reachable,
      evidence: null,
    };
  // somebody can look but has not said anything yet: what was known stands
  return { power: before === "waking" ? "unknown" : before, reachable, evidence: null };
}

function newest(verdicts: readonly Verdict[]): Verdict | undefined {
  let newest: Verdict | undefined;
  for (const verdict of verdicts) if (!newest || verdict.at > newest.at) newest = verdict;
  return newest;
}

/** A device is watched by so many agents at once; more would only repeat each other. */
const WATCHERS = 3;

/**
 * Which agents watch a device: its own agents, those online first, in an order that differs from device to device
 * but not from time to time, so that a large cluster spreads its devices over its agents.
 */
export function watchersOf(
  deviceId: string,
  agents: readonly { readonly id: string; readonly online: boolean }[],
): string[] {
  return agents
    .map(({ id, online }) => ({ id, online, weight: weightOf(`${deviceId}${id}`) }))
    .sort((a, b) => Number(b.online) - Number(a.online) || b.weight - a.weight)
    .slice(0, WATCHERS)
    .map(({ id }) => id);
}

/** FNV-1a: spreads well, and is the same on every machine. */
function weightOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}
