/** Of a message that waits for its place. */
interface Turn {
  readonly come: () => void;
  readonly refuse: (error: Error) => void;
}

/** A broker that is slow must not fill the memory. */
const MAX_WAITING = 200_000;

/** The messages that are on their way to a broker, so many at a time; the others wait in order. */
export class Flight {
  /** How many may be on their way. Those that are stay so when it becomes less. */
  limit: number;
  readonly #waiting: Turn[] = [];
  #flying = 0;

  constructor(limit: number) {
    this.limit = limit;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Sends when there is a place. @throws Error when too many wait already, and what `send` throws. */
  async take(send: () => Promise<unknown>): Promise<void> {
    if (this.#flying < this.limit) this.#flying++;
    else if (this.#waiting.length >= MAX_WAITING) throw new Error("too many messages wait for the broker");
    else await new Promise<void>((come, refuse) => this.#waiting.push({ come, refuse }));
    try {
      await send();
    } finally {
      // a place is handed over, so that nobody overtakes who waits
      const next = this.#flying > this.limit ? undefined : this.#waiting.shift();
      if (next) next.come();
      else this.#flying--;
    }
  }

  /** Nobody who waits gets a place any more. */
  refuseWaiting(error: Error): void {
    for (const { refuse } of this.#waiting.splice(0)) refuse(error);
  }
}
