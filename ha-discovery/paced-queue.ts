/** The most messages that wait for the broker's acknowledgement. */
const MAX_IN_FLIGHT = 20;
/** Entries looked at before other work gets a turn. */
const SLICE = 200;

export interface PacedQueueOptions {
  /** How many ranks there are; lower ones go first. */
  readonly ranks: number;
  /** How long an item that was worked on rests. What is added meanwhile waits, and counts once. */
  readonly paceMs: number;
  /** Does the work; undefined when there was nothing to do, and the item need not rest. Never fails. */
  readonly work: (item: string) => Promise<void> | undefined;
}

/**
 * Works on items in the order of their ranks, some at a time, and on each at most once in a while.
 *
 * Home Assistant skips parts of a config that follows another one too soon.
 */
export class PacedQueue {
  readonly #options: PacedQueueOptions;
  readonly #due: ReadonlyArray<Set<string>>;
  /** Until when each item rests. They rest equally long, so the first one is the first to be through. */
  readonly #resting = new Map<string, number>();
  readonly #later = new Map<string, number>();
  readonly #flying = new Set<string>();
  #paused = true;
  #turn: NodeJS.Immediate | undefined;
  #alarm: NodeJS.Timeout | undefined;

  constructor(options: PacedQueueOptions) {
    this.#options = options;
    this.#due = Array.from({ length: options.ranks }, () => new Set<string>());
  }

  add(item: string, rank: number): void {
    if (this.#resting.has(item)) this.#later.set(item, rank);
    else this.#due[rank]?.add(item);
    this.#soon();
  }

  has(item: string): boolean {
    return this.#flying.has(item) || this.#later.has(item) || this.#due.some((items) => items.has(item));
  }

  /** Lets an item rest without working on it. */
  hold(item: string): void {
    for (const [rank, items] of this.#due.entries()) if (items.delete(item)) this.#later.set(item, rank);
    this.#rest(item);
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#soon();
  }

  close(): void {
    this.#paused = true;
    clearImmediate(this.#turn);
    clearTimeout(this.#alarm);
  }

  #soon(): void {
    if (this.#paused) return;
    this.#turn ??= setImmediate(() => {
      this.#turn = undefined;
      this.#run();
    });
  }

  #run(): void {
    for (let looked = 0; looked < SLICE; looked++) {
      if (this.#paused || this.#flying.size >= MAX_IN_FLIGHT) return; // the next acknowledgement, or `resume`, goes on
      const item = this.#shift();
      if (item === undefined) return;
      this.#begin(item);
    }
    this.#soon();
  }

  #shift(): string | undefined {
    for (const due of this.#due) {
      for (const item of due) {
        due.delete(item);
        return item;
      }
    }
    return undefined;
  }

  #begin(item: string): void {
    const work = this.#options.work(item);
    if (!work) return;
    this.#flying.add(item);
    this.#rest(item);
    void work.finally(() => {
      this.#flying.delete(item);
      this.#soon();
    });
  }

  #rest(item: string): void {
    this.#resting.delete(item); // the last one rests longest
    this.#resting.set(item, performance.now() + this.#options.paceMs);
    this.#alarm ??= setTimeout(() => this.#wake(), this.#options.paceMs);
  }

  #wake(): void {
    this.#alarm = undefined;
    const now = performance.now();
    for (const [item, until] of this.#resting) {
      if (until > now) {
        this.#alarm = setTimeout(() => this.#wake(), until - now);
        break;
      }
      this.#resting.delete(item);
      const rank = this.#later.get(item);
      if (rank === undefined) continue;
      this.#later.delete(item);
      this.#due[rank]?.add(item);
    }
    this.#soon();
  }
}
