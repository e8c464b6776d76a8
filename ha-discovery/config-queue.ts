import type { DiscoveryRef } from "#contracts/discovery.ts";
import type { Farewells } from "./farewells.ts";
import type { Form } from "./form.ts";
import { PacedQueue } from "./paced-queue.ts";

/** Before anything is published in the other format. */
const HAND_OVER = 0;
/** Parents first: Home Assistant makes an empty device for one that it does not know yet. */
const RANKS: Readonly<Record<DiscoveryRef["type"], number>> = { hub: 1, device: 2, cluster: 3, agent: 4, schedule: 5 };
/** What is to go. */
const LAST = 5;

/** Config topics in the order in which Home Assistant is to hear of them. */
export class ConfigQueue {
  readonly #form: Form;
  readonly #farewells: Farewells;
  readonly #paced: PacedQueue;

  constructor(
    form: Form,
    farewells: Farewells,
    paced: { paceMs: number; work: (topic: string) => Promise<void> | undefined },
  ) {
    this.#form = form;
    this.#farewells = farewells;
    this.#paced = new PacedQueue({ ...paced, ranks: LAST + 1 });
  }

  add(topic: string): void {
    const place = this.#form.placeOf(topic);
    if (!place) return this.#paced.add(topic, LAST);
    if (place.format === this.#form.format) return this.#paced.add(topic, RANKS[place.ref.type]);
    if (this.#farewells.handedOver(topic)) return this.#paced.add(topic, LAST);
    this.hold(place.ref);
    this.#paced.add(topic, HAND_OVER);
  }

  /** Nothing is published of a thing before it is handed over, and Home Assistant had its while. */
  hold(ref: DiscoveryRef): void {
    for (const topic of this.#form.topicsOf(ref)) this.#paced.hold(topic);
  }

  /** Whether something is still to be done on a topic. */
  has(topic: string): boolean {
    return this.#paced.has(topic);
  }

  pause(): void {
    this.#paced.pause();
  }

  resume(): void {
    this.#paced.resume();
  }

  close(): void {
    this.#paced.close();
  }
}
