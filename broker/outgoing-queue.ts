import type { Publication } from "./publication.ts";

/** A message of QoS 1 that its reader has not acknowledged. */
export interface Outgoing {
  readonly publication: Publication;
  readonly retain: boolean;
  readonly subscriptionIdentifier: number | undefined;
  /** The packet identifier it was sent with, on this connection or an earlier one; 0 when it was not. */
  id: number;
  /** Whether it was sent on this connection. */
  isSent: boolean;
}

/** The messages of QoS 1 that one session is owed, oldest first and bounded. */
export class OutgoingQueue {
  readonly #limits: { readonly queuedMessages: number; readonly queuedBytes: number };
  readonly #onDropped: () => void;
  /** By the number of the message, which also keeps a message from being queued twice. */
  readonly #waiting = new Map<number, Outgoing>();
  readonly #byId = new Map<number, Outgoing>();
  #inFlight = 0;
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
    return this.#inFlight;
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

  hasId(id: number): boolean {
    return this.#byId.has(id);
  }

  markSent(message: Outgoing, id: number): void {
    message.id = id;
    message.isSent = true;
    this.#byId.set(id, message);
    this.#inFlight++;
  }

  /** Forgets an acknowledged message. False for an identifier that was not in use. */
  acknowledge(id: number): boolean {
    const message = this.#byId.get(id);
    if (message === undefined || !message.isSent) return false;
    this.remove(message);
    return true;
  }

  remove(message: Outgoing): void {
    if (this.#waiting.delete(message.publication.brokerCounter)) this.#bytes -= message.publication.size;
    if (message.id !== 0) this.#byId.delete(message.id);
    if (message.isSent) this.#inFlight--;
    message.isSent = false;
    if (message === this.#newest) this.#newest = null;
  }

  /** A new connection begins: everything is to be sent again, what was sent before with its identifier. MQTT 5 §4.4 */
  restart(): void {
    this.#inFlight = 0;
    for (const message of this.#waiting.values()) message.isSent = false;
  }

  /** The messages that were not sent on this connection, oldest first. */
  *unsent(): Generator<Outgoing> {
    for (const message of this.#waiting.values()) if (!message.isSent) yield message;
  }
}
