import { defineEntity, p } from "@mikro-orm/core";
import type { ScheduleAnswer, ScheduleRun as Run, ScheduleWhen } from "#contracts/api/schedules.ts";
import { User } from "../auth/user.entity.ts";
import { siteFilter, sitePolicies } from "../kernel/site-filter.ts";
import { Site } from "../sites/site.entity.ts";

/** When devices and clusters are woken or powered off by themselves. */
const ScheduleSchema = defineEntity({
  name: "Schedule",
  tableName: "schedule",
  properties: {
    id: p.uuid().primary(),
    site: () => p.manyToOne(Site).ref(),
    key: p.string().length(63).unique(),
    name: p.string().length(80),
    description: p.text().nullable(),
    enabled: p.boolean(),
    action: p.string().length(16).$type<ScheduleAnswer["action"]>(),
    /** Of devices and clusters that are gone nothing is done. */
    deviceIds: p.array().columnType("uuid[]"),
    clusterIds: p.array().columnType("uuid[]"),
    when: p.json<ScheduleWhen>().name("fires"),
    jitterSeconds: p.integer(),
    catchUpMinutes: p.integer(),
    force: p.boolean(),
    skipNext: p.boolean(),
    showInHomeAssistant: p.boolean().default(true),
    /** Firings up to this instant are settled: they ran, were skipped or lie before the schedule. */
    settledUntil: p.datetime(),
    /** A user; null = nobody's. */
    owner: () => p.manyToOne(User).ref().nullable().deleteRule("set null").index(),
    createdAt: p.datetime(),
    updatedAt: p.datetime(),
  },
  filters: siteFilter,
  ...sitePolicies("schedule"),
  indexes: [{ properties: ["site", "name"] }],
});

export class Schedule extends ScheduleSchema.class {}
ScheduleSchema.setClass(Schedule);

/** What became of one firing. The unique index lets it happen once, however many hubs share the database. */
const ScheduleRunSchema = defineEntity({
  name: "ScheduleRun",
  tableName: "schedule_run",
  properties: {
    id: p.uuid().primary(),
    site: () => p.manyToOne(Site).ref().index(),
    schedule: () => p.manyToOne(Schedule).ref().deleteRule("cascade"),
    dueAt: p.datetime(),
    at: p.datetime(),
    outcome: p.string().length(16).$type<Run["outcome"]>(),
    because: p.text(),
    code: p.string().length(40).nullable(),
    devices: p.json<Run["devices"]>(),
  },
  filters: siteFilter,
  ...sitePolicies("schedule_run"),
  uniques: [{ properties: ["schedule", "dueAt"], name: "schedule_run_once" }],
});

export class ScheduleRun extends ScheduleRunSchema.class {}
ScheduleRunSchema.setClass(ScheduleRun);
