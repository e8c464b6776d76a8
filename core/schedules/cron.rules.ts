import { Cron } from "croner";
import { type WallKind, instantOf, wallOf } from "./wall-clock.rules.ts";

/** One instant at which a schedule is due, before its jitter. */
export interface Due {
  readonly at: Date;
  /** What is special about it, for the explanation. */
  readonly note: string | null;
}

const NOTES: Readonly<Record<WallKind, string | null>> = {
  plain: null,
  gap: "the clocks leave this time out, so at the end of the gap",
  twice: "this time comes twice, so at its first",
};

/** As the parser counts them. */
const FIELDS = ["second", "minute", "hour", "day", "month", "weekday", "year"];

/** So many minutes are left out or come twice at most: a day and an hour. */
const MAX_REPEATED = 1_500;

/**
 * Why this is no cron expression of a schedule, as the end of a sentence; null when it is one.
 *
 * Five fields, or six with the seconds first. The seconds are one number, so that a schedule fires once a minute at most.
 */
export function problemOfCron(expression: string): string | null {
  const fields = expression.trim().split(/\s+/);
  if (fields.length !== 5 && fields.length !== 6)
    return "needs five fields (minute, hour, day, month, weekday), or six with the seconds first";
  if (expression.includes("?")) return "holds a ?, which means now; write * for any";
  if (fields.length === 6 && !/^\d+$/.test(fields[0] ?? "")) return "fires more than once a minute";
  try {
    return parsed(expression, "UTC").nextRun(new Date(0)) === null ? "names a day that never comes" : null;
  } catch (error) {
    return `is not understood: ${inWords((error as Error).message)}`;
  }
}

/** What the parser says, in a sentence's end; where it counts the fields we name them. */
function inWords(problem: string): string {
  const [, field, text] = /entry (\d) \((.*)\) contains illegal/.exec(problem) ?? [];
  if (field !== undefined) return `"${text}" is no ${FIELDS[Number(field)]}`;
  const said = problem.replace(/^CronPattern: (Syntax error, )?/, "").replace(/\.$/, "");
  return said.charAt(0).toLowerCase() + said.slice(1);
}

/**
 * When a cron expression is due, from an instant on, without it.
 *
 * Where hours are named, each time on the wall counts once a day: one that daylight saving leaves out at the end of the gap,
 * one that comes twice at its first. With `*` for the hour it goes by real hours: in those that come twice, twice.
 */
export function* cronDues(expression: string, timeZone: string, after: Date): Generator<Due> {
  if (isHourly(expression)) {
    const job = parsed(expression, timeZone);
    for (let at = job.nextRun(after); at; at = job.nextRun(at)) yield { at, note: null };
    return;
  }
  const wall = parsed(expression, "UTC");
  let last = after.getTime();
  let left = MAX_REPEATED;
  for (let next = wall.nextRun(new Date(wallOf(last, timeZone))); next && left > 0; next = wall.nextRun(next)) {
    const { instant, kind } = instantOf(next.getTime(), timeZone);
    left--;
    if (instant <= last) continue;
    last = instant;
    left = MAX_REPEATED;
    yield { at: new Date(instant), note: NOTES[kind] };
  }
}

function isHourly(expression: string): boolean {
  return expression.trim().split(/\s+/).at(-4) === "*";
}

function parsed(expression: string, timezone: string): Cron {
  return new Cron(expression, { timezone, paused: true, mode: "5-or-6-parts" });
}
