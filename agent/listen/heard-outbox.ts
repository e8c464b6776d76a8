import type { PacketHeard, SightingBatch } from "#contracts/agent.ts";
import type { Key } from "#contracts/key.ts";
import { type TopicOptions, topics } from "#contracts/topics.ts";
import type { Background } from "../background.ts";
import type { HeardPacket } from "./listener.ts";

/** Packets that come close together are told together; the first one waits for nothing. */
const BATCH_MS = 200;
/** As many as one message may tell. */
const MOST_IN_BATCH = 500;

export interface HeardOutboxOptions {
  readonly key: Key;
  /** Publishes while there is a connection; what was heard without one is old news afterwards. */
  readonly publish: (topic: string, payload: string, options: TopicOptions) => Promise<unknown>;
  readonly now: () => Date;
  readonly inBackground: Background;
}

/** Tells the hub of magic packets, in batches and not more than one batch holds. */
export class HeardOutbox {
  readonly #options: HeardOutboxOptions;
  #waiting: PacketHeard[] = [];
  #timer: NodeJS.Timeout | undefined;
  #sentMs = -BATCH_MS;

  constructor(options: HeardOutboxOptions) {
    this.#options = options;
  }

  add(packet: HeardPacket): void {
    if (this.#waiting.length >= MOST_IN_BATCH) return;
    this.#waiting.push({ ...packet, at: this.#options.now().toISOString() });
    const dueInMs = Math.max(0, this.#sentMs + BATCH_MS - performance.now());
    this.#timer ??= setTimeout(
      () => this.#options.inBackground("telling of magic packets", () => this.#send()),
      dueInMs,
    );
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#waiting = [];
  }

  async #send(): Promise<void> {
    const { key, publish, now } = this.#options;
    this.#timer = undefined;
    this.#sentMs = performance.now();
    const packets = this.#waiting;
    this.#waiting = [];
    const batch: SightingBatch = { at: now().toISOString(), full: false, sightings: [], packets };
    await publish(topics.agentSightings.for(key), JSON.stringify(batch), topics.agentSightings.options);
  }
}
