import type { Sighting } from "#contracts/agent.ts";
import type { Key } from "#contracts/key.ts";
import type { Evidence } from "#contracts/power.ts";

export interface Said {
  /** Null = it is not up. */
  readonly evidence: Evidence | null;
  /** The MAC address of another machine that answers where this one should be. */
  readonly takenBy: string | null;
}

/**
 * What an agent's sighting says of the device with this MAC address.
 *
 * Another MAC address where it answered means another machine, whatever the agent made of it. An agent whose clock is ahead
 * saw it now, and not in an hour.
 */
export function saidOf(sighting: Sighting, by: Key, mac: string, now: Date): Said {
  const { up, how, at } = sighting;
  const isOther = sighting.mac !== null && sighting.mac !== mac;
  const takenBy = sighting.takenBy ?? (isOther ? sighting.mac : null);
  if (!up || how === null || isOther) return { evidence: null, takenBy };
  const seenAt = Date.parse(at) > now.getTime() ? now.toISOString() : at;
  return { evidence: { by, how, at: seenAt }, takenBy };
}
