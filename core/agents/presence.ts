import type { EntityManager } from "@mikro-orm/postgresql";
import type { Heartbeat } from "#contracts/agent.ts";
import type { Availability } from "#contracts/power.ts";
import { AgentHeartbeat } from "./agent.entity.ts";

/** What the hub knows of an agent right now, from its Will, its status and its heartbeats. */
export interface AgentPresence {
  readonly status: Availability;
  /** When the status last changed, as the hub saw it. */
  readonly since: Date;
  readonly heartbeat: Heartbeat | null;
  readonly lastSeenAt: Date;
}

export type PresenceListener = (agentId: string, status: Availability) => void;

/** Agents that were never heard of since the hub started are not in here; they count as offline. */
export class Presence {
  readonly #agents = new Map<string, AgentPresence>();
  readonly #listeners: PresenceListener[] = [];
  readonly #heardListeners: ((agentId: string) => void)[] = [];
  #online = 0;

  get onlineCount(): number {
    return this.#online;
  }

  /** Calls the listener when an agent goes online or offline. */
  onChange(listener: PresenceListener): void {
    this.#listeners.push(listener);
  }

  /** Calls the listener for each heartbeat that was not known yet. */
  onHeard(listener: (agentId: string) => void): void {
    this.#heardListeners.push(listener);
  }

  of(agentId: string): AgentPresence | undefined {
    return this.#agents.get(agentId);
  }

  isOnline(agentId: string): boolean {
    return this.#agents.get(agentId)?.status === "online";
  }

  /** A copy, so that a status may change meanwhile. */
  onlineIds(): string[] {
    return [...this.#agents].filter(([, { status }]) => status === "online").map(([id]) => id);
  }

  setStatus(agentId: string, status: Availability, now: Date): void {
    const before = this.#agents.get(agentId);
    const changed = (before?.status ?? "offline") !== status;
    this.#agents.set(agentId, {
      status,
      since: changed || !before ? now : before.since,
      heartbeat: before?.heartbeat ?? null,
      lastSeenAt: now,
    });
    if (!changed) return;
    if (status === "online") this.#online++;
    else this.#online--;
    for (const listener of this.#listeners) listener(agentId, status);
  }

  /** The newest heartbeat counts. A heartbeat says nothing about the status: it may be an old one, retained by a broker. */
  setHeartbeat(agentId: string, heartbeat: Heartbeat, now: Date): void {
    const before = this.#agents.get(agentId);
    this.#agents.set(agentId, {
      status: before?.status ?? "offline",
      since: before?.since ?? now,
      heartbeat,
      lastSeenAt: before?.status === "online" ? now : (before?.lastSeenAt ?? now),
    });
    const known = before?.heartbeat;
    if (known?.sequence === heartbeat.sequence && known.startedAt === heartbeat.startedAt) return; // a broker had kept it
    for (const listener of this.#heardListeners) listener(agentId);
  }

  /** What was known before this hub started, so that a list does not begin empty. */
  restore(agentId: string, heartbeat: Heartbeat, at: Date): void {
    if (!this.#agents.has(agentId))
      this.#agents.set(agentId, { status: "offline", since: at, heartbeat, lastSeenAt: at });
  }

  forget(agentId: string): void {
    if (this.isOnline(agentId)) this.#online--;
    this.#agents.delete(agentId);
  }
}

/** Reads the newest heartbeats that a former run wrote down. Every site. */
export async function restoreHeartbeats(em: EntityManager, presence: Presence): Promise<void> {
  for (const row of await em.find(AgentHeartbeat, {})) presence.restore(row.agentId, row.heartbeat, row.at);
}
