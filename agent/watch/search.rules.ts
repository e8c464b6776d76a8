import { isIPv4 } from "node:net";
import type { LocalAddress } from "../wake/networks.rules.ts";

/** Whoever waits for a machine that was woken asks again this often; for others once in a while is enough. Milliseconds. */
const AGAIN_MS = { urgent: 10_000, calm: 5 * 60_000 } as const;
/** More than these in one network would push what is known out of a small neighbour table. */
const PART_PREFIX = 24;

/** @param sinceMs since the last search; Infinity where there was none. */
export function isSearchDue(sinceMs: number, { urgent }: { readonly urgent: boolean }): boolean {
  return sinceMs >= (urgent ? AGAIN_MS.urgent : AGAIN_MS.calm);
}

/**
 * Where to look for a machine whose address is another one now: every address of the IPv4 networks that this machine is on.
 * Of a network larger than a /24 only that part where the machine was, or where this machine is itself.
 *
 * @param near where the machine was last; null = nobody knows.
 */
export function addressesToSearch(local: readonly LocalAddress[], near: string | null): string[] {
  const own = new Set(local.map(({ address }) => address));
  const parts = local
    .filter(({ family, internal, mac, prefix }) => family === 4 && !internal && mac !== null && prefix <= 30)
    .map(({ address, prefix }) => partOf(address, prefix, near));
  const all = parts.flatMap(({ first, last }) => Array.from({ length: last - first + 1 }, (_, n) => dotted(first + n)));
  return [...new Set(all)].filter((address) => !own.has(address));
}

function partOf(address: string, prefix: number, near: string | null): { first: number; last: number } {
  const here = numberOf(address);
  const there = near !== null && isIPv4(near) ? numberOf(near) : here;
  const bits = Math.max(prefix, PART_PREFIX);
  const middle = network(there, prefix) === network(here, prefix) ? there : here;
  const start = network(middle, bits);
  return { first: start + 1, last: start + 2 ** (32 - bits) - 2 };
}

function network(address: number, prefix: number): number {
  const size = 2 ** (32 - prefix);
  return Math.floor(address / size) * size;
}

function numberOf(address: string): number {
  return address.split(".").reduce((sum, octet) => sum * 256 + Number(octet), 0);
}

function dotted(address: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join(".");
}
