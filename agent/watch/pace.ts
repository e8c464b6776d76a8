import { setTimeout as sleep } from "node:timers/promises";

/** Lets so many begin at once, and the others with a pause between each two. */
export class Pace {
  readonly #everyMs: number;
  readonly #atOnce: number;
  #nextMs = -Infinity;

  constructor({ everyMs, atOnce }: { readonly everyMs: number; readonly atOnce: number }) {
    this.#everyMs = everyMs;
    this.#atOnce = atOnce;
  }

  /** When it is this one's turn. Milliseconds from now; taken at once. */
  takeMs(nowMs: number): number {
    this.#nextMs = Math.max(this.#nextMs, nowMs - this.#atOnce * this.#everyMs) + this.#everyMs;
    return Math.max(0, this.#nextMs - nowMs);
  }

  async turn(): Promise<void> {
    const inMs = this.takeMs(performance.now());
    if (inMs > 0) await sleep(inMs);
  }
}
