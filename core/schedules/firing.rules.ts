import { createHash } from "node:crypto";
import type { Firing, ScheduleWhen } from "#contracts/api/schedules.ts";
import { type Due, cronDues } from "./cron.rules.ts";
import { sunDues, sunText } from "./sun.rules.ts";
import { offsetText, wallOf } from "./wall-clock.rules.ts";

/** What decides when a schedule fires. */
export interface FiringRule {
  /** Whose jitter it is; null for one that is only looked at. */
  readonly id: string | null;
  readonly enabled: boolean;
  readonly when: ScheduleWhen;
  readonly jitterSeconds: number;
  readonly catchUpMinutes: number;
  readonly skipNext: boolean;
  /** Everything that was due until then ran, was skipped or lies before the schedule. */
  readonly settledUntil: Date;
}

/** A firing: when it is due, and when it fires after its jitter. */
export interface DueFiring extends Due {
  readonly firesAt: Date;
}

/** What is to be done with a schedule now. */
export interface DuePlan {
  /** The newest firing that is due, where it is not too late for it. */
  readonly run: (DueFiring & { readonly isLate: boolean }) | null;
  /** Those that were due before, or too long ago. */
  readonly missed: { readonly count: number; readonly first: Date; readonly last: Date } | null;
  /** When there is something to do again; null = never. */
  readonly nextAt: Date | null;
}

export const MAX_FIRINGS = 20;
/** More missed ones are not all counted. */
export const MAX_COUNTED = 1_000;
/** As late as this is on time: a hub that is busy was not away. Milliseconds. */
const PUNCTUAL_MS = 90_000;
/** A clock that is put back by less makes nothing due again. */
const CLOCK_STEP_MS = 2 * 60 * 60 * 1_000;

/** What is due of a schedule, before jitter, from an instant on, without it. */
export function duesAfter(when: ScheduleWhen, after: Date): Iterable<Due> {
  switch (when.type) {
    case "cron":
      return cronDues(when.cron, when.timeZone, after);
    case "once":
      return new Date(when.at) > after ? [{ at: new Date(when.at), note: null }] : [];
    case "sun":
      return sunDues(when, after);
  }
}

/** The same with jitter: never so late that it would meet the next one, so they fire in their order. */
export function* firingsAfter({ id, when, jitterSeconds }: FiringRule, after: Date): Generator<DueFiring> {
  let held: Due | undefined;
  for (const due of duesAfter(when, after)) {
    if (held) yield { ...held, firesAt: jittered(id, held.at, jitterSeconds, due.at) };
    held = due;
  }
  if (held) yield { ...held, firesAt: jittered(id, held.at, jitterSeconds, null) };
}

/** The same schedule and firing have the same jitter, on every hub and after every start. */
function jittered(id: string | null, due: Date, jitterSeconds: number, next: Date | null): Date {
  if (id === null || jitterSeconds === 0) return due;
  const chance = createHash("sha256").update(`${id} ${due.toISOString()}`).digest().readUInt32BE(0);
  const room = next === null ? Number.POSITIVE_INFINITY : Math.max(0, (next.getTime() - due.getTime()) / 1_000 - 1);
  const seconds = Math.min(chance % (jitterSeconds + 1), Math.floor(room));
  return new Date(due.getTime() + seconds * 1_000);
}

/**
 * What is due now. Of firings that the hub was away for, the newest runs while it is not too late for it; the others are missed,
 * all in one.
 *
 * A clock that was far ahead and is put right has settled what is yet to come: that counts as not settled.
 */
export function planDue(rule: FiringRule, now: Date): DuePlan {
  if (!rule.enabled) return { run: null, missed: null, nextAt: null };
  const { past, nextAt } = pastFirings(rule, now);
  const newest = past.at(-1);
  if (!newest) return { run: null, missed: null, nextAt };
  const lateMs = now.getTime() - newest.firesAt.getTime();
  const isLate = lateMs > PUNCTUAL_MS;
  const runs = lateMs <= Math.max(PUNCTUAL_MS, rule.catchUpMinutes * 60_000);
  const missed = runs ? past.slice(0, -1) : past;
  const [first, last] = [missed.at(0), missed.at(-1)];
  return {
    run: runs ? { ...newest, isLate } : null,
    missed: first && last ? { count: missed.length, first: first.at, last: last.at } : null,
    nextAt,
  };
}

