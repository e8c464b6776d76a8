/** So many targets' packets leave together; more would overflow the buffers of sockets and cheap switches. */
const TURNS_PER_SLICE = 30;
const SLICE_MS = 5;

/** Lets the first ones through at once and the others in slices, in the order they came. Shared by all orders. */
export class Pacer {
  #left = TURNS_PER_SLICE;
  #isRunning = false;
  readonly #waiting: (() => void)[] = [];

  /** Undefined when it is the caller's turn already, so that a single packet waits for nothing. */
  turn(): Promise<void> | undefined {
    if (!this.#isRunning) this.#planNextSlice();
    if (this.#left > 0) {
      this.#left -= 1;
      return undefined;
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** How many turns are waiting. */
  get backlog(): number {
    return this.#waiting.length;
  }

  #planNextSlice(): void {
    this.#isRunning = true;
    setTimeout(() => this.#nextSlice(), SLICE_MS);
  }

  #nextSlice(): void {
    const slice = this.#waiting.splice(0, TURNS_PER_SLICE);
    this.#left = TURNS_PER_SLICE - slice.length;
    if (slice.length > 0) this.#planNextSlice();
    else this.#isRunning = false;
    for (const go of slice) go();
  }
}
