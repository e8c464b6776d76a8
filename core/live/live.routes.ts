import type { FastifyReply } from "fastify";
import { z } from "zod";
import type { LiveEvent } from "#contracts/api/live.ts";
import type { HubInfo } from "#contracts/power.ts";
import { agentAnswer } from "../agents/agents.service.ts";
import type { Presence } from "../agents/presence.ts";
import { clusterAnswer } from "../clusters/clusters.service.ts";
import { deviceAnswer } from "../devices/devices.service.ts";
import { type Actor, reachFor } from "#contracts/permissions.ts";
import { HubError } from "../kernel/errors.ts";
import type { Account, App } from "../kernel/routes.ts";
import type { Directory } from "../members/directory.ts";
import { visibleTo } from "../members/visible.ts";
import type { PowerOffService } from "../power-off/power-off.service.ts";
import type { WakeService } from "../wake/wake.service.ts";
import { LiveStream, eventText } from "./live-stream.ts";
import type { Now } from "./now.ts";
import type { Projection } from "./projection.ts";

export interface LiveRoutes {
  readonly directory: Directory;
  readonly presence: Presence;
  readonly now: Now;
  readonly projection: Projection;
  readonly wakes: WakeService;
  readonly powerOffs: PowerOffService;
  readonly hubInfo: () => HubInfo;
  /** What whoever opened a stream may do now; undefined when its session, token or place in the site is gone. */
  readonly actorNow: (account: Account) => Actor | undefined;
  readonly onRightsChanged: (listener: () => void) => void;
  /** Calls the listener when schedules or leases of a site changed. */
  readonly onSchedulesChanged: (listener: (siteId: string) => void) => void;
}

const MAX_STREAMS = 1_000;
/** More than somebody's pages and programs need, and so few that one account never takes all. */
const MAX_STREAMS_OF_ONE = 100;
/** A reader that does not read is let go when so much waits for it; it comes back with its last id. Bytes. */
const MAX_WAITING_BYTES = 4 * 1024 * 1024;
const PING_MS = 15_000;
const RETRY_SECONDS = 60;

/** Without an id: it resumes nothing. */
function ping(): string {
  const event: LiveEvent = { event: "ping", data: { at: new Date().toISOString() } };
  return `event: ${event.event}\ndata: ${JSON.stringify(event.data)}\n\n`;
}

