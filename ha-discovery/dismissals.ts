import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import type { DiscoveryRef } from "#contracts/discovery.ts";
import type { DiscoveredThings, Sender } from "./hub.ts";
import { objectIdOf } from "./object-id.ts";

/** A change that the database could not take is tried again after so long. */
const AGAIN_MS = 10_000;

/** What people deleted in Home Assistant, until that is noted down. */
export class Dismissals {
  readonly #objectIds = new Set<string>();
  readonly #end = new AbortController();
  readonly #things: DiscoveredThings;
  readonly #log: Logger;

  constructor(things: DiscoveredThings, log: Logger) {
    this.#things = things;
    this.#log = log;
  }

  has(ref: DiscoveryRef): boolean {
    return this.#objectIds.has(objectIdOf(ref));
  }

  async note(ref: DiscoveryRef, sender: Sender): Promise<void> {
    const { signal } = this.#end;
    const objectId = objectIdOf(ref);
    this.#objectIds.add(objectId);
    while (!signal.aborted) {
      try {
        await this.#things.hide(ref, sender);
        break;
      } catch (error) {
        this.#log.warn({ err: error, objectId }, "what was deleted in Home Assistant could not be noted down yet");
        await delay(AGAIN_MS, undefined, { signal, ref: false }).catch(() => {}); // the hub ends
      }
    }
    this.#objectIds.delete(objectId);
  }

  close(): void {
    this.#end.abort();
  }
}