/** Firings up to now. Of a great many the last ones are those that it may not be too late for; nobody counts between. */
function pastFirings(rule: FiringRule, now: Date): { past: DueFiring[]; nextAt: Date | null } {
  const past: DueFiring[] = [];
  const window = windowStart(rule, now);
  let isCutShort = false;
  for (const firing of firingsAfter(rule, startOf(rule, now))) {
    if (firing.firesAt > now) return { past, nextAt: firing.firesAt };
    past.push(firing);
    isCutShort = past.length >= MAX_COUNTED && firing.at < window;
    if (isCutShort) break;
  }
  for (const firing of isCutShort ? firingsAfter(rule, window) : []) {
    if (firing.firesAt > now) return { past, nextAt: firing.firesAt };
    past.push(firing);
  }
  return { past, nextAt: null };
}

/** The firings to come, explained. Those of a disabled schedule are shown as skipped. */
export function firingsOf(rule: FiringRule, now: Date, limit = MAX_FIRINGS): Firing[] {
  const firings: Firing[] = [];
  for (const firing of firingsAfter(rule, startOf(rule, now))) {
    if (firing.firesAt <= now) continue;
    const isLeftOut = rule.skipNext && firings.length === 0;
    firings.push({
      at: firing.firesAt.toISOString(),
      local: localText(firing.firesAt, zoneOf(rule.when)),
      skipped: isLeftOut || !rule.enabled,
      explanation: explanationOf(rule, firing, isLeftOut),
    });
    if (firings.length >= limit) break;
  }
  return firings;
}

/** When it fires next; null when it will not any more, or is disabled. */
export function nextFiring(rule: FiringRule, now: Date): Date | null {
  if (!rule.enabled) return null;
  for (const { firesAt } of firingsAfter(rule, startOf(rule, now))) if (firesAt > now) return firesAt;
  return null;
}

/** From where on there may be something to do. */
function startOf(rule: FiringRule, now: Date): Date {
  const ahead = rule.settledUntil.getTime() - now.getTime();
  return ahead > CLOCK_STEP_MS ? now : rule.settledUntil;
}

function windowStart({ catchUpMinutes, jitterSeconds }: FiringRule, now: Date): Date {
  return new Date(now.getTime() - Math.max(PUNCTUAL_MS, catchUpMinutes * 60_000) - jitterSeconds * 1_000);
}

function zoneOf(when: ScheduleWhen): string {
  return when.type === "once" ? "UTC" : when.timeZone;
}

/** `Monday 30 March 2026, 07:00 in Athens (UTC+3); up to 90 s later, this time 42 s`. */
function explanationOf(
  { id, when, jitterSeconds, enabled }: FiringRule,
  firing: DueFiring,
  isLeftOut: boolean,
): string {
  const { at, firesAt, note } = firing;
  const zone = zoneOf(when);
  const clauses = [`${dayText(at, zone)}, ${placeText(at, zone)}`];
  if (when.type === "sun") clauses.push(sunText(when));
  if (note !== null) clauses.push(note);
  const seconds = Math.round((firesAt.getTime() - at.getTime()) / 1_000);
  if (jitterSeconds > 0) clauses.push(`up to ${jitterSeconds} s later${id === null ? "" : `, this time ${seconds} s`}`);
  if (isLeftOut) clauses.push("left out, as asked");
  if (!enabled) clauses.push("not while the schedule is disabled");
  return clauses.join("; ");
}

function dayText(at: Date, timeZone: string): string {
  const wall = wallOf(at.getTime(), timeZone);
  const text = (options: Intl.DateTimeFormatOptions) =>
    new Intl.DateTimeFormat("en-GB", { ...options, timeZone: "UTC" }).format(wall);
  return `${text({ weekday: "long" })} ${text({ day: "numeric", month: "long", year: "numeric" })}`;
}

function placeText(at: Date, timeZone: string): string {
  const clock = clockText(wallOf(at.getTime(), timeZone));
  if (timeZone === "UTC") return `${clock} UTC`;
  const city = timeZone.split("/").at(-1)?.replaceAll("_", " ") ?? timeZone;
  return `${clock} in ${city} (${offsetText(at.getTime(), timeZone)})`;
}

/** `2026-03-30 07:00 UTC+3`. */
function localText(at: Date, timeZone: string): string {
  const wall = wallOf(at.getTime(), timeZone);
  return `${new Date(wall).toISOString().slice(0, 10)} ${clockText(wall)} ${offsetText(at.getTime(), timeZone)}`;
}

function clockText(wall: number): string {
  const clock = new Date(wall).toISOString().slice(11, 19);
  return clock.endsWith(":00") ? clock.slice(0, 5) : clock;
}
