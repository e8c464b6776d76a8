import type { ScheduleWhen } from "#contracts/api/schedules.ts";
import { getTimes } from "suncalc";
import type { Due } from "./cron.rules.ts";

type SunWhen = Extract<ScheduleWhen, { type: "sun" }>;

const DAY_MS = 24 * 60 * 60 * 1_000;
/** After so many days without the event there is none at all: near a pole the sun rises once a year. */
const MAX_DAYS_WITHOUT = 400;

/**
 * When the sun is at its place, each day from an instant on, without it. On days in polar night or polar day there is
 * nothing; the first one after those says so.
 */
export function* sunDues({ event, offsetMinutes, place }: SunWhen, after: Date): Generator<Due> {
  const { latitude, longitude } = place;
  const offsetMs = offsetMinutes * 60_000;
  // noon there, by the sun: so each step is one solar day, whatever the clocks show
  const noon = Date.UTC(2000, 0, 1, 12) - (longitude / 360) * DAY_MS;
  const first = Math.floor((after.getTime() - offsetMs - noon) / DAY_MS) - 1;
  let without = 0;
  let last = after.getTime();
  for (let day = first; without < MAX_DAYS_WITHOUT; day++) {
    const at = getTimes(new Date(noon + day * DAY_MS), latitude, longitude)[event];
    if (!at) without++;
    else if (at.getTime() + offsetMs > after.getTime()) {
      const rounded = Math.round((at.getTime() + offsetMs) / 1_000) * 1_000;
      const note = without > 0 ? `the first ${event} after ${days(without)} without one` : null;
      without = 0;
      if (rounded <= last) continue;
      last = rounded;
      yield { at: new Date(rounded), note };
    } else without = 0;
  }
}

/** `20 min before sunset`. */
export function sunText({ event, offsetMinutes }: SunWhen): string {
  if (offsetMinutes === 0) return event;
  return `${Math.abs(offsetMinutes)} min ${offsetMinutes < 0 ? "before" : "after"} ${event}`;
}

function days(count: number): string {
  return count === 1 ? "a day" : `${count} days`;
}
