import type { Logger } from "pino";
import type { ScheduleRun as Run } from "#contracts/api/schedules.ts";
import type { Actor } from "#contracts/permissions.ts";
import { isDatabaseGone } from "../kernel/database-gone.ts";
import type { Database } from "../kernel/database.ts";
import type { Directory } from "../members/directory.ts";
import { type ActedPart, type ScheduleActions, actOn } from "./acting.ts";
import { type Claim, claimDue } from "./claim.ts";
import { planDue } from "./firing.rules.ts";
import { lateText, outcomeOf } from "./outcome.rules.ts";
import type { RunJournal } from "./run-journal.ts";
import { type KnownSchedule, type Schedules, refreshSchedules } from "./schedules.ts";

/** The clock of the wall is looked at so often, since it may jump. Milliseconds. */
const LOOK_MS = 30_000;
/** What did not work is tried again so much later. Milliseconds. */
const RETRY_MS = 5_000;
/** Another hub may change rows without anybody being told. Milliseconds. */
const REFRESH_MS = 60_000;
/** So many wakes and power-offs are followed to their end. */
const MAX_FOLLOWED = 20_000;

export interface ScheduleRunnerOptions {
  readonly database: Database;
  readonly schedules: Schedules;
  readonly directory: Directory;
  readonly journal: RunJournal;
  readonly actions: ScheduleActions;
  /** Whose rights count: null = those of the hub; undefined = nobody's any more. */
  readonly ownerOf: (schedule: KnownSchedule) => Actor | null | undefined;
  /** Told of each firing once, when it is decided what becomes of it. */
  readonly onRun: (schedule: KnownSchedule, run: Run) => void;
  /** The clock of the wall. */
  readonly now: () => Date;
  readonly log: Logger;
}

interface Followed {
  readonly scheduleId: string;
  run: Run;
  readonly late: string;
  readonly open: Map<string, string>;
}

/** Fires schedules: one timer to whatever is due next. Which of several hubs fires decides the database. */
export class ScheduleRunner {
  readonly #options: ScheduleRunnerOptions;
  /** When to look at each again. Milliseconds of the wall's clock. */
  readonly #lookAt = new Map<string, number>();
  readonly #followed = new Map<string, Followed>();
  #timer: NodeJS.Timeout | undefined;
  #refreshTimer: NodeJS.Timeout | undefined;
  #looking: Promise<void> | undefined;
  #isClosed = false;
  #lookedAt: number;

  constructor(options: ScheduleRunnerOptions) {
    this.#options = options;
    this.#lookedAt = options.now().getTime();
    options.schedules.onChange(({ before, after }) => {
      if (after) this.#plan(after);
      else if (before) this.#lookAt.delete(before.id);
      this.#arm();
    });
    options.actions.onOver((id, stage, reason) => this.#over(id, stage, reason));
  }

  start(): void {
    this.plan();
    this.#refreshTimer = setInterval(() => void this.#refresh(), REFRESH_MS);
    this.#arm();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    clearInterval(this.#refreshTimer);
    await this.#looking;
  }

  /** Finds out when to look at each schedule. */
  plan(): void {
    for (const schedule of this.#options.schedules) this.#plan(schedule);
  }

  /** Fires whatever is due. */
  async look(): Promise<void> {
    await (this.#looking ??= this.#fireDue().finally(() => {
      this.#looking = undefined;
      this.#arm();
    }));
  }

