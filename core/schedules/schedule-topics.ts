import type { Logger } from "pino";
import type { ScheduleInfo } from "#contracts/api/schedules.ts";
import { type KeyedTopic, topics } from "#contracts/topics.ts";
import type { Link } from "../kernel/link.ts";
import { nextFiring } from "./firing.rules.ts";
import type { KnownSchedule, ScheduleChanged, Schedules } from "./schedules.ts";

/** Changes gather for so long. Milliseconds. */
const GATHER_MS = 50;

export interface ScheduleTopicsOptions {
  readonly schedules: Schedules;
  readonly link: Link;
  readonly now: () => Date;
  readonly log: Logger;
}

/** Publishes the retained topics of schedules: only what differs from the last payload, and everything again after each connect. */
export class ScheduleTopics {
  readonly #options: ScheduleTopicsOptions;
  readonly #published = new Map<string, string>();
  readonly #dirty = new Set<string>();
  readonly #listeners: ((siteId: string) => void)[] = [];
  #gather: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: ScheduleTopicsOptions) {
    this.#options = options;
    options.schedules.onChange((change) => this.#changed(change));
  }

  /** Calls the listener when schedules of a site changed, after their topics were brought up to date. */
  onChange(listener: (siteId: string) => void): void {
    this.#listeners.push(listener);
  }

  publishAll(): void {
    this.#published.clear();
    for (const { id } of this.#options.schedules) this.#dirty.add(id);
    this.#schedule();
  }

  /** The topics of one again, changed or not: who has only now learned of them can rely on what comes. */
  publishAgain(id: string): void {
    const schedule = this.#options.schedules.byId(id);
    if (!schedule) return;
    for (const topic of RETAINED) this.#published.delete(topic.for(schedule.key));
    this.#publish(schedule);
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#gather);
  }

  #changed({ before, after }: ScheduleChanged): void {
    if (before && !after) this.#clear(before);
    if (after) this.#dirty.add(after.id);
    this.#schedule();
    if (before && !after) this.#tell(before.siteId);
  }

  #schedule(): void {
    if (this.#isClosed) return;
    this.#gather ??= setTimeout(() => {
      this.#gather = undefined;
      this.#publishDirty();
    }, GATHER_MS);
  }

  #publishDirty(): void {
    const sites = new Set<string>();
    for (const id of this.#dirty) {
      const schedule = this.#options.schedules.byId(id);
      if (schedule) this.#publish(schedule);
      if (schedule) sites.add(schedule.siteId);
    }
    this.#dirty.clear();
    for (const siteId of sites) this.#tell(siteId);
  }

  #publish(schedule: KnownSchedule): void {
    const info = JSON.stringify(infoOf(schedule, this.#options.now()));
    this.#say(topics.scheduleInfo, schedule, info);
    this.#say(topics.scheduleState, schedule, schedule.enabled ? "ON" : "OFF");
  }

  #clear({ key, siteId }: KnownSchedule): void {
    for (const topic of RETAINED) {
      const name = topic.for(key);
      this.#published.delete(name);
      this.#options.link
        .publish(name, "", { ...topic.options, siteId })
        .catch((error: unknown) => this.#lost(name, error));
    }
  }

  #say(topic: KeyedTopic, { key }: KnownSchedule, payload: string): void {
    const name = topic.for(key);
    if (this.#published.get(name) === payload || this.#options.link.isAway) return;
    this.#published.set(name, payload);
    this.#options.link.publish(name, payload, topic.options).catch((error: unknown) => this.#lost(name, error));
  }

  #lost(name: string, error: unknown): void {
    this.#published.delete(name);
    if (!this.#options.link.isAway)
      this.#options.log.warn({ err: error, topic: name }, "a state could not be published");
  }

  #tell(siteId: string): void {
    for (const listener of this.#listeners) listener(siteId);
  }
}

const RETAINED = [topics.scheduleState, topics.scheduleInfo];

export function infoOf({ lastRun, ...schedule }: KnownSchedule, now: Date): ScheduleInfo {
  const { name, action, enabled, skipNext } = schedule;
  return {
    name,
    action,
    enabled,
    nextAt: nextFiring({ ...schedule }, now)?.toISOString() ?? null,
    skipNext,
    lastRun: lastRun && { at: lastRun.at, outcome: lastRun.outcome, because: lastRun.because },
  };
}
