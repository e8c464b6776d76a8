import type { FastifyRequest } from "fastify";
import { z } from "zod";
import {
  UserAnswer,
  UserChange,
  UserCreate,
  UserDeleteQuery,
  UserList,
  UserName,
  UserNameList,
  UserQuery,
} from "#contracts/api/accounts.ts";
import { IdParams } from "#contracts/api/common.ts";
import { reachFor } from "#contracts/permissions.ts";
import { type Accounts, chainOfAccount } from "../auth/accounts.ts";
import { answerOf, changeOwnAccount, findUser } from "../auth/auth.service.ts";
import type { Sessions } from "../auth/sessions.ts";
import type { Tokens } from "../auth/tokens.ts";
import { User } from "../auth/user.entity.ts";
import type { Database } from "../kernel/database.ts";
import { HubError } from "../kernel/errors.ts";
import { pageOf } from "../kernel/pages.ts";
import type { Account, App } from "../kernel/routes.ts";
import type { Schedules } from "../schedules/schedules.ts";
import type { Directory } from "../members/directory.ts";
import { type UsersContext, changeUser, createUser, deleteUser, managedAccount } from "./users.service.ts";

export interface UserRoutes {
  readonly database: Database;
  readonly accounts: Accounts;
  readonly sessions: Sessions;
  readonly tokens: Tokens;
  readonly passwordMinLength: number;
  /** Ends the MQTT connections of a token. */
  readonly disconnect: (principalId: string) => void;
  readonly directory: Directory;
  readonly schedules: Schedules;
}

const MAX_USERS = 10_000;

