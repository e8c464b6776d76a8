const FIRST_PAUSE_MS = 500;
/** A broker that was gone for long has everybody back within ten seconds of its return. */
const LONGEST_PAUSE_MS = 8_000;
/** A broker that says no will say no again; asking each second would only fill its log. */
const REFUSED_PAUSE_MS = 5 * 60_000;
/** A connection that lived this long was good: the next attempt starts from the shortest pause. */
const GOOD_AFTER_MS = 5_000;
/** A broker that takes its clients from a file hears of a new one a moment later. */
const NEW_FOR_MS = 10 * 60_000;

/**
 * MQTT 3.1.1 §3.2.2.3: 4 bad user name or password, 5 not authorized. MQTT 5 §3.2.2.2: 0x86, 0x87, and 0x8A banned.
 * 0x8E, session taken over: another process uses this agent's credential, and coming back at once would throw it out in turn.
 */
const REFUSALS: ReadonlySet<number> = new Set([4, 5, 0x86, 0x87, 0x8a, 0x8e]);

/** Of those, what a broker says that does not know the client. */
const UNKNOWN_HERE: ReadonlySet<number> = new Set([4, 5, 0x86, 0x87]);

/** 4 stands for MQTT 3.1.1. */
export type ProtocolVersion = 4 | 5;

/** "Unacceptable protocol version": MQTT 3.1.1 §3.2.2.3, MQTT 5 §3.2.2.2. */
const VERSION_REFUSED: ReadonlySet<number> = new Set([1, 0x84]);

/** How a connection ended, or did not come about. */
export interface ConnectionEnd {
  /** The reason code of CONNACK or DISCONNECT, where the broker gave one. */
  readonly code: number | undefined;
  readonly reason: string;
  readonly livedMs: number;
}

export function isRefusal(end: ConnectionEnd): boolean {
  return end.code !== undefined && REFUSALS.has(end.code);
}

/** Which version to speak next: 5, unless the broker does not know it. */
export function versionAfter(version: ProtocolVersion, end: ConnectionEnd): ProtocolVersion {
  if (end.code === undefined || !VERSION_REFUSED.has(end.code)) return version;
  return version === 5 ? 4 : 5;
}

/** Whether a broker that does not know this agent may still hear of it: it joined a moment ago. */
export function isTooNew(end: ConnectionEnd, joinedAt: Date, now: Date): boolean {
  const ageMs = now.getTime() - joinedAt.getTime();
  return end.code !== undefined && UNKNOWN_HERE.has(end.code) && ageMs >= 0 && ageMs < NEW_FOR_MS;
}

/** How many attempts in a row came to nothing. */
export function failuresAfter(failures: number, end: ConnectionEnd): number {
  return end.livedMs >= GOOD_AFTER_MS ? 0 : failures + 1;
}

/**
 * How long to wait before the next attempt: any time up to a bound that doubles, so that the agents of a hub
 * that comes back do not all come at once ("full jitter").
 *
 * @param chance a random number from 0 to below 1.
 * @see M. Brooker, "Exponential Backoff and Jitter", AWS Architecture Blog, 2015
 */
export function pauseMs(failures: number, refusedForGood: boolean, chance: number): number {
  if (refusedForGood) return REFUSED_PAUSE_MS * (0.8 + 0.4 * chance);
  return chance * Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** failures);
}
