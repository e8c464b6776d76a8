import { randomBytes } from "node:crypto";
import type { LiveEvent } from "#contracts/api/live.ts";

export interface StreamedEvent {
  readonly id: string;
  /** The event as it goes over the wire. */
  readonly text: string;
}

/** So many events wait for whoever lost the connection; who missed more gets a snapshot. */
const KEPT = 2_000;

/** Whoever comes back later than this gets a snapshot, too; so nothing is kept while nobody looks. Milliseconds. */
const KEPT_AFTER_LAST_MS = 60_000;

/** The changes of the last moments, numbered. Ids of another stream, or another run of the hub, are told apart by a random prefix. */
export class LiveStream {
  readonly #run = randomBytes(4).toString("hex");
  readonly #kept: StreamedEvent[] = [];
  readonly #subscribers = new Set<(event: StreamedEvent) => void>();
  #count = 0;
  #lastLeftMs = Number.NEGATIVE_INFINITY;

  get lastId(): string {
    return `${this.#run}-${this.#count}`;
  }

  /** @param event makes the event; not called when nobody will read it. */
  push(event: () => LiveEvent): void {
    this.#count++;
    if (this.#subscribers.size === 0 && performance.now() - this.#lastLeftMs > KEPT_AFTER_LAST_MS) {
      this.#kept.length = 0;
      return;
    }
    const streamed = { id: this.lastId, text: eventText(this.lastId, event()) };
    this.#kept.push(streamed);
    if (this.#kept.length > KEPT * 2) this.#kept.splice(0, KEPT);
    for (const subscriber of this.#subscribers) subscriber(streamed);
  }

  /** What came after an event; undefined when that is not known any more. */
  since(lastEventId: string): readonly StreamedEvent[] | undefined {
    const [run, count] = lastEventId.split("-");
    if (run !== this.#run) return undefined;
    const missed = this.#count - Number(count);
    if (!(missed >= 0 && missed <= this.#kept.length)) return undefined;
    return missed === 0 ? [] : this.#kept.slice(-missed);
  }

  subscribe(subscriber: (event: StreamedEvent) => void): () => void {
    this.#subscribers.add(subscriber);
    return () => {
      this.#subscribers.delete(subscriber);
      this.#lastLeftMs = performance.now();
    };
  }
}

export function eventText(id: string, { event, data }: LiveEvent): string {
  return `id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}