export function userRoutes(app: App, hub: UserRoutes): void {
  const { database, accounts, sessions, tokens } = hub;

  app.get(
    "/users",
    {
      config: { permission: "user:read" },
      schema: {
        summary: "List the users of this site; the role user sees names",
        querystring: UserQuery,
        response: { 200: z.union([UserList, UserNameList]) },
      },
    },
    async (request) => {
      const { account, query } = request;
      if (query.role !== undefined || query.enabled !== undefined) checkReach(account, "user:manage");
      const rows = await database.fork().find(User, {}, { limit: MAX_USERS });
      const order = { valueOf: (user: User) => user.username.toLowerCase(), descending: false };
      const page = pageOf(
        rows.filter((user) => isSeen(user, account) && fits(user, query, account)),
        query,
        order,
      );
      const seesAll = reachFor(account, "user:manage") !== undefined;
      return { ...page, items: page.items.map((user) => (seesAll ? answer(user, account) : nameOf(user))) };
    },
  );

  app.post(
    "/users",
    {
      config: { permission: "user:manage" },
      schema: { summary: "Make a user of this site", body: UserCreate, response: { 201: UserAnswer } },
    },
    async (request, reply) => {
      const user = await createUser(contextOf(request), request.body, new Date());
      return reply.code(201).send(answer(user, request.account));
    },
  );

  app.get(
    "/users/:id",
    {
      config: { permission: "self" }, // and more for others
      schema: {
        summary: "One user; the role user sees the names of others",
        params: IdParams,
        response: { 200: z.union([UserAnswer, UserName]) },
      },
    },
    async (request) => {
      const { account, params } = request;
      const isOwn = params.id === account.userId;
      if (!isOwn) checkReach(account, "user:read");
      if (!isOwn) managedAccount({ accounts, actor: account }, params.id);
      const user = await findUser(database.fork(), params.id);
      return isOwn || reachFor(account, "user:manage") ? answer(user, account) : nameOf(user);
    },
  );

  app.route({
    method: ["PATCH", "PUT"],
    url: "/users/:id",
    config: { permission: "self" }, // and more for others
    schema: {
      summary: "Change a user, and the role in this site; everybody may change their own name and e-mail address",
      params: IdParams,
      body: UserChange,
      response: { 200: UserAnswer },
    },
    handler: async (request) => {
      const { account, params, body } = request;
      if (params.id === account.userId) refuseOwnPassword(body);
      if (params.id === account.userId && account.role !== "superuser") {
        const { email, fullName } = ownChange(body);
        const known = accounts.byId(account.userId);
        const trail = request.trail.in(known ? chainOfAccount(known) : null);
        const context = { ...contextOf(request), trail };
        const { user } = await changeOwnAccount(context, account.userId, { email, fullName });
        return answer(user, account);
      }
      checkReach(account, "user:manage");
      const { user, endsSessions } = await changeUser(contextOf(request), params.id, body);
      if (endsSessions) await endAccess(user.id);
      return answer(user, account);
    },
  });

  app.delete(
    "/users/:id",
    {
      config: { permission: "user:manage" },
      schema: {
        summary: "Delete a user; an heir may get what the user owns",
        params: IdParams,
        querystring: UserDeleteQuery,
        response: { 204: z.null() },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const own = tokens.of(id);
      const { heir } = request.query;
      await hub.directory.inTurn(async () => {
        await deleteUser(contextOf(request), id, heir);
        hub.directory.forgetUser(id, heir === undefined ? null : { id: heir, siteId: request.account.siteId });
      });
      hub.schedules.forgetUser(id, heir === undefined ? null : { id: heir, siteId: request.account.siteId });
      for (const token of own) tokens.remove(token.id);
      await endAccess(
        id,
        own.map((token) => token.id),
      );
      return reply.code(204).send(null);
    },
  );

  function contextOf({ account, trail }: FastifyRequest): UsersContext {
    const { passwordMinLength } = hub;
    return { em: database.fork(), accounts, trail, actor: account, passwordMinLength };
  }

  /** Sessions end at once; the MQTT connections of tokens, too: their rights are gone already. */
  async function endAccess(userId: string, tokenIds = tokens.of(userId).map((token) => token.id)): Promise<void> {
    await sessions.end(
      database.fork(),
      sessions.of(userId, new Date()).map(({ id }) => id),
    );
    for (const id of tokenIds) hub.disconnect(id);
  }

  /** Superusers see all accounts; everybody else those who belong to the site. */
  function isSeen(user: User, { role, siteId }: Account): boolean {
    return role === "superuser" || (!user.superuser && accounts.byId(user.id)?.roles.has(siteId) === true);
  }

  function answer(user: User, { siteId }: Account): UserAnswer {
    const known = accounts.byId(user.id);
    return answerOf(user, user.superuser ? "superuser" : (known?.roles.get(siteId) ?? null));
  }

  function fits(user: User, { q, role, enabled }: UserQuery, account: Account): boolean {
    const text = q?.toLowerCase();
    const email = reachFor(account, "user:manage") === undefined ? "" : (user.email ?? "");
    return (
      (role === undefined || answer(user, account).role === role) &&
      (enabled === undefined || user.enabled === enabled) &&
      (text === undefined || `${user.username} ${user.fullName ?? ""} ${email}`.toLowerCase().includes(text))
    );
  }
}

/** @throws HubError FORBIDDEN */
function checkReach(account: Account, permission: "user:read" | "user:manage"): void {
  if (reachFor(account, permission) === undefined)
    throw new HubError("FORBIDDEN", `Your role does not allow ${permission}`);
}

/** A session left open must not be the whole account. @throws HubError FORBIDDEN */
function refuseOwnPassword({ password }: UserChange): void {
  if (password !== undefined)
    throw new HubError("FORBIDDEN", "Change your own password at /api/auth/me, which asks for the old one", {
      field: "password",
    });
}

/** What everybody may change of themselves here. @throws HubError FORBIDDEN naming the field. */
function ownChange({ email, fullName, ...rest }: UserChange): Pick<UserChange, "email" | "fullName"> {
  const [field] = Object.keys(rest);
  if (field !== undefined) throw new HubError("FORBIDDEN", "Nobody changes this of themselves", { field });
  return { email, fullName };
}

function nameOf({ id, username, fullName }: User): UserName {
  return { id, username, fullName: fullName ?? null };
}
