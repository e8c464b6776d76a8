/**
 * Whether the hub is behind with what clients send to it.
 *
 * Nobody waits for another client, but everybody waits for the hub: it runs in this process, so messages that it has not
 * read yet are memory of this process.
 */
export class Congestion {
  #waiting: (() => void)[] = [];
  isHigh = false;

  /** Calls back, once, when the hub has caught up. */
  wait(resume: () => void): void {
    this.#waiting.push(resume);
  }

  begin(whenOver: (callback: () => void) => void): void {
    if (this.isHigh) return;
    this.isHigh = true;
    whenOver(() => {
      this.isHigh = false;
      const waiting = this.#waiting;
      this.#waiting = [];
      for (const resume of waiting) resume();
    });
  }
}
