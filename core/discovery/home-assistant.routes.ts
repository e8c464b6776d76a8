import type { EntityManager } from "@mikro-orm/postgresql";
import {
  CleanUpAnswer,
  HomeAssistantAnswer,
  PreviewAnswer,
  PreviewRequest,
  SendAnswer,
  SendRequest,
  ThingDetails,
  ThingList,
  ThingParams,
  ThingQuery,
} from "#contracts/api/home-assistant.ts";
import type { App } from "../kernel/routes.ts";
import {
  type HomeAssistantContext,
  listThings,
  previewOf,
  sendAgain,
  thingCounts,
  thingDetails,
} from "./home-assistant.service.ts";

export interface HomeAssistantRoutes extends HomeAssistantContext {
  /** Whose credentials may read discovery and are connected now. */
  readonly clientsOf: (em: EntityManager) => Promise<HomeAssistantAnswer["listening"]["clients"]>;
}

/** What Home Assistant is told. Whoever may hand out its credential may see and send it. */
export function homeAssistantRoutes(app: App, routes: HomeAssistantRoutes): void {
  const { announcer, settings, clientsOf, isReached } = routes;
  const config = { permission: "mqtt-client:manage" } as const;

  app.get(
    "/home-assistant",
    { config, schema: { summary: "Whether Home Assistant listens", response: { 200: HomeAssistantAnswer } } },
    async ({ em, account }) => ({
      settings,
      listening: {
        reached: isReached(),
        bornAt: announcer.bornAt(account.siteId)?.toISOString() ?? null,
        clients: await clientsOf(em),
      },
      counts: thingCounts(routes, account.siteId),
    }),
  );

  app.get(
    "/home-assistant/things",
    {
      config,
      schema: {
        summary: "List what Home Assistant is told of, or could be",
        querystring: ThingQuery,
        response: { 200: ThingList },
      },
    },
    async ({ account, query }) => listThings(routes, account.siteId, query),
  );

  app.get(
    "/home-assistant/things/:type/:id",
    {
      config,
      schema: {
        summary: "What Home Assistant is told of one thing, and what it is to be told",
        params: ThingParams,
        response: { 200: ThingDetails },
      },
    },
    async ({ account, params }) => thingDetails(routes, account.siteId, params),
  );

  app.post(
    "/home-assistant/preview",
    {
      config,
      schema: {
        summary: "What a change would publish and clear; nothing is changed",
        body: PreviewRequest,
        response: { 200: PreviewAnswer },
      },
    },
    async ({ account, body }) => await previewOf(routes, account.siteId, body),
  );

  app.post(
    "/home-assistant/send",
    {
      config,
      schema: {
        summary: "Send discovery again, all or of one thing",
        body: SendRequest,
        response: { 200: SendAnswer },
      },
    },
    async ({ account, body, trail }) => {
      const sent = await sendAgain(routes, account.siteId, body.thing);
      trail.note({ action: "discovery.send", details: { ...body, ...sent } });
      return sent;
    },
  );

  app.post(
    "/home-assistant/clean-up",
    {
      config,
      schema: { summary: "Clear configs of ours that nobody needs any more", response: { 200: CleanUpAnswer } },
    },
    async ({ account, trail }) => {
      const cleared = await announcer.cleanUp(account.siteId);
      trail.note({ action: "discovery.clean-up", details: { cleared: cleared.length } });
      return { cleared };
    },
  );
}
