import type { ReceiptTarget } from "#contracts/agent.ts";
import { Key } from "#contracts/key.ts";
import type { Evidence } from "#contracts/power.ts";
import { type AgentFailure, FINAL_STAGES, type WakeStageRecord } from "#contracts/wake.ts";
import type { AnswerAddress } from "../kernel/answer.ts";
import type { Trail } from "../kernel/trail.ts";
import type { DirectoryAgent, DirectoryDevice } from "../members/directory.ts";
import { addAsker } from "./askers.ts";
import { type SentWay, MAX_SENT_WAYS } from "./recipe.rules.ts";
import { pauseAfterBurst, pauseAfterFailure } from "./wake.rules.ts";

/** Somebody who wants to hear the results of a wake. */
export interface Asker {
  readonly by: string;
  /** The door that the request came by; user names of people and of MQTT clients are apart. */
  readonly door: "http" | "mqtt" | "mqtt-person" | "hub";
  readonly transaction: string | null;
  readonly response: AnswerAddress | null;
  /** The audit log under the asker's name. */
  readonly trail: Trail;
  /** Whether the asker may wake what the devices that were asked for need. */
  readonly mayWake: (device: DirectoryDevice) => boolean;
}

/** A packet of a wake that another agent heard. */
export interface HeardOnWire {
  readonly agent: Key;
  readonly from: string;
  readonly port: number;
  readonly atMs: number;
  /** Its stage follows the one that tells of the sending. */
  isTold: boolean;
}

export interface AgentInWake {
  readonly id: string;
  readonly key: Key;
  stage: "asked" | "sent" | "failed" | "refused";
  reason: string | null;
}

/** One wake of one device: what happened so far, and when the next burst is due. Instants on the monotonic clock end in `Ms`. */
export class RunningWake {
  readonly id: string;
  readonly deviceId: string;
  readonly deviceKey: Key;
  readonly siteId: string;
  readonly clusterKey: string;
  readonly requestedAt: Date;
  readonly requestedBy: string;
  readonly askers: Asker[];
  readonly agents = new Map<string, AgentInWake>();
  readonly stages: WakeStageRecord[] = [];
  readonly startedMs: number;
  readonly windowMs: number;
  readonly force: boolean;
  /** When it gives up. Each hold moves it on: what the device waits for is not its own time. */
  endsMs: number;
  /** Whether it waits, before its first burst, for its machine to go down. */
  awaitsDown = false;
  /** Whether it waits, before its first burst, for what its device needs, or for its turn. */
  isHeld = false;
  /** The first burst; null before it. */
  firstBurstMs: number | null = null;
  /** Whether the device was known to be off when the first burst left: only then there is something to learn. */
  wasOff = false;
  /** The ways that packets took, with the first time each. */
  readonly sent: SentWay[] = [];
  /** The first agent that heard a magic packet of this wake on its segment. */
  heard: HeardOnWire | null = null;
  /** Infinity when no further burst follows. */
  nextBurstMs: number;
  bursts = 0;
  /** Bursts in a row that every agent failed to send. */
  failedBursts = 0;
  finishedAt: Date | null = null;
  finishedMs: number | null = null;
  seconds: number | null = null;
  evidence: Evidence | null = null;
  /** Seen up before any agent said that it sent: the receipt of a burst under way follows in a moment. */
  early: { readonly evidence: Evidence; readonly atMs: number } | null = null;
  #answersOfBurst = new Map<string, ReceiptTarget>();
  #hasBurstFailed = false;

  constructor(
    id: string,
    target: { device: DirectoryDevice; clusterKey: string },
    asker: Asker,
    clock: { now: Date; nowMs: number },
    { windowMs, force }: { windowMs: number; force: boolean },
  ) {
    this.id = id;
    this.deviceId = target.device.id;
    this.deviceKey = Key.parse(target.device.key);
    this.siteId = target.device.siteId;
    this.clusterKey = target.clusterKey;
    this.requestedAt = clock.now;
    this.requestedBy = asker.by;
    this.askers = [asker];
    this.startedMs = clock.nowMs;
    this.windowMs = windowMs;
    this.force = force;
    this.endsMs = clock.nowMs + windowMs;
    this.nextBurstMs = Number.POSITIVE_INFINITY;
  }

  get last(): WakeStageRecord | undefined {
    return this.stages.at(-1);
  }

