/** So many messages may be on their way out and back. */
const MAX_EXPECTED = 10_000;

/**
 * Knows the hub's own messages when they come back to it. MQTT 3.1.1 has no way to ask the broker for others' alone, and an
 * echo must not be taken for somebody else's wish.
 */
export class Echoes {
  readonly #expected = new Map<string, number>();

  expect(topic: string, payload: string): void {
    const message = `${topic}\0${payload}`;
    if (this.#expected.size >= MAX_EXPECTED) return;
    this.#expected.set(message, (this.#expected.get(message) ?? 0) + 1);
  }

  /** Whether the message is one of the hub's own; each is known once. */
  take(topic: string, payload: Buffer): boolean {
    if (this.#expected.size === 0) return false;
    const message = `${topic}\0${payload.toString("utf8")}`;
    const count = this.#expected.get(message);
    if (count === undefined) return false;
    if (count === 1) this.#expected.delete(message);
    else this.#expected.set(message, count - 1);
    return true;
  }

  clear(): void {
    this.#expected.clear();
  }
}
