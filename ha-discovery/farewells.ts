/** How far a config of the other format was handed over; `before`: Home Assistant had its while since. */
type HandedOver = "just now" | "before";

/**
 * Topics that are taken back, or are to be; Home Assistant may still know what stood there.
 *
 * Each is taken back once more after a birth. Home Assistant has heard of that unless it is born again soon: then its
 * connection may have been broken already, which its broker notices late.
 */
export class Farewells {
  readonly #settleMs: number;
  readonly #topics = new Set<string>();
  readonly #afterBirth = new Set<string>();
  readonly #handedOver = new Map<string, HandedOver>();
  readonly #settling = new Map<string, NodeJS.Timeout>();

  /** @param settleMs how long after its birth Home Assistant counts as having heard. */
  constructor(settleMs: number) {
    this.#settleMs = settleMs;
  }

  get size(): number {
    return this.#topics.size;
  }

  get topics(): Iterable<string> {
    return this.#topics;
  }

  begin(topic: string): void {
    this.#topics.add(topic);
  }

  /** Who has come back without a restart goes by the other format, as long as nobody says again that it is handed over. */
  beginForGood(topic: string): void {
    this.#stopSettling(topic);
    this.#topics.add(topic);
    this.#afterBirth.add(topic);
    this.#handedOver.delete(topic);
  }

  isForGood(topic: string): boolean {
    return this.#afterBirth.has(topic);
  }

  handedOver(topic: string): HandedOver | undefined {
    return this.#handedOver.get(topic);
  }

  /** @param how undefined = not at all, or not any more. */
  noteHandOver(topic: string, how: HandedOver | undefined): void {
    if (how === undefined) this.#handedOver.delete(topic);
    else this.#handedOver.set(topic, how);
  }

  /** It was taken back after a birth: calls back when it is over, unless another birth comes before. */
  settle(topic: string, over: () => void): void {
    this.#stopSettling(topic);
    const timer = setTimeout(() => {
      this.end(topic);
      over();
    }, this.#settleMs);
    this.#settling.set(topic, timer.unref());
  }

  /** Something stands there again, or Home Assistant has heard that nothing does. */
  end(topic: string): void {
    this.#stopSettling(topic);
    this.#topics.delete(topic);
    this.#afterBirth.delete(topic);
  }

  /** The break may have been Home Assistant's too, which then gives birth again. */
  disconnected(): void {
    this.close();
    this.#afterBirth.clear();
    this.#handedOver.clear();
  }

  close(): void {
    for (const timer of this.#settling.values()) clearTimeout(timer);
    this.#settling.clear();
  }

  #stopSettling(topic: string): void {
    clearTimeout(this.#settling.get(topic));
    this.#settling.delete(topic);
  }
}
