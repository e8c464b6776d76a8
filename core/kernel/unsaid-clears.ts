/** More than this, and the oldest stay where they are. */
const MAX_TOPICS = 100_000;

/** Topics whose retained messages were to go while the broker was away. It still has them, and nobody else would clear them. */
export class UnsaidClears {
  readonly #topics = new Set<string>();

  /** Takes note of a message that the broker did not take. */
  note(topic: string, payload: string, isRetained: boolean | undefined): void {
    if (payload !== "" || isRetained !== true) return;
    this.#topics.add(topic);
    for (const oldest of this.#topics) {
      if (this.#topics.size <= MAX_TOPICS) break;
      this.#topics.delete(oldest);
    }
  }

  take(): string[] {
    const topics = [...this.#topics];
    this.#topics.clear();
    return topics;
  }
}
