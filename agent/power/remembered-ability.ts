import type { PowerAbility, PowerSystem } from "./power-system.ts";

/** Asking is some processes, which small machines feel, and the inventory is looked at every minute. Milliseconds. */
const FRESH_MS = 5 * 60_000;

/** What a machine can do, for the inventory: asked now and then. Before it goes down, it is asked in any case. */
export class RememberedAbility {
  readonly #system: PowerSystem;
  #asked: Promise<PowerAbility> | undefined;
  #askedMs = 0;

  constructor(system: PowerSystem) {
    this.#system = system;
  }

  able(nowMs = performance.now()): Promise<PowerAbility> {
    if (this.#asked && nowMs - this.#askedMs < FRESH_MS) return this.#asked;
    this.#askedMs = nowMs;
    return (this.#asked = this.#system.able());
  }

  /** It may have changed: rights were given, a driver came with the resume. */
  forget(): void {
    this.#asked = undefined;
  }
}