  #plan(schedule: KnownSchedule): void {
    const now = this.#options.now();
    const { run, missed, nextAt } = planDue(schedule, now);
    const at = run || missed ? now.getTime() : (nextAt?.getTime() ?? Number.POSITIVE_INFINITY);
    this.#lookAt.set(schedule.id, at);
  }

  #arm(): void {
    if (this.#isClosed || this.#looking || !this.#refreshTimer) return;
    clearTimeout(this.#timer);
    const next = this.#lookAt.values().reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
    const ms = Math.max(0, Math.min(next - this.#options.now().getTime(), LOOK_MS));
    this.#timer = setTimeout(() => void this.look(), ms);
  }

  async #fireDue(): Promise<void> {
    const { schedules, database, now } = this.#options;
    const before = this.#lookedAt;
    this.#lookedAt = now().getTime();
    // by a clock that was put back all is due at other times
    if (this.#lookedAt < before) this.plan();
    for (const [id, at] of this.#lookAt) {
      if (at > now().getTime() || this.#isClosed) continue;
      const schedule = schedules.byId(id);
      if (!schedule) this.#lookAt.delete(id);
      else if (database.isUp()) await this.#settle(schedule);
      else this.#lookAt.set(id, now().getTime() + RETRY_MS);
    }
  }

  async #settle(schedule: KnownSchedule): Promise<void> {
    const { database, schedules, now, log } = this.#options;
    const { id, key } = schedule;
    let claim: Claim;
    try {
      claim = await schedules.inTurn(async () => {
        const lastRun = schedules.byId(id)?.lastRun ?? null;
        const claimed = await database.fork().transactional((em) => claimDue(em, id, lastRun, now()));
        if (claimed.schedule) schedules.put(claimed.schedule);
        else schedules.remove(id);
        return claimed;
      });
    } catch (error) {
      this.#lookAt.set(id, now().getTime() + RETRY_MS);
      const what = isDatabaseGone(error) ? "the database is away" : "a schedule could not be fired";
      return log.warn({ err: error, schedule: key }, `${what}; it is tried again`);
    }
    this.#finish(claim);
  }

  #finish({ schedule, skipped, run }: Claim): void {
    const { onRun } = this.#options;
    if (!schedule) return;
    this.#plan(schedule);
    for (const row of skipped) onRun(schedule, row);
    if (run) this.#carryOut(schedule, run);
  }

  #carryOut(schedule: KnownSchedule, { isLate, ...row }: Run & { readonly isLate: boolean }): void {
    const { directory, actions, ownerOf, onRun } = this.#options;
    const parts = actOn(schedule, { directory, actions, owner: ownerOf(schedule) });
    const late = isLate ? lateText(new Date(row.dueAt), new Date(row.at)) : "";
    const run = this.#write(schedule.id, row, { action: schedule.action, parts, late });
    this.#follow({ scheduleId: schedule.id, run, late, open: openOf(parts) });
    onRun(schedule, run);
  }

  #write(
    scheduleId: string,
    row: Run,
    { action, parts, late }: { action: KnownSchedule["action"]; parts: readonly ActedPart[]; late: string },
  ): Run {
    const devices = parts.map(({ device, stage, code, reason }) => ({ device, stage, code, reason }));
    const { outcome, because, code } = outcomeOf(action, devices);
    const run = { ...row, outcome, code, because: late + because, devices };
    const { journal, schedules } = this.#options;
    journal.add(run);
    const schedule = schedules.byId(scheduleId);
    if (schedule && (schedule.lastRun?.dueAt ?? "") <= run.dueAt) schedules.put({ ...schedule, lastRun: run });
    return run;
  }

  #follow(followed: Followed): void {
    for (const id of followed.open.keys()) this.#followed.set(id, followed);
    while (this.#followed.size > MAX_FOLLOWED) {
      const [oldest] = this.#followed.keys();
      if (oldest === undefined) break;
      this.#followed.delete(oldest);
    }
  }

  /** A wake or power-off is over: the row of the run says how it ended. */
  #over(id: string, stage: string, reason: string | null): void {
    const followed = this.#followed.get(id);
    const device = followed?.open.get(id);
    if (!followed || device === undefined) return;
    this.#followed.delete(id);
    followed.open.delete(id);
    const { run, late, scheduleId } = followed;
    const parts = run.devices.map((part) => ({
      ...(part.device === device ? { ...part, stage, reason } : part),
      follow: null,
    }));
    followed.run = { ...run, devices: parts };
    if (followed.open.size > 0) return;
    const action = this.#options.schedules.byId(scheduleId)?.action ?? "wake";
    this.#write(scheduleId, followed.run, { action, parts, late });
  }

  async #refresh(): Promise<void> {
    const { database, schedules, log } = this.#options;
    if (!database.isUp()) return;
    try {
      await refreshSchedules(database.fork(), schedules);
    } catch (error) {
      log.warn({ err: error }, "schedules could not be read anew; the next minute tries again");
    }
  }
}

function openOf(parts: readonly ActedPart[]): Map<string, string> {
  return new Map(parts.flatMap(({ follow, device }) => (follow === null ? [] : [[follow, device] as const])));
}
