/** How often a device lately turned off by being missed, and came back by itself soon after. */
export interface Bounces {
  readonly count: number;
  readonly lastMs: number;
}

export const NO_BOUNCES: Bounces = { count: 0, lastMs: -Infinity };

/** Somebody who really switched it off and on again takes longer. */
const BACK_WITHIN_MS = 120_000;
/** One is forgiven for each half hour without another. */
const FORGIVEN_AFTER_MS = 30 * 60_000;
const HOLD_MS = [0, 10_000, 20_000, 40_000, 60_000] as const;

/** It is seen again, `missedMs` after it counted as off, and nobody had woken it. */
export function afterReturn(bounces: Bounces, missedMs: number, nowMs: number): Bounces {
  if (missedMs > BACK_WITHIN_MS) return bounces;
  return { count: Math.min(countNow(bounces, nowMs) + 1, HOLD_MS.length - 1), lastMs: nowMs };
}

/** For how long such a device has to be missed before it counts as off. Milliseconds. */
export function holdMs(bounces: Bounces, nowMs: number): number {
  return HOLD_MS[countNow(bounces, nowMs)] ?? 0;
}

function countNow({ count, lastMs }: Bounces, nowMs: number): number {
  if (count === 0) return 0;
  return Math.max(0, count - Math.floor((nowMs - lastMs) / FORGIVEN_AFTER_MS));
}
