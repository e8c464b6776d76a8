import type { Sighting, SightingBatch } from "#contracts/agent.ts";
import type { Key } from "#contracts/key.ts";
import { topics } from "#contracts/topics.ts";
import type { Background } from "../background.ts";
import type { Outlet } from "../presence.ts";

/** Changes that come close together travel together; the first one waits for nothing. */
const BATCH_MS = 200;

/** With the longest keys and addresses, so many fit into a packet. */
const MAX_IN_A_PACKET = 500;

export interface SightingOutboxOptions {
  readonly key: Key;
  readonly outlet: Outlet;
  readonly now: () => Date;
  readonly inBackground: Background;
}

/** Sends sightings in batches. While it is shut it keeps nothing: the connection to come begins with all that is known. */
export class SightingOutbox {
  readonly #options: SightingOutboxOptions;
  readonly #waiting = new Map<Key, Sighting>();
  #timer: NodeJS.Timeout | undefined;
  #sentMs = 0;
  #isOpen = false;

  constructor(options: SightingOutboxOptions) {
    this.#options = options;
  }

  /** Sends all that is known, and from then on what changes. */
  async open(outlet: Outlet, known: readonly Sighting[]): Promise<void> {
    this.shut();
    this.#isOpen = true;
    await this.#publish(outlet, known, true);
  }

  shut(): void {
    this.#isOpen = false;
    this.#waiting.clear();
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  add(sighting: Sighting): void {
    if (!this.#isOpen) return;
    this.#waiting.set(sighting.device, sighting);
    const dueInMs = Math.max(0, this.#sentMs + BATCH_MS - performance.now());
    this.#timer ??= setTimeout(() => this.#options.inBackground("telling sightings", () => this.#send()), dueInMs);
  }

  async #send(): Promise<void> {
    this.#timer = undefined;
    const sightings = [...this.#waiting.values()];
    this.#waiting.clear();
    await this.#publish(this.#options.outlet, sightings, false);
  }

  async #publish(outlet: Outlet, sightings: readonly Sighting[], full: boolean): Promise<void> {
    const { key, now } = this.#options;
    this.#sentMs = performance.now();
    for (let from = 0; from === 0 || from < sightings.length; from += MAX_IN_A_PACKET) {
      const part = sightings.slice(from, from + MAX_IN_A_PACKET);
      const batch: SightingBatch = { at: now().toISOString(), full: full && from === 0, sightings: part, packets: [] };
      await outlet.publish(topics.agentSightings.for(key), JSON.stringify(batch), topics.agentSightings.options);
    }
  }
}
