/** Packets of one burst for the same machine from the same address count once within this. Milliseconds. */
const BURST_MS = 1_500;
/** More machines than this in one period can only be a flood; the rest of it is not told. */
const MOST_IN_PERIOD = 400;
const PERIOD_MS = 1_000;

/** Which of the magic packets that are heard are worth telling: the first of each burst, and a bounded number of those. */
export class Hearing {
  readonly #heardMs = new Map<string, number>();
  #periodMs = Number.NEGATIVE_INFINITY;
  #inPeriod = 0;

  /** @param nowMs on the monotonic clock. */
  isNew({ mac, from }: { readonly mac: string; readonly from: string }, nowMs: number): boolean {
    if (nowMs - this.#periodMs >= PERIOD_MS) this.#nextPeriod(nowMs);
    const burst = `${mac} ${from}`;
    const heardMs = this.#heardMs.get(burst);
    if (heardMs !== undefined && nowMs - heardMs < BURST_MS) return false;
    if (this.#inPeriod >= MOST_IN_PERIOD) return false;
    this.#inPeriod += 1;
    this.#heardMs.delete(burst); // so that the oldest come first
    this.#heardMs.set(burst, nowMs);
    return true;
  }

  #nextPeriod(nowMs: number): void {
    this.#periodMs = nowMs;
    this.#inPeriod = 0;
    for (const [burst, heardMs] of this.#heardMs) {
      if (nowMs - heardMs < BURST_MS) break;
      this.#heardMs.delete(burst);
    }
  }
}
