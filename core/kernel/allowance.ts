/** Lets so many through in each period, for each name and for all together. */
export class Allowance {
  readonly #options: { readonly each: number; readonly all: number; readonly periodMs: number };
  readonly #taken = new Map<string, number>();
  #all = 0;
  #period = -1;

  constructor(options: { readonly each: number; readonly all: number; readonly periodMs: number }) {
    this.#options = options;
  }

  /** @param nowMs on any clock that only goes on. */
  take(name: string, nowMs: number): boolean {
    const period = Math.floor(nowMs / this.#options.periodMs);
    if (period !== this.#period) {
      this.#period = period;
      this.#all = 0;
      this.#taken.clear();
    }
    const taken = this.#taken.get(name) ?? 0;
    if (this.#all >= this.#options.all || taken >= this.#options.each) return false;
    this.#all++;
    this.#taken.set(name, taken + 1);
    return true;
  }
}