export function liveRoutes(app: App, parts: LiveRoutes): void {
  const { directory, presence, now, projection, wakes, powerOffs, hubInfo } = parts;
  /** One for each site and each way of seeing it: who sees other things now, or another site, gets a new snapshot. */
  const streams = new Map<string, { readonly siteId: string; readonly view: View; readonly stream: LiveStream }>();
  /** With whose it is, and what ends a stream whose reader may not read it any more. */
  const open = new Map<FastifyReply, { readonly userId: string; readonly check: () => unknown }>();
  parts.onRightsChanged(() => {
    for (const { check } of open.values()) check();
  });
  pushChanges();

  app.get(
    "/events",
    {
      exposeHeadRoute: false,
      config: { permission: "device:read" },
      schema: {
        summary: "Server-sent events: a snapshot, then changes",
        querystring: z.object({ site: z.string().max(63).optional().describe("in place of the header") }),
      },
    },
    async (request, reply) => {
      const { account } = request;
      const { siteId, userId } = account;
      const own = [...open.values()].filter((stream) => stream.userId === userId).length;
      if (open.size >= MAX_STREAMS || own >= MAX_STREAMS_OF_ONE)
        throw new HubError("TOO_MANY_REQUESTS", "Too many live streams are open", { retryAfterSeconds: RETRY_SECONDS });
      const lastEventId = request.headers["last-event-id"];
      reply.hijack();
      open.set(reply, { userId, check: stillAllowed });
      const { raw } = reply;
      for (const [name, value] of Object.entries(reply.getHeaders()))
        if (value !== undefined) raw.setHeader(name, value);
      raw.writeHead(200, {
        "content-type": "text/event-stream; charset=utf-8",
        "cache-control": "no-store",
        "x-accel-buffering": "no",
      });
      const stream = streamOf(siteId, viewOf(account));
      const missed = typeof lastEventId === "string" ? stream.since(lastEventId) : undefined;
      if (missed) raw.write(ping()); // headers go out with the first words, and a reader waits for them
      if (missed) for (const { text } of missed) raw.write(text);
      if (!missed) raw.write(eventText(stream.lastId, snapshot(account)));
      const waitingAtFirst = raw.writableLength; // a snapshot may be large, and is on its way
      const unsubscribe = stream.subscribe(({ text }) => {
        if (stillAllowed()) raw.write(text);
        if (raw.writableLength > waitingAtFirst + MAX_WAITING_BYTES) raw.destroy();
      });
      const timer = setInterval(() => stillAllowed() && raw.write(ping()), PING_MS);
      raw.on("error", () => {}); // its close follows
      raw.on("close", () => {
        clearInterval(timer);
        unsubscribe();
        open.delete(reply);
      });

      /** Ends the stream of whoever may not read it any more, or sees other things now. */
      function stillAllowed(): boolean {
        const actor = parts.actorNow(account);
        if (actor && reachFor(actor, "device:read") && actor.role === account.role) return true;
        raw.end();
        return false;
      }
    },
  );

  app.addHook("preClose", async () => {
    for (const reply of open.keys()) reply.raw.end();
  });

  function snapshot(account: Account): LiveEvent {
    const ofSite = <Row extends { siteId: string }>(rows: Iterable<Row>) =>
      [...rows].filter((row) => row.siteId === account.siteId);
    return {
      event: "snapshot",
      data: {
        at: new Date().toISOString(),
        devices: ofSite(directory.devices).map((device) =>
          visibleTo(account, deviceAnswer(device, directory, now.device(device))),
        ),
        clusters: ofSite(directory.clusters).flatMap((cluster) =>
          cluster.unassigned ? [] : visibleTo(account, clusterAnswer(cluster, directory, now.cluster(cluster))),
        ),
        agents: reachFor(account, "agent:read")
          ? ofSite(directory.agents).map((agent) => agentAnswer(agent, directory, presence))
          : [],
        hub: hubInfo(),
      },
    };
  }

  function streamOf(siteId: string, view: View): LiveStream {
    const key = `${siteId} ${view}`;
    const known = streams.get(key) ?? { siteId, view, stream: new LiveStream() };
    streams.set(key, known);
    return known.stream;
  }

  /**
   * @param siteId whom it concerns; null = everybody.
   * @param event makes it as it is seen; not called when nobody will read it.
   */
  function push(siteId: string | null, event: (view: View) => LiveEvent, views: readonly View[] = VIEWS): void {
    for (const { siteId: ofSite, view, stream } of streams.values())
      if ((siteId === null || siteId === ofSite) && views.includes(view)) stream.push(() => event(view));
  }

  function pushChanges(): void {
    directory.onChange(({ type, before, after }) => {
      if (before && !after) push(before.siteId, () => ({ event: "removed", data: { kind: type, id: before.id } }));
    });
    wakes.onNews((wake, record) =>
      push(wake.siteId, () => ({ event: "wake", data: { wake: wake.id, deviceId: wake.deviceId, ...record } })),
    );
    powerOffs.onNews(({ id, siteId, deviceId }, record) =>
      push(siteId, () => ({ event: "power-off", data: { powerOff: id, deviceId, ...record } })),
    );
    parts.onSchedulesChanged((siteId) =>
      push(siteId, () => ({ event: "schedules", data: { at: new Date().toISOString() } })),
    );
    projection.onChange((kind, id) => {
      if (kind === "hub") return push(null, () => ({ event: "hub", data: hubInfo() }));
      if (kind === "device") {
        const device = directory.devices.byId(id);
        if (!device) return;
        const data = () => deviceAnswer(device, directory, now.device(device));
        push(device.siteId, (view) => ({
          event: "device",
          data: view === "whole" ? data() : visibleTo(PLAIN, data()),
        }));
      } else if (kind === "cluster") {
        const cluster = directory.clusters.byId(id);
        if (!cluster || cluster.unassigned) return;
        const data = () => clusterAnswer(cluster, directory, now.cluster(cluster));
        push(cluster.siteId, (view) => ({
          event: "cluster",
          data: view === "whole" ? data() : visibleTo(PLAIN, data()),
        }));
      } else {
        const agent = directory.agents.byId(id);
        if (!agent) return;
        push(agent.siteId, () => ({ event: "agent", data: agentAnswer(agent, directory, presence) }), ["whole"]);
      }
    });
  }
}

/** `plain`: neither agents nor users are seen. */
type View = "whole" | "plain";
const VIEWS = ["whole", "plain"] as const;

/** Stands for everybody with the plain view. */
const PLAIN: Actor = { userId: "", role: "viewer", permissions: null };

function viewOf(actor: Actor): View {
  return reachFor(actor, "agent:read") !== undefined && actor.role !== "viewer" ? "whole" : "plain";
}
