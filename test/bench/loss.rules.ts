/** Numbers from 0 to 1 that look like chance and are the same in every run (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * Which packets a lossy way lets through.
 *
 * It is good or bad at any moment and loses everything while it is bad (Gilbert, "Capacity of a burst-noise channel", 1960). With
 * `memoryMs` 0 each packet has its own luck; else what happens to one tells of those that follow within about that time, as
 * where a radio sleeps, a switch learns its ports anew or a cable is loose.
 */
export class LossyWay {
  readonly #loss: number;
  readonly #memoryMs: number;
  readonly #chance: () => number;
  #last: { readonly isBad: boolean; readonly atMs: number } | undefined;

  constructor(options: { readonly loss: number; readonly memoryMs: number; readonly chance: () => number }) {
    this.#loss = options.loss;
    this.#memoryMs = options.memoryMs;
    this.#chance = options.chance;
  }

  letsThrough(atMs: number): boolean {
    const last = this.#last;
    const kept = last && this.#memoryMs > 0 ? Math.exp(-(atMs - last.atMs) / this.#memoryMs) : 0;
    const badness = this.#loss + kept * ((last?.isBad ? 1 : 0) - this.#loss);
    const isBad = this.#chance() < badness;
    this.#last = { isBad, atMs };
    return !isBad;
  }
}
