import { randomUUID } from "node:crypto";
import type { EntityManager } from "@mikro-orm/postgresql";
import type { ScheduleChange, ScheduleCreate, ScheduleRun as Run, ScheduleWhen } from "#contracts/api/schedules.ts";
import { type Actor, reachFor } from "#contracts/permissions.ts";
import type { Accounts } from "../auth/accounts.ts";
import { User } from "../auth/user.entity.ts";
import { HubError } from "../kernel/errors.ts";
import { freeKey, keyFromName } from "../kernel/keys.ts";
import type { Trail, TrailEvent } from "../kernel/trail.ts";
import type { Directory } from "../members/directory.ts";
import { Site } from "../sites/site.entity.ts";
import { problemOfCron } from "./cron.rules.ts";
import { duesAfter } from "./firing.rules.ts";
import { Schedule, ScheduleRun } from "./schedule.entity.ts";
import { type Schedules, knownOf, runAnswer } from "./schedules.ts";
import { checkTargets } from "./targets.rules.ts";

export interface SchedulesContext {
  /** Bound to the site. */
  readonly em: EntityManager;
  readonly siteId: string;
  readonly schedules: Schedules;
  readonly directory: Directory;
  readonly accounts: Accounts;
  readonly actor: Actor;
  readonly trail: Trail;
}

/** So many a site can have. */
const MAX_OF_SITE = 1_000;

const A_CENTURY_MS = 100 * 365 * 24 * 60 * 60 * 1_000;
const DEFAULTS = { jitterSeconds: 0, catchUpMinutes: 15 };

/**
 * Makes a schedule, which belongs to whoever makes it.
 *
 * @throws HubError INVALID_INPUT (when, ownerId), NOT_FOUND and FORBIDDEN (deviceIds.N, clusterIds.N), DUPLICATE (key), TOO_MANY_SCHEDULES
 */
export async function createSchedule(context: SchedulesContext, input: ScheduleCreate, now: Date): Promise<string> {
  const { schedules, siteId, actor } = context;
  checkWhen(input.when, now);
  checkTargets(context, input.action, { deviceIds: input.deviceIds ?? [], clusterIds: input.clusterIds ?? [] });
  return await changeSchedules(context, async (em) => {
    if (schedules.countOf(siteId) >= MAX_OF_SITE)
      throw new HubError("TOO_MANY_SCHEDULES", `A site can have ${MAX_OF_SITE} schedules`);
    const schedule = em.create(Schedule, {
      id: randomUUID(),
      site: em.getReference(Site, siteId),
      key: chooseKey(schedules, input),
      name: input.name,
      description: input.description ?? null,
      enabled: input.enabled ?? true,
      action: input.action,
      deviceIds: unique(input.deviceIds ?? []),
      clusterIds: unique(input.clusterIds ?? []),
      when: input.when,
      jitterSeconds: input.jitterSeconds ?? DEFAULTS.jitterSeconds,
      catchUpMinutes: input.catchUpMinutes ?? DEFAULTS.catchUpMinutes,
      force: input.force ?? false,
      skipNext: false,
      showInHomeAssistant: input.showInHomeAssistant ?? true,
      settledUntil: now,
      owner: actor.userId,
      createdAt: now,
      updatedAt: now,
    });
    setOwner(em, context, schedule, input.ownerId);
    await em.flush();
    const event = { action: "schedule.create", target: targetOf(schedule) } as const;
    return { schedule, event, result: schedule.id };
  });
}

/**
 * Changes what the input names. What was due while it was disabled, or at other times, is not made up for.
 *
 * @throws HubError NOT_FOUND, INVALID_INPUT (when, ownerId), NOT_FOUND and FORBIDDEN (deviceIds.N, clusterIds.N)
 */
export async function changeSchedule(
  context: SchedulesContext,
  id: string,
  change: ScheduleChange,
  now: Date,
): Promise<void> {
  await changeSchedules(context, async (em) => {
    const schedule = await findSchedule(em, id);
    const { when, action = schedule.action, deviceIds, clusterIds } = change;
    if (when) checkWhen(when, now);
    const isOther = change.action !== undefined && change.action !== schedule.action;
    // what stays may hold devices that are gone meanwhile, and nobody has to take them out for a new name
    checkTargets(context, action, {
      deviceIds: deviceIds ?? (isOther ? known(schedule.deviceIds, context.directory.devices) : []),
      clusterIds: clusterIds ?? (isOther ? known(schedule.clusterIds, context.directory.clusters) : []),
    });
    if (when || (change.enabled && !schedule.enabled)) schedule.settledUntil = now;
    if (change.enabled === false) schedule.skipNext = false;
    setPlainFields(schedule, change);
    if (deviceIds) schedule.deviceIds = unique(deviceIds);
    if (clusterIds) schedule.clusterIds = unique(clusterIds);
    setOwner(em, context, schedule, change.ownerId);
    schedule.updatedAt = now;
    await em.flush();
    const details = { fields: Object.keys(change) };
    const event = { action: "schedule.change", target: targetOf(schedule), details } as const;
    return { schedule, event, result: undefined };
  });
}