  /** The newest step or the end; a wake that was just made counts as accepted. */
  get stage(): WakeStageRecord["stage"] {
    return this.last?.stage ?? "accepted";
  }

  get isOver(): boolean {
    return this.finishedAt !== null;
  }

  get wasSent(): boolean {
    return [...this.agents.values()].some((agent) => agent.stage === "sent");
  }

  secondsSince(nowMs: number): number {
    return Math.round((nowMs - this.startedMs) / 100) / 10;
  }

  /** One more who wants to hear the results; false when there are too many already. */
  join(asker: Asker): boolean {
    return addAsker(this.askers, asker);
  }

  /** Its time does not run while it waits for others. */
  holdBack(): void {
    this.isHeld = true;
    this.endsMs = Number.POSITIVE_INFINITY;
  }

  letGo(nowMs: number): void {
    this.isHeld = false;
    this.endsMs = nowMs + this.windowMs;
  }

  /** Notes that these agents are asked once more. */
  beginBurst(agents: readonly DirectoryAgent[], nowMs: number): void {
    this.bursts++;
    this.firstBurstMs ??= nowMs;
    this.#answersOfBurst = new Map();
    this.#hasBurstFailed = false;
    for (const { id, key } of agents) {
      const known = this.agents.get(id);
      if (!known) this.agents.set(id, { id, key: Key.parse(key), stage: "asked", reason: null });
    }
    this.nextBurstMs = nowMs + pauseAfterBurst(this.bursts);
  }

  /**
   * Takes in what an agent did. Returns true when this is the first time that the agent sent.
   *
   * @param order how many were asked, and when.
   */
  take(
    agent: DirectoryAgent,
    target: ReceiptTarget,
    order: { readonly asked: number; readonly atMs: number },
  ): boolean {
    const part = this.agents.get(agent.id) ?? {
      id: agent.id,
      key: Key.parse(agent.key),
      stage: "asked" as const,
      reason: null,
    };
    this.agents.set(agent.id, part);
    const first = target.outcome === "sent" && part.stage !== "sent";
    if (target.outcome === "sent" || part.stage !== "sent") {
      part.stage = target.outcome;
      part.reason = target.reason;
    }
    this.#answersOfBurst.set(agent.id, target);
    if (target.outcome === "sent") this.#noteWays(agent, target, order.atMs);
    if (target.outcome === "sent") this.failedBursts = 0;
    // receipts come at least once, and a burst fails only once
    else if (!this.#hasBurstFailed && this.#answersOfBurst.size >= order.asked && !this.#hasSentInBurst()) {
      this.#hasBurstFailed = true;
      this.failedBursts++;
      const pauseMs = pauseAfterFailure([...this.#answersOfBurst.values()], this.failedBursts);
      if (pauseMs !== undefined) this.nextBurstMs = Math.min(this.nextBurstMs, performance.now() + pauseMs);
    }
    return first;
  }

  #noteWays(agent: DirectoryAgent, { destinations }: ReceiptTarget, atMs: number): void {
    for (const { address, port, interface: name, error } of destinations) {
      if (error !== null || this.sent.length >= MAX_SENT_WAYS) continue;
      const isKnown = this.sent.some(
        (way) => way.agentId === agent.id && way.address === address && way.port === port && way.interface === name,
      );
      if (isKnown) continue;
      this.sent.push({ agentId: agent.id, agentKey: agent.key, interface: name, address, port, atMs });
    }
  }

  #hasSentInBurst(): boolean {
    return [...this.#answersOfBurst.values()].some(({ outcome }) => outcome === "sent");
  }

  record(record: WakeStageRecord): void {
    this.stages.push(record);
    if (!FINAL_STAGES.has(record.stage)) return;
    this.finishedAt = new Date(record.at);
    this.finishedMs = performance.now();
    if ("seconds" in record) this.seconds = record.stage === "awake" ? record.seconds : null;
    if ("evidence" in record) this.evidence = record.evidence;
  }

  failures(): AgentFailure[] {
    return [...this.agents.values()].flatMap(({ key, stage, reason }) => {
      if (stage === "sent") return [];
      const code = stage === "asked" ? "NO_RECEIPT" : "SEND_FAILED";
      return [{ agent: key, code, reason: reason ?? (stage === "asked" ? "It did not answer" : "It did not say why") }];
    });
  }
}
