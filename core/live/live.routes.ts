import type { FastifyReply } from "fastify";
import type { LiveEvent } from "#contracts/api/live.ts";
import type { HubInfo } from "#contracts/power.ts";
import { agentAnswer } from "../agents/agents.service.ts";
import type { Presence } from "../agents/presence.ts";
import { clusterAnswer } from "../clusters/clusters.service.ts";
import { deviceAnswer } from "../devices/devices.service.ts";
import { HubError } from "../kernel/errors.ts";
import type { App } from "../kernel/routes.ts";
import type { Directory } from "../members/directory.ts";
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
  readonly hubInfo: () => HubInfo;
  /** Whether a session is still good; asked while its stream is open. */
  readonly isSessionOpen: (sessionId: string) => boolean;
}

const MAX_STREAMS = 1_000;
/** A reader that does not read is let go when so much waits for it; it comes back with its last id. Bytes. */
const MAX_WAITING_BYTES = 4 * 1024 * 1024;
const PING_MS = 15_000;

/** Without an id: it resumes nothing. */
function ping(): string {
  const event: LiveEvent = { event: "ping", data: { at: new Date().toISOString() } };
  return `event: ${event.event}\ndata: ${JSON.stringify(event.data)}\n\n`;
}

export function liveRoutes(app: App, parts: LiveRoutes): void {
  const { directory, presence, now, projection, wakes, hubInfo } = parts;
  const stream = new LiveStream();
  const open = new Set<FastifyReply>();
  pushChanges();

  app.get(
    "/events",
    {
      exposeHeadRoute: false,
      config: { permission: "device:read" },
      schema: { summary: "Server-sent events: a snapshot, then changes" },
    },
    async (request, reply) => {
      if (open.size >= MAX_STREAMS) throw new HubError("TOO_MANY_REQUESTS", "Too many live streams are open");
      const { siteId, sessionId } = request.account;
      const lastEventId = request.headers["last-event-id"];
      reply.hijack();
      open.add(reply);
      const { raw } = reply;
      raw.writeHead(200, {
        "content-type": "text/event-stream; charset=utf-8",
        "cache-control": "no-store",
        "x-accel-buffering": "no",
      });
      const missed = typeof lastEventId === "string" ? stream.since(lastEventId) : undefined;
      if (missed) for (const event of missed) if (concerns(event.siteId, siteId)) raw.write(event.text);
      if (!missed) raw.write(eventText(stream.lastId, snapshot(siteId)));
      const waitingAtFirst = raw.writableLength; // a snapshot may be large, and is on its way
      const unsubscribe = stream.subscribe((event) => {
        if (!parts.isSessionOpen(sessionId)) return void raw.end();
        if (concerns(event.siteId, siteId)) raw.write(event.text);
        if (raw.writableLength > waitingAtFirst + MAX_WAITING_BYTES) raw.destroy();
      });
      const timer = setInterval(() => (parts.isSessionOpen(sessionId) ? raw.write(ping()) : raw.end()), PING_MS);
      raw.on("error", () => {}); // its close follows
      raw.on("close", () => {
        clearInterval(timer);
        unsubscribe();
        open.delete(reply);
      });
    },
  );

  app.addHook("preClose", async () => {
    for (const reply of open) reply.raw.end();
  });

  function concerns(eventSite: string | null, siteId: string): boolean {
    return eventSite === null || eventSite === siteId;
  }

  function snapshot(siteId: string): LiveEvent {
    const ofSite = <Row extends { siteId: string }>(rows: Iterable<Row>) =>
      [...rows].filter((row) => row.siteId === siteId);
    return {
      event: "snapshot",
      data: {
        at: new Date().toISOString(),
        devices: ofSite(directory.devices).map((device) => deviceAnswer(device, directory, now.device(device))),
        clusters: ofSite(directory.clusters).flatMap((cluster) =>
          cluster.unassigned ? [] : clusterAnswer(cluster, directory, now.cluster(cluster)),
        ),
        agents: ofSite(directory.agents).map((agent) => agentAnswer(agent, directory, presence)),
        hub: hubInfo(),
      },
    };
  }

  function pushChanges(): void {
    directory.onChange(({ type, before, after }) => {
      if (before && !after)
        stream.push(before.siteId, () => ({ event: "removed", data: { kind: type, id: before.id } }));
    });
    wakes.onNews((wake, record) =>
      stream.push(wake.siteId, () => ({ event: "wake", data: { wake: wake.id, deviceId: wake.deviceId, ...record } })),
    );
    projection.onChange((kind, id) => {
      if (kind === "hub") return stream.push(null, () => ({ event: "hub", data: hubInfo() }));
      if (kind === "device") {
        const device = directory.devices.byId(id);
        if (device)
          stream.push(device.siteId, () => ({
            event: "device",
            data: deviceAnswer(device, directory, now.device(device)),
          }));
      } else if (kind === "cluster") {
        const cluster = directory.clusters.byId(id);
        if (cluster && !cluster.unassigned)
          stream.push(cluster.siteId, () => ({
            event: "cluster",
            data: clusterAnswer(cluster, directory, now.cluster(cluster)),
          }));
      } else {
        const agent = directory.agents.byId(id);
        if (agent) stream.push(agent.siteId, () => ({ event: "agent", data: agentAnswer(agent, directory, presence) }));
      }
    });
  }
}
