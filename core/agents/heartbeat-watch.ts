import type { Heartbeat } from "#contracts/agent.ts";
import type { Availability } from "#contracts/power.ts";
import type { Presence } from "./presence.ts";

/** Three heartbeats, of one each 30 s. */
const SILENT_AFTER_MS = 90_000;
const LOOK_EVERY_MS = 10_000;
/** A broker that is started anew is back sooner. */
const AWAY_AFTER_MS = 5_000;

export interface HeartbeatWatch {
  status(agentId: string, status: Availability): void;
  heartbeat(agentId: string, heartbeat: Heartbeat): void;
  connected(): void;
  broken(): void;
  close(): void;
}

/**
 * Doubts what an outer broker says of agents. It may have kept `online` of one that died while the broker was down, and then
 * nobody publishes the Will: an agent without a new heartbeat for 90 s counts as offline until there is one. While there is
 * no broker, no agent can be reached at all.
 */
export function watchHeartbeats(presence: Presence, silentAfterMs = SILENT_AFTER_MS): HeartbeatWatch {
  const claims = new Map<string, Availability>();
  /** The newest heartbeat of each agent, and when it was new. */
  const signs = new Map<string, { heartbeat: string; atMs: number }>();
  let connectedMs = performance.now();
  let away: NodeJS.Timeout | undefined;
  const look = setInterval(
    () => {
      const before = performance.now() - silentAfterMs;
      for (const id of presence.onlineIds())
        if (Math.max(connectedMs, signs.get(id)?.atMs ?? 0) < before) presence.setStatus(id, "offline", new Date());
    },
    Math.min(LOOK_EVERY_MS, silentAfterMs),
  );
  return {
    status: (id, status) => {
      claims.set(id, status);
      presence.setStatus(id, status, new Date());
    },
    heartbeat: (id, { startedAt, sequence }) => {
      const heartbeat = `${startedAt} ${sequence}`;
      const isNew = signs.get(id)?.heartbeat !== heartbeat;
      if (!isNew) return; // retained: it was sent at any time
      const isFirst = !signs.has(id);
      signs.set(id, { heartbeat, atMs: isFirst ? connectedMs : performance.now() });
      if (!isFirst && claims.get(id) === "online" && !presence.isOnline(id))
        presence.setStatus(id, "online", new Date());
    },
    connected: () => {
      clearTimeout(away);
      away = undefined;
      connectedMs = performance.now();
    },
    broken: () => {
      // each attempt that comes to nothing is told as well
      away ??= setTimeout(() => {
        for (const id of presence.onlineIds()) presence.setStatus(id, "offline", new Date());
      }, AWAY_AFTER_MS);
    },
    close: () => {
      clearInterval(look);
      clearTimeout(away);
    },
  };
}
