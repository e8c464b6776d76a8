import type { Key } from "#contracts/key.ts";
import type { Presence } from "../agents/presence.ts";
import type { OwnAgent } from "./power.rules.ts";

/** An agent that restarts is back within moments; only after these its devices count as out of sight. Milliseconds. */
export const LOOK_GRACE_MS = 15_000;

interface Leaving {
  readonly leftMs: number;
  readonly timer: NodeJS.Timeout;
}

interface Heard {
  readonly at: Date;
  readonly atMs: number;
}

export interface AttendanceOptions {
  readonly presence: Presence;
  readonly graceMs: number;
  /** A clock that only runs on, in milliseconds. */
  readonly monotonicMs: () => number;
  /** An agent came online, or went offline. */
  readonly onPresence: (agentId: string) => void;
  /** An agent has been offline for longer than a restart takes. */
  readonly onGone: (agentId: string) => void;
  readonly onHeard: (agentId: string) => void;
}

/** Which agents are here to look, or were until a moment ago, and when each was last heard. */
export class Attendance {
  readonly #options: AttendanceOptions;
  readonly #leaving = new Map<string, Leaving>();
  readonly #heard = new Map<string, Heard>();

  constructor(options: AttendanceOptions) {
    this.#options = options;
    const { presence, onPresence, onHeard } = options;
    presence.onChange((agentId, status) => {
      if (status === "online") this.#came(agentId);
      else this.#leaves(agentId);
      onPresence(agentId);
    });
    presence.onHeard((agentId) => {
      if (!this.isOnline(agentId)) return; // retained by a broker
      this.#note(agentId);
      onHeard(agentId);
    });
  }

  isOnline(agentId: string): boolean {
    return this.#options.presence.isOnline(agentId);
  }

  /** Online, or gone only a moment ago. */
  isHere(agentId: string): boolean {
    return this.isOnline(agentId) || this.#leaving.has(agentId);
  }

  /** What it means for a device that this agent runs on its machine. */
  asOwnAgent(agent: { readonly id: string; readonly key: Key }): OwnAgent | null {
    const leaving = this.#leaving.get(agent.id);
    if (leaving) return { state: "leaving", leftMs: leaving.leftMs };
    if (!this.isOnline(agent.id)) return null;
    const { at, atMs } = this.#heard.get(agent.id) ?? this.#note(agent.id);
    return { state: "online", heardMs: atMs, evidence: { by: agent.key, how: "agent", at: at.toISOString() } };
  }

  forget(agentId: string): void {
    clearTimeout(this.#leaving.get(agentId)?.timer);
    this.#leaving.delete(agentId);
    this.#heard.delete(agentId);
    this.#options.presence.forget(agentId);
  }

  close(): void {
    for (const { timer } of this.#leaving.values()) clearTimeout(timer);
  }

  #came(agentId: string): void {
    clearTimeout(this.#leaving.get(agentId)?.timer);
    this.#leaving.delete(agentId);
    this.#note(agentId);
  }

  #leaves(agentId: string): void {
    const { graceMs, monotonicMs, onGone } = this.#options;
    this.#heard.delete(agentId);
    clearTimeout(this.#leaving.get(agentId)?.timer);
    const gone = () => {
      this.#leaving.delete(agentId);
      onGone(agentId);
    };
    this.#leaving.set(agentId, { leftMs: monotonicMs(), timer: setTimeout(gone, graceMs) });
  }

  #note(agentId: string): Heard {
    const heard = { at: new Date(), atMs: this.#options.monotonicMs() };
    this.#heard.set(agentId, heard);
    return heard;
  }
}
