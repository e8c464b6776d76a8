import { z } from "zod";
import { type SessionAnswer, SessionList } from "#contracts/api/accounts.ts";
import { IdParams, ListQuery } from "#contracts/api/common.ts";
import type { Database } from "../kernel/database.ts";
import { HubError } from "../kernel/errors.ts";
import { pageOf } from "../kernel/pages.ts";
import type { App } from "../kernel/routes.ts";
import { type Accounts, chainOfAccount } from "./accounts.ts";
import type { LiveSession, Sessions } from "./sessions.ts";

export interface SessionRoutes {
  readonly database: Database;
  readonly sessions: Sessions;
  readonly accounts: Accounts;
}

/** Where an account is logged in. */
export function sessionRoutes(app: App, { database, sessions, accounts }: SessionRoutes): void {
  app.get(
    "/auth/sessions",
    {
      config: { permission: "self" },
      schema: { summary: "List one's own sessions", querystring: ListQuery, response: { 200: SessionList } },
    },
    async (request) => {
      const { userId, sessionId } = request.account;
      const order = { valueOf: (session: LiveSession) => session.lastUsedAt.toISOString(), descending: true };
      const page = pageOf(sessions.of(userId, new Date()), request.query, order);
      return { ...page, items: page.items.map((session) => answerOf(session, sessionId)) };
    },
  );

  app.delete(
    "/auth/sessions/:id",
    {
      config: { permission: "self" },
      schema: { summary: "End one of one's own sessions, at once", params: IdParams, response: { 204: z.null() } },
    },
    async (request, reply) => {
      const { userId } = request.account;
      const session = sessions.of(userId, new Date()).find(({ id }) => id === request.params.id);
      if (!session) throw new HubError("NOT_FOUND", "There is no such session");
      await sessions.end(database.fork(), [session.id]);
      const account = accounts.byId(userId);
      const target = { type: "session", id: session.id, name: session.userAgent };
      request.trail.in(account ? chainOfAccount(account) : null).note({ action: "session.end", target });
      return reply.code(204).send(null);
    },
  );
}

function answerOf(session: LiveSession, currentId: string | null): SessionAnswer {
  return {
    id: session.id,
    current: session.id === currentId,
    address: session.address,
    userAgent: session.userAgent,
    createdAt: session.createdAt.toISOString(),
    lastUsedAt: session.lastUsedAt.toISOString(),
    expiresAt: session.expiresAt.toISOString(),
  };
}
