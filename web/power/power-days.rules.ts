import type { PowerPeriod } from "#contracts/api/power-history.ts";
import type { PowerState } from "#contracts/power.ts";

/** Part of a day in one power state. Milliseconds since 1970. */
export interface DayPart {
  readonly power: PowerState;
  readonly fromMs: number;
  readonly toMs: number;
}

/** A day from midnight to midnight where the reader is; one with a change of the clocks has 23 or 25 hours. */
export interface DayRow {
  readonly startMs: number;
  readonly endMs: number;
  readonly onSeconds: number;
  readonly parts: readonly DayPart[];
}

/** Midnight, so many days before the end of today. */
export function startOfDays(days: number, nowMs: number): number {
  const now = new Date(nowMs);
  return new Date(now.getFullYear(), now.getMonth(), now.getDate() - days + 1).getTime();
}

/**
 * The power states as parts of days, today first. Nothing is claimed of the time before the first state, nor of what comes.
 *
 * @param states oldest first; each lasts until the next.
 */
export function daysOf(states: readonly Pick<PowerPeriod, "at" | "power">[], days: number, nowMs: number): DayRow[] {
  const periods = states.map(({ at, power }, index) => ({
    power,
    fromMs: Date.parse(at),
    toMs: Math.min(nowMs, Date.parse(states[index + 1]?.at ?? new Date(nowMs).toISOString())),
  }));
  return Array.from({ length: days }, (_each, back) => {
    const [startMs, endMs] = [startOfDays(back + 1, nowMs), startOfDays(back, nowMs)];
    const parts = periods
      .map(({ power, fromMs, toMs }) => ({
        power,
        fromMs: Math.max(startMs, fromMs),
        toMs: Math.min(endMs, toMs),
      }))
      .filter(({ fromMs, toMs }) => toMs > fromMs);
    const onMs = parts.reduce((sum, { power, fromMs, toMs }) => (power === "on" ? sum + toMs - fromMs : sum), 0);
    return { startMs, endMs, onSeconds: onMs / 1_000, parts };
  });
}
