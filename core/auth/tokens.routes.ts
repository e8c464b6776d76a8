import { randomUUID } from "node:crypto";
import type { EntityManager } from "@mikro-orm/postgresql";
import { z } from "zod";
import { IdParams, ListQuery } from "#contracts/api/common.ts";
import { type TokenAnswer, TokenCreate, TokenCreated, TokenList } from "#contracts/api/tokens.ts";
import { reachFor } from "#contracts/permissions.ts";
import { HubError } from "../kernel/errors.ts";
import { pageOf, sortOrder } from "../kernel/pages.ts";
import type { Account, App } from "../kernel/routes.ts";
import { NO_SITE_ID } from "./callers.ts";
import { Token } from "./token.entity.ts";
import { type Tokens, mqttUsername, newToken } from "./tokens.ts";

export interface TokenRoutes {
  /** Where MQTT clients find the broker, for a caller who used this host name. */
  readonly brokerFor: (askedHost: string) => { mqttUrl: string; baseTopic: string };
  readonly tokens: Tokens;
  /** Ends the MQTT connections of a token. */
  readonly disconnect: (principalId: string) => void;
}

const MAX_TOKENS_OF_ONE = 100;
const DAY_MS = 24 * 3_600_000;

/** Personal tokens: for scripts and MQTT clients of one account in one site. */
export function tokenRoutes(app: App, { tokens, disconnect, brokerFor }: TokenRoutes): void {
  app.get(
    "/tokens",
    {
      config: { permission: "self" },
      schema: { summary: "List one's own tokens in this site", querystring: ListQuery, response: { 200: TokenList } },
    },
    async (request) => {
      const rows = await request.em.find(Token, { user: request.account.userId }, { limit: MAX_TOKENS_OF_ONE });
      const page = pageOf(rows, request.query, sortOrder("-createdAt"));
      return { ...page, items: page.items.map((row) => answer(row, request.account)) };
    },
  );

  app.post(
    "/tokens",
    {
      config: { permission: "self" },
      schema: {
        summary: "Make a personal token; it is shown once",
        body: TokenCreate,
        response: { 201: TokenCreated },
      },
    },
    async (request, reply) => {
      const { account, body } = request;
      const now = new Date();
      if (account.siteId === NO_SITE_ID) throw new HubError("NO_SITE", "A token needs a site to work in");
      const beyond = body.permissions.find((permission) => reachFor(account, permission) === undefined);
      if (beyond) throw new HubError("FORBIDDEN", `Your own role does not allow ${beyond}`, { field: "permissions" });
      const { token, prefix, tokenHash } = newToken();
      const make = async (em: EntityManager) => {
        if ((await em.count(Token, { user: account.userId })) >= MAX_TOKENS_OF_ONE)
          throw new HubError("CONFLICT", `An account has at most ${MAX_TOKENS_OF_ONE} tokens; delete one first`);
        const row = em.create(Token, {
          id: randomUUID(),
          site: account.siteId,
          user: account.userId,
          name: body.name,
          prefix,
          tokenHash,
          permissions: body.permissions,
          createdAt: now,
          expiresAt: body.expiresInDays === null ? null : new Date(now.getTime() + body.expiresInDays * DAY_MS),
        });
        await em.flush();
        const details = { permissions: body.permissions };
        await request.trail.write(em, { action: "token.create", target: targetOf(row), details });
        return row;
      };
      const row = await tokens.turns.take(async () => {
        const row = await request.em.transactional(make);
        tokens.put(row);
        return row;
      });
      return reply.code(201).send({ ...answer(row, account), token, ...brokerFor(request.hostname) });
    },
  );

  app.delete(
    "/tokens/:id",
    {
      config: { permission: "self" },
      schema: {
        summary: "Revoke a token and end its connections",
        params: IdParams,
        response: { 204: z.null() },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const revoke = async (em: EntityManager) => {
        const row = await em.findOne(Token, { id, user: request.account.userId });
        if (!row) throw new HubError("NOT_FOUND", "There is no such token");
        em.remove(row);
        await em.flush();
        await request.trail.write(em, { action: "token.delete", target: targetOf(row) });
      };
      await tokens.turns.take(async () => {
        await request.em.transactional(revoke);
        tokens.remove(id);
      });
      disconnect(id);
      return reply.code(204).send(null);
    },
  );

  function answer(row: Token, { username }: Account): TokenAnswer {
    const live = tokens.byId(row.id);
    const lastUsedAt = live?.lastUsedAt ?? row.lastUsedAt ?? null;
    return {
      id: row.id,
      name: row.name,
      prefix: row.prefix,
      permissions: row.permissions,
      mqttUsername: mqttUsername({ username }),
      createdAt: row.createdAt.toISOString(),
      expiresAt: row.expiresAt?.toISOString() ?? null,
      lastUsedAt: lastUsedAt?.toISOString() ?? null,
      lastAddress: live?.lastAddress ?? row.lastAddress ?? null,
    };
  }
}

function targetOf({ id, name }: Token) {
  return { type: "token", id, name };
}
