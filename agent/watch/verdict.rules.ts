import type { EvidenceKind } from "#contracts/power.ts";
import type { Neighbour } from "./neighbours.rules.ts";

/** One lost ping means nothing, three in a row do. */
const DOWN_AFTER_FAILURES = 3;
/** The first looks come soon; when all of them found nothing to look at, another one a second later will not either. */
const SOON_WHILE_BLIND = 3;
/** What stays off is looked at less and less often, down to a quarter as often as asked for, and at least every two minutes. */
const SLOWER_EACH_TIME = 1.5;
const SLOWEST_TIMES = 4;
const SLOWEST_MS = 120_000;
/** While a verdict is open, or in doubt, the next look comes sooner. */
const OPEN_RETRY_MS = 1_000;
const DOUBT_RETRY_MS = 3_000;
/** How often a device is looked at after it was sent a wake. */
export const AWAITED_EVERY_MS = 1_000;
/** Many devices are not all looked at in the same moment. */
const SPREAD_PER_DEVICE_MS = 20;

/** Where and how a device answered, and which MAC address the neighbour table has there. */
export interface Finding {
  readonly how: EvidenceKind;
  readonly address: string;
  readonly mac: string | null;
}

export interface Answer {
  readonly address: string;
  /** How the address answered our own probe; null when it did not. */
  readonly how: "icmp" | "tcp" | "mdns" | null;
}

/**
 * What an answer, or none, says about the device with this MAC address. Undefined when it is no evidence for it.
 *
 * Another MAC address there means that another machine answered: DHCP gave the address away. No entry at all does not
 * contradict: behind a router, or on loopback, there is none. An entry outlives a power-off, so by itself it is evidence
 * only while the system holds it confirmed: on Linux for 15 to 45 s after the machine last answered.
 */
export function findingFrom(
  device: { readonly mac: string; readonly arp: boolean },
  { address, how }: Answer,
  neighbours: readonly Neighbour[],
): Finding | undefined {
  const entries = neighbours.filter((entry) => entry.address === address.toLowerCase() && entry.mac !== null);
  const own = entries.find(({ mac }) => mac === device.mac);
  if (!own && entries.some(({ state }) => state !== "stale" && state !== "unanswered")) return undefined;
  if (how !== null) return { how, address, mac: own?.mac ?? null };
  if (device.arp && own?.state === "confirmed") return { how: "arp", address, mac: own.mac };
  return undefined;
}

/** The MAC address of another machine that answers at this address, where there is one. */
export function otherMachineAt(
  device: { readonly mac: string },
  { address, how }: Answer,
  neighbours: readonly Neighbour[],
): string | null {
  const entries = neighbours.filter((entry) => entry.address === address.toLowerCase() && entry.mac !== null);
  if (entries.some(({ mac }) => mac === device.mac)) return null;
  const other = entries.find(({ state }) => state === "confirmed" || (how !== null && state !== "stale"));
  return other?.mac ?? null;
}

/** What an agent holds to be true of a device: `unknown` until it was seen, or missed often enough. */
export interface Verdict {
  readonly state: "unknown" | "up" | "down";
  /** Looks in a row that found nothing. */
  readonly failures: number;
  /** Looks in a row that had nothing to look at, while there was no verdict. */
  readonly blindLooks: number;
  /** Looks in a row that changed nothing about its being off, or nowhere. */
  readonly quietLooks: number;
}

export const UNKNOWN: Verdict = { state: "unknown", failures: 0, blindLooks: 0, quietLooks: 0 };

/**
 * What a look came to. `blind`: there was nothing to look at (no address, no answer to its name, no neighbour entry) or
 * nothing to look with.
 */
export type Outcome = "seen" | "unseen" | "blind";

/**
 * Up at the first evidence; down only after three looks in a row without any.
 *
 * A device that was seen and can no longer be found is missed; one that was never found is simply unknown.
 */
export function nextVerdict(verdict: Verdict, outcome: Outcome): Verdict {
  if (outcome === "seen") return { state: "up", failures: 0, blindLooks: 0, quietLooks: 0 };
  const isQuiet = verdict.state === "down" || verdict.blindLooks >= SOON_WHILE_BLIND;
  const quietLooks = isQuiet ? verdict.quietLooks + 1 : 0;
  if (outcome === "blind" && verdict.state !== "up")
    return { ...verdict, blindLooks: Math.min(verdict.blindLooks + 1, SOON_WHILE_BLIND), quietLooks };
  const failures = Math.min(verdict.failures + 1, DOWN_AFTER_FAILURES);
  return { state: failures >= DOWN_AFTER_FAILURES ? "down" : verdict.state, failures, blindLooks: 0, quietLooks };
}

/** @param chance a random number from 0 to below 1, which keeps devices from being looked at in step. */
export function nextLookInMs(verdict: Verdict, intervalMs: number, isAwaited: boolean, chance: number): number {
  if (isAwaited) return AWAITED_EVERY_MS;
  if (verdict.state === "unknown" && verdict.blindLooks < SOON_WHILE_BLIND) return Math.min(intervalMs, OPEN_RETRY_MS);
  if (verdict.state === "up" && verdict.failures > 0) return Math.min(intervalMs, DOUBT_RETRY_MS);
  const slower = Math.min(SLOWER_EACH_TIME ** Math.min(verdict.quietLooks, 10), SLOWEST_TIMES);
  const pauseMs = Math.max(intervalMs, Math.min(intervalMs * slower, SLOWEST_MS));
  return pauseMs * (0.9 + 0.2 * chance);
}

/** The first looks at a list of devices are spread over a while that grows with their number. */
export function firstLookInMs(devices: number, intervalMs: number, chance: number): number {
  return chance * Math.min(intervalMs, devices * SPREAD_PER_DEVICE_MS);
}
