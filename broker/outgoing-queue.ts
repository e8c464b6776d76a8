import type { Publication } from "./publication.ts";

/** A message of QoS 1 that its reader has not acknowledged. */
export interface Outgoing {
  readonly publication: Publication;
  readonly retain: boolean;
  /** Subscription Identifiers. */
  readonly identifiers: Identifiers;
  /** The packet identifier it was sent with, on this connection or an earlier one; 0 when it was not. */
  id: number;
  /** Whether it was sent on this connection. */
  isSent: boolean;
  /** Whether the store may have it. */
  isStored?: boolean;
}

/** The Subscription Identifiers of all subscriptions that a message came for. */
export type Identifiers = number | readonly number[] | undefined;

export interface QueueLimits {
  readonly queuedMessages: number;
  readonly queuedBytes: number;
}

export interface QueueOptions {
  readonly limits: QueueLimits;
  readonly onDropped: () => void;
  /** Called when there is something to store; null where the queue ends with its connection. */
  readonly onChange: (() => void) | null;
}

/** What a store has to be told of a queue. */
export interface QueueChanges {
  readonly added: readonly Outgoing[];
  /** Numbers of messages that are gone while the store may have them; `all` where it is to forget the whole queue first. */
  readonly left: readonly number[] | "all";
}

/** More than this, and the whole queue is stored anew. */
const LEFT_LIMIT = 2_000;

/** The messages of QoS 1 that one session is owed, oldest first and bounded. */
export class OutgoingQueue {
  readonly #options: QueueOptions;
  /** By the number of the message, which also keeps a message from being queued twice. */
  readonly #waiting = new Map<number, Outgoing>();
  readonly #byId = new Map<number, Outgoing>();
  #inFlight = 0;
  #newest: Outgoing | null = null;
  #bytes = 0;
  #unstored = new Set<Outgoing>();
  #left: number[] | "all" = [];

  constructor(options: QueueOptions) {
    this.#options = options;
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
    this.#noteUnstored(message);
    const { queuedMessages, queuedBytes } = this.#options.limits;
    while (this.#waiting.size > queuedMessages || this.#bytes > queuedBytes) {
      const oldest = this.#waiting.values().next().value;
      if (oldest === undefined) break;
      this.remove(oldest);
      this.#options.onDropped();
    }
    return this.#waiting.has(number);
  }

  hasId(id: number): boolean {
    return this.#byId.has(id);
  }

  markSent(message: Outgoing, id: number): void {
    if (message.id !== id) {
      message.id = id;
      this.#noteUnstored(message);
    }
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
    const number = message.publication.brokerCounter;
    if (this.#waiting.delete(number)) this.#bytes -= message.publication.size;
    if (message.id !== 0) this.#byId.delete(message.id);
    if (message.isSent) this.#inFlight--;
    message.isSent = false;
    if (message === this.#newest) this.#newest = null;
    if (this.#options.onChange === null) return;
    this.#unstored.delete(message);
    if (message.isStored === true) this.#noteLeft([number]);
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

  /** Takes back what the store had. */
  restore(message: Outgoing): void {
    message.isStored = true;
    this.#waiting.set(message.publication.brokerCounter, message);
    this.#bytes += message.publication.size;
    if (message.id !== 0) this.#byId.set(message.id, message);
  }

  /** What the store lacks, and what it has too much. Both count as done, see `takeBack`. */
  takeChanges(): QueueChanges {
    const changes = { added: [...this.#unstored], left: this.#left };
    for (const message of changes.added) message.isStored = true;
    this.#unstored = new Set();
    this.#left = [];
    return changes;
  }

  /** The store could not be told: it is told again. */
  takeBack({ added, left }: QueueChanges): void {
    for (const message of added)
      if (this.#waiting.get(message.publication.brokerCounter) === message) this.#noteUnstored(message);
    this.#noteLeft(left);
  }

  #noteUnstored(message: Outgoing): void {
    if (this.#options.onChange === null) return;
    this.#unstored.add(message);
    this.#options.onChange();
  }

  #noteLeft(left: QueueChanges["left"]): void {
    const known = this.#left;
    if (known !== "all") {
      if (left !== "all" && known.length + left.length <= LEFT_LIMIT) known.push(...left);
      else {
        this.#left = "all";
        this.#unstored = new Set(this.#waiting.values());
      }
    }
    this.#options.onChange?.();
  }
}