function setPlainFields(schedule: Schedule, change: ScheduleChange): void {
  if (change.name !== undefined) schedule.name = change.name;
  if (change.description !== undefined) schedule.description = change.description;
  if (change.enabled !== undefined) schedule.enabled = change.enabled;
  if (change.action !== undefined) schedule.action = change.action;
  if (change.when !== undefined) schedule.when = change.when;
  if (change.jitterSeconds !== undefined) schedule.jitterSeconds = change.jitterSeconds;
  if (change.catchUpMinutes !== undefined) schedule.catchUpMinutes = change.catchUpMinutes;
  if (change.force !== undefined) schedule.force = change.force;
  if (change.showInHomeAssistant !== undefined) schedule.showInHomeAssistant = change.showInHomeAssistant;
}

/** Leaves the next firing out, or not any more. @throws HubError NOT_FOUND, CONFLICT for a disabled one. */
export async function skipNextOf(context: SchedulesContext, id: string, skip: boolean, now: Date): Promise<void> {
  await changeSchedules(context, async (em) => {
    const schedule = await findSchedule(em, id);
    if (skip && !schedule.enabled)
      throw new HubError("CONFLICT", "A disabled schedule has no next firing to skip; enable it first");
    schedule.skipNext = skip;
    schedule.updatedAt = now;
    await em.flush();
    const event = { action: "schedule.skip", target: targetOf(schedule), details: { skip } } as const;
    return { schedule, event, result: undefined };
  });
}

/** With its history. @throws HubError NOT_FOUND */
export async function deleteSchedule({ em, schedules, trail }: SchedulesContext, id: string): Promise<void> {
  await schedules.inTurn(async () => {
    await em.transactional(async (em) => {
      const schedule = await findSchedule(em, id);
      em.remove(schedule);
      await em.flush();
      await trail.write(em, { action: "schedule.delete", target: targetOf(schedule) });
    });
    schedules.remove(id);
  });
}

/** Runs a change in a transaction, with its row in the audit log, and after its commit brings the memory up to date. */
async function changeSchedules<Result>(
  { em, schedules, trail }: SchedulesContext,
  work: (em: EntityManager) => Promise<{ schedule: Schedule; event: TrailEvent; result: Result }>,
): Promise<Result> {
  return await schedules.inTurn(async () => {
    const { known, result } = await em.transactional(async (em) => {
      const { schedule, event, result } = await work(em);
      await trail.write(em, event);
      return { known: knownOf(schedule, await lastRunOf(em, schedule.id)), result };
    });
    schedules.put(known);
    return result;
  });
}

async function lastRunOf(em: EntityManager, schedule: string): Promise<Run | null> {
  const row = await em.findOne(ScheduleRun, { schedule }, { orderBy: { dueAt: "desc" }, disableIdentityMap: true });
  return row && runAnswer(row);
}

async function findSchedule(em: EntityManager, id: string): Promise<Schedule> {
  const schedule = await em.findOne(Schedule, { id });
  if (!schedule) throw new HubError("NOT_FOUND", "There is no such schedule");
  return schedule;
}

/** @throws HubError INVALID_INPUT naming the part that is wrong. */
export function checkWhen(when: ScheduleWhen, now: Date): void {
  if (when.type === "cron") {
    const problem = problemOfCron(when.cron);
    if (problem !== null) throw new HubError("INVALID_INPUT", problem, { field: "when.cron" });
  }
  if (when.type === "once" && Date.parse(when.at) > now.getTime() + A_CENTURY_MS)
    throw new HubError("INVALID_INPUT", "is more than a hundred years away", { field: "when.at" });
  const [first] = duesAfter(when, now);
  if (first) return;
  if (when.type === "once") throw new HubError("INVALID_INPUT", "is past", { field: "when.at" });
  if (when.type === "sun")
    throw new HubError("INVALID_INPUT", `has no ${when.event} within a year`, { field: "when.place" });
  throw new HubError("INVALID_INPUT", "names a day that never comes", { field: "when.cron" });
}

/** @throws HubError FORBIDDEN, INVALID_INPUT (ownerId) for somebody who does not belong to the site. */
function setOwner(
  em: EntityManager,
  { actor, accounts, siteId }: SchedulesContext,
  schedule: Schedule,
  ownerId: string | null | undefined,
): void {
  if (ownerId === undefined || ownerId === (schedule.owner?.id ?? null)) return;
  // what is nobody's runs with the rights of the hub
  if (reachFor(actor, "schedule:change") !== "any")
    throw new HubError("FORBIDDEN", "Only administrators hand things on", { field: "ownerId" });
  if (ownerId !== null && accounts.roleIn(ownerId, siteId) === undefined)
    throw new HubError("INVALID_INPUT", "This is no user of the site", { field: "ownerId" });
  schedule.owner = ownerId === null ? null : em.getReference(User, ownerId, { wrapped: true });
}

function chooseKey(schedules: Schedules, { key, name }: ScheduleCreate) {
  const isTaken = (candidate: string) => schedules.byKey(candidate) !== undefined;
  if (key === undefined) return freeKey(keyFromName(name, "schedule"), isTaken);
  if (isTaken(key)) throw new HubError("DUPLICATE", "Another schedule has this key", { field: "key" });
  return key;
}

function known(ids: readonly string[], table: { byId(id: string): unknown }): string[] {
  return ids.filter((id) => table.byId(id) !== undefined);
}

function unique(ids: readonly string[]): string[] {
  return [...new Set(ids)];
}

function targetOf({ id, key }: Schedule) {
  return { type: "schedule", id, name: key };
}
