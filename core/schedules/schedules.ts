import { isDeepStrictEqual } from "node:util";
import type { EntityManager } from "@mikro-orm/postgresql";
import type { ScheduleRun as Run, ScheduleAnswer, ScheduleWhen } from "#contracts/api/schedules.ts";
import { Turns } from "../kernel/turns.ts";
import { nextFiring } from "./firing.rules.ts";
import { Schedule, type ScheduleRun } from "./schedule.entity.ts";

/** A schedule as the hub holds it in memory. */
export interface KnownSchedule {
  readonly id: string;
  readonly siteId: string;
  readonly key: string;
  readonly name: string;
  readonly description: string | null;
  readonly enabled: boolean;
  readonly action: ScheduleAnswer["action"];
  readonly deviceIds: readonly string[];
  readonly clusterIds: readonly string[];
  readonly when: ScheduleWhen;
  readonly jitterSeconds: number;
  readonly catchUpMinutes: number;
  readonly force: boolean;
  readonly skipNext: boolean;
  readonly showInHomeAssistant: boolean;
  readonly settledUntil: Date;
  readonly ownerId: string | null;
  readonly lastRun: Run | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export interface ScheduleChanged {
  readonly before: KnownSchedule | undefined;
  readonly after: KnownSchedule | undefined;
}

/** All schedules in memory, brought up to date after each commit, so that what is due is known without the database. */
export class Schedules {
  readonly #byId = new Map<string, KnownSchedule>();
  readonly #byKey = new Map<string, KnownSchedule>();
  readonly #listeners: ((change: ScheduleChanged) => void)[] = [];
  readonly #turns = new Turns();

  [Symbol.iterator](): IterableIterator<KnownSchedule> {
    return this.#byId.values();
  }

  byId(id: string): KnownSchedule | undefined {
    return this.#byId.get(id);
  }

  byKey(key: string): KnownSchedule | undefined {
    return this.#byKey.get(key);
  }

  countOf(siteId: string): number {
    return [...this.#byId.values()].filter((schedule) => schedule.siteId === siteId).length;
  }

  /** Runs changes one after the other, so that what was written last is what stays. */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    return this.#turns.take(work);
  }

  onChange(listener: (change: ScheduleChanged) => void): void {
    this.#listeners.push(listener);
  }

  put(after: KnownSchedule): void {
    const before = this.#byId.get(after.id);
    if (isDeepStrictEqual(before, after)) return;
    this.#byId.set(after.id, after);
    this.#byKey.set(after.key, after);
    this.#tell({ before, after });
  }

  remove(id: string): void {
    const before = this.#byId.get(id);
    if (!before) return;
    this.#byId.delete(id);
    this.#byKey.delete(before.key);
    this.#tell({ before, after: undefined });
  }

  /** An account is gone: what it owned in the heir's site is the heir's; the rest is nobody's, and disabled. */
  forgetUser(userId: string, heir: { readonly id: string; readonly siteId: string } | null): void {
    for (const schedule of [...this.#byId.values()].filter(({ ownerId }) => ownerId === userId)) {
      const isInherited = heir !== null && heir.siteId === schedule.siteId;
      this.put({ ...schedule, ...(isInherited ? { ownerId: heir.id } : { ownerId: null, enabled: false }) });
    }
  }

  #tell(change: ScheduleChanged): void {
    for (const listener of this.#listeners) listener(change);
  }
}

/** Reads the schedules of all sites once, at the start. */
export async function loadSchedules(em: EntityManager): Promise<Schedules> {
  const schedules = new Schedules();
  for (const schedule of await readSchedules(em)) schedules.put(schedule);
  return schedules;
}

/** Brings them in line with the rows: another hub, or a change that nobody could tell of, may have touched them. */
export async function refreshSchedules(em: EntityManager, schedules: Schedules): Promise<void> {
  await schedules.inTurn(async () => {
    const fresh = await readSchedules(em);
    const ids = new Set(fresh.map(({ id }) => id));
    for (const { id } of schedules) if (!ids.has(id)) schedules.remove(id);
    for (const schedule of fresh) schedules.put(schedule);
  });
}

const LAST_RUNS = `select distinct on (schedule_id) id, schedule_id, due_at, at, outcome, because, code, devices
  from schedule_run order by schedule_id, due_at desc`;

async function readSchedules(em: EntityManager): Promise<KnownSchedule[]> {
  const rows = await em.find(Schedule, {}, { filters: { site: false }, disableIdentityMap: true });
  if (rows.length === 0) return [];
  const runs = await em.getConnection().execute<RunRow[]>(LAST_RUNS);
  const lastRuns = new Map(runs.map((run) => [run.schedule_id, runOfRow(run)]));
  return rows.map((row) => knownOf(row, lastRuns.get(row.id) ?? null));
}

interface RunRow {
  readonly id: string;
  readonly schedule_id: string;
  readonly due_at: Date | string;
  readonly at: Date | string;
  readonly outcome: Run["outcome"];
  readonly because: string;
  readonly code: string | null;
  readonly devices: Run["devices"];
}

function runOfRow({ id, due_at, at, outcome, because, code, devices }: RunRow): Run {
  const instant = (value: Date | string) => new Date(value).toISOString();
  return { id, dueAt: instant(due_at), at: instant(at), outcome, because, code, devices };
}

export function knownOf(row: Schedule, lastRun: Run | null): KnownSchedule {
  const { id, key, name, enabled, action, deviceIds, clusterIds, when, jitterSeconds, catchUpMinutes } = row;
  const { force, skipNext, showInHomeAssistant, settledUntil, createdAt, updatedAt } = row;
  return {
    id,
    siteId: row.site.id,
    key,
    name,
    description: row.description ?? null,
    enabled,
    action,
    deviceIds: [...deviceIds],
    clusterIds: [...clusterIds],
    when,
    jitterSeconds,
    catchUpMinutes,
    force,
    skipNext,
    showInHomeAssistant,
    settledUntil,
    ownerId: row.owner?.id ?? null,
    lastRun,
    createdAt,
    updatedAt,
  };
}

export function runAnswer(row: ScheduleRun): Run {
  const { id, dueAt, at, outcome, because, devices } = row;
  const code = row.code ?? null;
  return { id, dueAt: dueAt.toISOString(), at: at.toISOString(), outcome, because, code, devices };
}

export function scheduleAnswer(schedule: KnownSchedule, now: Date): ScheduleAnswer {
  const { siteId: _, settledUntil: __, deviceIds, clusterIds, createdAt, updatedAt, key, ...rest } = schedule;
  return {
    ...rest,
    key: key as ScheduleAnswer["key"], // rows hold keys alone
    deviceIds: [...deviceIds],
    clusterIds: [...clusterIds],
    nextAt: nextFiring(schedule, now)?.toISOString() ?? null,
    createdAt: createdAt.toISOString(),
    updatedAt: updatedAt.toISOString(),
  };
}
