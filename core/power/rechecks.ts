/** Calls again for things that time alone may change, once each. */
export class Rechecks {
  readonly #recheck: (id: string) => void;
  readonly #timers = new Map<string, NodeJS.Timeout>();

  constructor(recheck: (id: string) => void) {
    this.#recheck = recheck;
  }

  /** In place of what was planned for it before; null = not at all. */
  plan(id: string, inMs: number | null): void {
    const timer = this.#timers.get(id);
    if (timer !== undefined) {
      clearTimeout(timer);
      this.#timers.delete(id);
    }
    if (inMs === null) return;
    const run = () => {
      this.#timers.delete(id);
      this.#recheck(id);
    };
    this.#timers.set(id, setTimeout(run, Math.max(1, inMs)));
  }

  close(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }
}
