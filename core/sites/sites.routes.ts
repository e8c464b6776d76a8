import { z } from "zod";
import { IdParams, ListQuery } from "#contracts/api/common.ts";
import { SiteAnswer, SiteChange, SiteCreate, SiteList } from "#contracts/api/sites.ts";
import type { Cluster } from "../clusters/cluster.entity.ts";
import type { Database } from "../kernel/database.ts";
import { pageOf, sortOrder } from "../kernel/pages.ts";
import type { App } from "../kernel/routes.ts";
import { changeSite, createSite, deleteSite } from "./sites.service.ts";
import { DEFAULT_SITE, type KnownSite, type Sites } from "./sites.ts";

export interface SiteRoutes {
  readonly database: Database;
  readonly sites: Sites;
  /** What a site holds, counted. */
  readonly contentOf: (siteId: string) => Pick<SiteAnswer, "devices" | "agents" | "members">;
  /** Whether nothing would be lost with a site. */
  readonly isEmpty: (siteId: string) => Promise<boolean>;
  readonly onCreated: (unassigned: Cluster) => void;
  readonly onDeleted: (siteId: string) => void;
}

/** Sites are the hub's: only superusers make them. */
export function siteRoutes(app: App, hub: SiteRoutes): void {
  const { database, sites } = hub;
  const config = { permission: "hub:manage" } as const;

  app.get(
    "/sites",
    { config, schema: { summary: "List sites", querystring: ListQuery, response: { 200: SiteList } } },
    async (request) => {
      const text = request.query.q?.toLowerCase() ?? "";
      const fitting = [...sites].filter(({ name, key }) => `${name} ${key}`.toLowerCase().includes(text));
      const page = pageOf(fitting, request.query, sortOrder("name"));
      return { ...page, items: page.items.map(answer) };
    },
  );

  app.post(
    "/sites",
    { config, schema: { summary: "Make a site", body: SiteCreate, response: { 201: SiteAnswer } } },
    async (request, reply) => {
      const context = { em: database.fork(), sites, trail: request.trail.in(null) };
      const site = await sites.turns.take(async () => {
        const { site, unassigned } = await createSite(context, request.body, new Date());
        hub.onCreated(unassigned);
        return site;
      });
      return reply.code(201).send(answer(site));
    },
  );

  app.route({
    method: ["PATCH", "PUT"],
    url: "/sites/:id",
    config,
    schema: { summary: "Rename a site", params: IdParams, body: SiteChange, response: { 200: SiteAnswer } },
    handler: async (request) => {
      const context = { em: database.fork(), sites, trail: request.trail.in(null) };
      return answer(await sites.turns.take(() => changeSite(context, request.params.id, request.body)));
    },
  });

  app.delete(
    "/sites/:id",
    {
      config,
      schema: { summary: "Delete a site that is empty", params: IdParams, response: { 204: z.null() } },
    },
    async (request, reply) => {
      const { id } = request.params;
      const context = { em: database.fork(), sites, trail: request.trail.in(null) };
      await sites.turns.take(async () => {
        await deleteSite(context, id, await hub.isEmpty(id));
        hub.onDeleted(id);
      });
      return reply.code(204).send(null);
    },
  );

  function answer({ id, key, name, createdAt }: KnownSite): SiteAnswer {
    const isDefault = key === DEFAULT_SITE;
    return { id, key, name, isDefault, ...hub.contentOf(id), createdAt: createdAt.toISOString() };
  }
}
