import type { Evidence } from "#contracts/power.ts";
import type { LearnedWay } from "./wake-recipe.entity.ts";

/** What is learned of waking one device, without I/O. Durations in seconds, instants of the monotonic clock in milliseconds. */

/** So many of the last wakes tell how long a device takes. */
const MAX_DURATIONS = 20;
/** So many ways are remembered of a device. */
export const MAX_WAYS = 8;
/** So many ways of one wake are looked at. */
export const MAX_SENT_WAYS = 256;
/** A way that has worked more often than this needs no further proof; one that stops working is then soon overtaken. */
const MAX_SUCCESSES = 20;

/** One way that an agent has sent a magic packet in a wake, with the first time that it did. */
export interface SentWay {
  readonly agentId: string;
  readonly agentKey: string;
  readonly interface: string | null;
  readonly address: string;
  readonly port: number;
  readonly atMs: number;
}

export function addDuration(durations: readonly number[], seconds: number): number[] {
  return [...durations, seconds].slice(-MAX_DURATIONS);
}

/** The least duration that this share of the wakes did not exceed; null where there were none. */
export function durationOf(durations: readonly number[], share: number): number | null {
  return durations.toSorted((a, b) => a - b)[Math.ceil(durations.length * share) - 1] ?? null;
}

/**
 * The ways that may have woken a device, of those that were sent before it was seen.
 *
 * - A machine takes its time: what was sent less than half its typical time before it was seen came too late to be the cause,
 *   unless nothing was sent earlier.
 * - An agent that has the machine in its neighbour table is on its segment: then its ways alone count, where it sent.
 */
export function creditedWays(
  sent: readonly SentWay[],
  { evidence, seenMs, typicalSeconds }: { evidence: Evidence; seenMs: number; typicalSeconds: number | null },
): SentWay[] {
  const before = sent.filter(({ atMs }) => atMs <= seenMs);
  const latestMs = seenMs - ((typicalSeconds ?? 0) * 1_000) / 2;
  const inTime = before.filter(({ atMs }) => atMs <= latestMs);
  const firstMs = Math.min(...before.map(({ atMs }) => atMs));
  const able = inTime.length > 0 ? inTime : before.filter(({ atMs }) => atMs === firstMs);
  const ofWitness = evidence.how === "arp" ? able.filter(({ agentKey }) => agentKey === evidence.by) : [];
  return ofWitness.length > 0 ? ofWitness : able;
}

/**
 * The ways of a device after one more wake that ended well, best first.
 *
 * Those credited gain; those that were sent and are not credited lose half of what they had; those not tried stay as they are.
 *
 * @param at ISO 8601, UTC.
 */
export function learnWays(
  known: readonly LearnedWay[],
  sent: readonly SentWay[],
  credited: readonly SentWay[],
  at: string,
): LearnedWay[] {
  const tried = new Set(sent.map(nameOf));
  const worked = new Map(credited.map((way) => [nameOf(way), way]));
  const kept = known.flatMap((way): LearnedWay[] => {
    const name = nameOf(way);
    if (worked.delete(name)) return [{ ...way, successes: Math.min(MAX_SUCCESSES, way.successes + 1), lastAt: at }];
    const successes = tried.has(name) ? Math.floor(way.successes / 2) : way.successes;
    return successes > 0 ? [{ ...way, successes }] : [];
  });
  const fresh = [...worked.values()].map((way): LearnedWay => ({
    agentId: way.agentId,
    interface: way.interface,
    address: way.address,
    port: way.port,
    successes: 1,
    lastAt: at,
  }));
  return [...kept, ...fresh]
    .sort((a, b) => b.successes - a.successes || (a.lastAt < b.lastAt ? 1 : a.lastAt > b.lastAt ? -1 : 0))
    .slice(0, MAX_WAYS);
}

function nameOf(way: Pick<LearnedWay, "agentId" | "interface" | "address" | "port">): string {
  return JSON.stringify([way.agentId, way.interface, way.address, way.port]);
}
