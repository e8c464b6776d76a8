/** Counts the connections of each network that are not let in yet, and refuses too many. */
export class AddressQuota {
  readonly #limit: number;
  readonly #counts = new Map<string, number>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Returns what gives the place back, which may be called more than once; null where there is no place. */
  take(network: string): (() => void) | null {
    const count = this.#counts.get(network) ?? 0;
    if (count >= this.#limit) return null;
    this.#counts.set(network, count + 1);
    let isTaken = true;
    return () => {
      if (!isTaken) return;
      isTaken = false;
      const left = (this.#counts.get(network) ?? 1) - 1;
      if (left === 0) this.#counts.delete(network);
      else this.#counts.set(network, left);
    };
  }
}
