import type { Publication } from "./publication.ts";

/** A message of QoS 1 that its reader has not acknowledged. */
export interface Outgoing {
  readonly publication: Publication;
  readonly retain: boolean;
  readonly subscriptionIdentifier: number | undefined;
  /** The packet identifier it was sent with on this connection; 0 when it was not. */
  id: number;
}

/** The messages of QoS 1 that one session is owed, oldest first and bounded. */
export class OutgoingQueue {
  readonly #limits: { readonly queuedMessages: number; readonly queuedBytes: number };
  readonly #onDropped: () => void;
  /** By the number of the message, which also keeps a message from being queued twice. */
  readonly #waiting = new Map<number, Outgoing>();
  readonly #sent = new Map<number, number>();
  #newest: Outgoing | null = null;
  #bytes = 0;

  constructor(limits: { readonly queuedMessages: number; readonly queuedBytes: number }, onDropped: () => void) {
    this.#limits = limits;
    this.#onDropped = onDropped;
  }

  get size(): number {
    return this.#waiting.size;
  }

  get inFlight(): number {
    return this.#sent.size;
  }

  /** The message that was added last. */
  get newest(): Outgoing | null {
    return this.#newest;
  }

  /** False when it is queued already. */
  add(message: Outgoing): boolean {
    const number = message.publication.brokerCounter;
    if (this.#waiting.has(number)) return false;
    this.#waiting.set(number, message);
    this.#newest = message;
    this.#bytes += message.publication.size;
    while (this.#waiting.size > this.#limits.queuedMessages || this.#bytes > this.#limits.queuedBytes) {
      const oldest = this.#waiting.values().next().value;
      if (oldest === undefined) break;
      this.remove(oldest);
      this.#onDropped();
    }
    return this.#waiting.has(number);
  }

  isInFlight(id: number): boolean {
    return this.#sent.has(id);
  }

  markSent(message: Outgoing, id: number): void {
    message.id = id;
    this.#sent.set(id, message.publication.brokerCounter);
  }

  /** Forgets an acknowledged message. False for an identifier that was not in use. */
  acknowledge(id: number): boolean {
    const number = this.#sent.get(id);
    const message = number === undefined ? undefined : this.#waiting.get(number);
    if (message) this.remove(message);
    return message !== undefined;
  }

  remove(message: Outgoing): void {
    if (this.#waiting.delete(message.publication.brokerCounter)) this.#bytes -= message.publication.size;
    if (message.id !== 0) this.#sent.delete(message.id);
    if (message === this.#newest) this.#newest = null;
  }

  /** A new connection begins: everything is to be sent again. MQTT 5 §4.4 */
  restart(): void {
    this.#sent.clear();
    for (const message of this.#waiting.values()) message.id = 0;
  }

  /** The messages that were not sent on this connection, oldest first. */
  *unsent(): Generator<Outgoing> {
    for (const message of this.#waiting.values()) if (message.id === 0) yield message;
  }
}
