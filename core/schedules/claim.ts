import { randomUUID } from "node:crypto";
import type { EntityManager } from "@mikro-orm/postgresql";
import type { ScheduleRun as Run } from "#contracts/api/schedules.ts";
import { MAX_COUNTED, planDue } from "./firing.rules.ts";
import { missedText } from "./outcome.rules.ts";
import { Schedule, ScheduleRun } from "./schedule.entity.ts";
import { type KnownSchedule, knownOf } from "./schedules.ts";

/** What a hub got hold of: it alone writes these rows, and carries the run out. */
export interface Claim {
  /** Null when the schedule is gone. */
  readonly schedule: KnownSchedule | null;
  /** Rows of what was skipped. */
  readonly skipped: readonly Run[];
  /** The row of what is to be carried out now. */
  readonly run: (Run & { readonly isLate: boolean }) | null;
}

/** Of a run that is being carried out. */
export const UNDER_WAY = "UNDER_WAY";

// whoever comes second finds the row, so nothing fires twice
const INSERT = `insert into schedule_run (id, site_id, schedule_id, due_at, at, outcome, because, code, devices)
  values (?, ?, ?, ?, ?, ?, ?, ?, '[]'::jsonb) on conflict on constraint schedule_run_once do nothing returning id`;

/**
 * Settles what is due of a schedule, by its row as it is now: one hub at a time, by a lock of the database.
 *
 * @param em of the hub itself, in a transaction.
 */
export async function claimDue(em: EntityManager, id: string, known: Run | null, now: Date): Promise<Claim> {
  await em.execute("select pg_advisory_xact_lock(hashtextextended(?, 0))", [`schedule ${id}`]);
  const row = await em.findOne(Schedule, { id }, { filters: { site: false }, refresh: true });
  if (!row) return { schedule: null, skipped: [], run: null };
  const before = knownOf(row, known);
  const { run: due, missed } = planDue(before, now);
  const skipped: Run[] = [];
  let run: Claim["run"] = null;
  if (missed) {
    const text = missedText(missed, MAX_COUNTED);
    const written = await insert(
      em,
      row,
      { dueAt: missed.last, outcome: "skipped", because: text, code: "MISSED" },
      now,
    );
    if (written) skipped.push(written);
  }
  const isLeftOut = row.skipNext && !missed; // the first of those that were missed was the one to leave out
  if (due && isLeftOut) {
    const because = "Its next firing was to be left out";
    const written = await insert(em, row, { dueAt: due.at, outcome: "skipped", because, code: "SKIP_NEXT" }, now);
    if (written) skipped.push(written);
  } else if (due) {
    const because = "It is being carried out";
    const written = await insert(em, row, { dueAt: due.at, outcome: "ran", because, code: UNDER_WAY }, now);
    run = written && { ...written, isLate: due.isLate };
  }
  const last = due?.at ?? missed?.last;
  if (last) {
    row.settledUntil = last;
    row.skipNext = false;
    await em.flush();
  }
  return { schedule: knownOf(row, run ?? skipped.at(-1) ?? known), skipped, run };
}

async function insert(
  em: EntityManager,
  { id, site }: Schedule,
  { dueAt, outcome, because, code }: Pick<Run, "outcome" | "because" | "code"> & { dueAt: Date },
  at: Date,
): Promise<Run | null> {
  const run = {
    id: randomUUID(),
    dueAt: dueAt.toISOString(),
    at: at.toISOString(),
    outcome,
    because,
    code,
    devices: [],
  };
  const values = [run.id, site.id, id, run.dueAt, run.at, outcome, because, code];
  const written: unknown[] = await em.execute(INSERT, values);
  return written.length > 0 ? run : null;
}

/** Runs that a hub which stopped had begun, and nobody is at any more. Minutes. */
const ABANDONED_MINUTES = 10;

/** @param em of the hub itself. */
export async function endAbandonedRuns(em: EntityManager, now: Date): Promise<void> {
  const before = new Date(now.getTime() - ABANDONED_MINUTES * 60_000);
  const because = "The hub stopped while it was being carried out";
  await em.nativeUpdate(
    ScheduleRun,
    { code: UNDER_WAY, at: { $lt: before } },
    { code: "HUB_RESTARTED", because },
    { filters: { site: false } },
  );
}
