import type { FastifyRequest } from "fastify";
import { IdParams } from "#contracts/api/common.ts";
import { z } from "zod";
import {
  Firings,
  ScheduleAnswer,
  ScheduleChange,
  ScheduleCreate,
  ScheduleList,
  SchedulePreview,
  ScheduleQuery,
  ScheduleRunList,
  SkipNext,
} from "#contracts/api/schedules.ts";
import { ListQuery } from "#contracts/api/common.ts";
import { mayChange, reachFor } from "#contracts/permissions.ts";
import type { Accounts } from "../auth/accounts.ts";
import { HubError } from "../kernel/errors.ts";
import { pageOf, sortOrder } from "../kernel/pages.ts";
import type { Account, App } from "../kernel/routes.ts";
import type { Directory } from "../members/directory.ts";
import { firingsOf } from "./firing.rules.ts";
import { readRunPage } from "./run-history.ts";
import { type KnownSchedule, type Schedules, scheduleAnswer } from "./schedules.ts";
import {
  type SchedulesContext,
  changeSchedule,
  checkWhen,
  createSchedule,
  deleteSchedule,
  skipNextOf,
} from "./schedules.service.ts";
import { devicesOf } from "./targets.rules.ts";

export interface ScheduleRoutes {
  readonly schedules: Schedules;
  readonly directory: Directory;
  readonly accounts: Accounts;
  /** Writes what waits of the history. */
  readonly flush: () => Promise<void>;
}

const RunQuery = ListQuery.omit({ q: true });

export function scheduleRoutes(app: App, { schedules, directory, accounts, flush }: ScheduleRoutes): void {
  app.get(
    "/schedules",
    {
      config: { permission: "schedule:read" },
      schema: { summary: "List schedules", querystring: ScheduleQuery, response: { 200: ScheduleList } },
    },
    async ({ account, query }) => {
      const now = new Date();
      const page = pageOf(matching(account, query), query, sortOrder(query.sort));
      return { ...page, items: page.items.map((schedule) => answer(schedule, account, now)) };
    },
  );

  app.post(
    "/schedules",
    {
      config: { permission: "schedule:create" },
      schema: { summary: "Make a schedule", body: ScheduleCreate, response: { 201: ScheduleAnswer } },
    },
    async (request, reply) => {
      const now = new Date();
      const id = await createSchedule(contextOf(request), request.body, now);
      return reply.code(201).send(answer(find(request.account, id), request.account, now));
    },
  );

  app.post(
    "/schedules/preview",
    {
      config: { permission: "schedule:read" },
      schema: {
        summary: "When something would fire, before it is a schedule",
        body: SchedulePreview,
        response: { 200: Firings },
      },
    },
    async ({ body }) => {
      const now = new Date();
      checkWhen(body.when, now);
      const rule = { id: null, enabled: true, catchUpMinutes: 0, skipNext: false, settledUntil: now, ...body };
      return { firings: firingsOf(rule, now) };
    },
  );

  app.get(
    "/schedules/:id",
    {
      config: { permission: "schedule:read" },
      schema: { summary: "One schedule", params: IdParams, response: { 200: ScheduleAnswer } },
    },
    async ({ account, params }) => answer(find(account, params.id), account, new Date()),
  );

  app.route({
    method: ["PATCH", "PUT"],
    url: "/schedules/:id",
    config: { permission: "schedule:change" },
    schema: {
      summary: "Change a schedule",
      params: IdParams,
      body: ScheduleChange,
      response: { 200: ScheduleAnswer },
    },
    handler: async (request) => {
      const now = new Date();
      const { account } = request;
      const { id } = findToChange(account, request.params.id);
      await changeSchedule(contextOf(request), id, request.body, now);
      return answer(find(account, id), account, now);
    },
  });

  app.delete(
    "/schedules/:id",
    {
      config: { permission: "schedule:change" },
      schema: { summary: "Delete a schedule with its history", params: IdParams, response: { 204: z.null() } },
    },
    async (request, reply) => {
      const { id } = findToChange(request.account, request.params.id);
      await deleteSchedule(contextOf(request), id);
      return reply.code(204).send(null);
    },
  );

  app.post(
    "/schedules/:id/skip",
    {
      config: { permission: "schedule:change" },
      schema: {
        summary: "Leave the next firing out, or not any more",
        params: IdParams,
        body: SkipNext,
        response: { 200: ScheduleAnswer },
      },
    },
    async (request) => {
      const now = new Date();
      const { account } = request;
      const { id } = findToChange(account, request.params.id);
      await skipNextOf(contextOf(request), id, request.body.skip, now);
      return answer(find(account, id), account, now);
    },
  );

  app.get(
    "/schedules/:id/next",
    {
      config: { permission: "schedule:read" },
      schema: { summary: "Its next 20 firings, explained", params: IdParams, response: { 200: Firings } },
    },
    async ({ account, params }) => ({ firings: firingsOf(find(account, params.id), new Date()) }),
  );

  app.get(
    "/schedules/:id/runs",
    {
      config: { permission: "schedule:read" },
      schema: {
        summary: "What became of its firings, newest first",
        params: IdParams,
        querystring: RunQuery,
        response: { 200: ScheduleRunList },
      },
    },
    async (request) => {
      const { id } = find(request.account, request.params.id);
      await flush();
      return await request.em.transactional((em) => readRunPage(em, id, request.query));
    },
  );

  function contextOf({ em, trail, account }: FastifyRequest): SchedulesContext {
    return { em, trail, schedules, directory, accounts, actor: account, siteId: account.siteId };
  }

  function answer(schedule: KnownSchedule, account: Account, now: Date): ScheduleAnswer {
    const seesUsers = reachFor({ ...account, permissions: null }, "user:read") !== undefined;
    return { ...scheduleAnswer(schedule, now), ...(!seesUsers && { ownerId: null }) };
  }

  function findToChange(account: Account, id: string): KnownSchedule {
    const schedule = find(account, id);
    if (!mayChange(account, "schedule:change", { ownerId: schedule.ownerId, shares: [] }))
      throw new HubError("FORBIDDEN", "This schedule belongs to somebody else");
    return schedule;
  }

  function find(account: Account, id: string): KnownSchedule {
    const schedule = schedules.byId(id);
    if (schedule?.siteId !== account.siteId) throw new HubError("NOT_FOUND", "There is no such schedule");
    return schedule;
  }

  function matching(account: Account, { q, device }: ScheduleQuery): KnownSchedule[] {
    const text = q?.toLowerCase();
    return [...schedules].filter(
      (schedule) =>
        schedule.siteId === account.siteId &&
        (text === undefined || `${schedule.name} ${schedule.key}`.toLowerCase().includes(text)) &&
        (device === undefined || devicesOf(schedule, directory).some(({ id, key }) => id === device || key === device)),
    );
  }
}
