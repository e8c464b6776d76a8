import type { Outbox } from "./outbox.ts";
import type { Identifiers, Outgoing, OutgoingQueue } from "./outgoing-queue.ts";
import type { Publication } from "./publication.ts";

export interface SubscriberOptions {
  readonly outbox: Outbox;
  readonly protocolVersion: 3 | 4 | 5;
  /** What the client takes: bytes of one packet, and unacknowledged messages. MQTT 5 §3.1.2.11 */
  readonly maximumPacketSize: number;
  readonly receiveMaximum: number;
  readonly isHub: boolean;
  /** Where messages of QoS 1 wait for their acknowledgement; null where nobody would ask for them again. */
  readonly queue: OutgoingQueue | null;
  readonly mayRead: (publication: Publication) => boolean;
}

/** The most unacknowledged messages there can be: one for each packet identifier. */
const IDENTIFIERS = 65_535;

/** The reading side of one connection. Every message is checked against the reader's rights on its way out. */
export class Subscriber {
  readonly #options: SubscriberOptions;
  readonly #window: number;
  #nextId = 1;
  #isReady = false;
  #onAcknowledged: (() => void)[] = [];

  constructor(options: SubscriberOptions) {
    this.#options = options;
    this.#window = Math.min(options.receiveMaximum, IDENTIFIERS);
  }

  get queued(): number {
    return this.#options.queue?.size ?? 0;
  }

  /** Whether a message of QoS 1 would be sent at once. */
  get hasRoom(): boolean {
    const { queue } = this.#options;
    return queue === null || (queue.inFlight < this.#window && queue.inFlight === queue.size);
  }

  /** The client knows that it is let in: from here on messages go out, first those that waited. */
  start(): void {
    this.#isReady = true;
    this.#options.queue?.restart();
    this.#sendWaiting();
  }

  /** A message that has just been published and matches a filter of this client. */
  deliver(publication: Publication, qos: 0 | 1, retain: boolean, identifiers: Identifiers): void {
    if (this.#options.mayRead(publication)) this.send(publication, qos, retain, identifiers);
  }

  /** Sends what the client may read, be it new or retained. */
  send(publication: Publication, qos: 0 | 1, retain: boolean, identifiers: Identifiers): void {
    const { queue } = this.#options;
    if (qos === 1 && queue !== null) {
      if (queue.add({ publication, retain, identifiers, id: 0, isSent: false })) this.#sendWaiting();
      return;
    }
    if (this.#isReady) this.#write(publication, qos, retain, identifiers, this.#freeId());
  }

  /** False for an identifier that was not in use. */
  acknowledge(id: number): boolean {
    const { queue } = this.#options;
    const isKnown = queue === null || queue.acknowledge(id);
    if (isKnown) this.#sendWaiting();
    for (const callback of this.#onAcknowledged.splice(0)) callback();
    return isKnown;
  }

  /** Calls back, once, when the client has acknowledged a message. */
  whenAcknowledged(callback: () => void): void {
    this.#onAcknowledged.push(callback);
  }

  /** Sends what waits, as far as the client's Receive Maximum goes. */
  #sendWaiting(): void {
    const { queue } = this.#options;
    if (queue === null || !this.#isReady || queue.inFlight >= this.#window) return;
    if (queue.inFlight === queue.size - 1 && queue.newest?.isSent === false) {
      // the usual case, without a look at what is in flight
      this.#sendQueued(queue, queue.newest);
      return;
    }
    if (queue.inFlight === queue.size) return;
    for (const message of queue.unsent()) {
      if (queue.inFlight >= this.#window) return;
      this.#sendQueued(queue, message);
    }
  }

  #sendQueued(queue: OutgoingQueue, message: Outgoing): void {
    const { publication, retain, identifiers } = message;
    // rights and lifetimes may have ended while it waited
    if (publication.hasExpired(Date.now()) || !this.#options.mayRead(publication)) return queue.remove(message);
    const isRepeated = message.id !== 0;
    const id = isRepeated ? message.id : this.#freeId();
    queue.markSent(message, id);
    if (!this.#write(publication, 1, retain, identifiers, id, isRepeated)) queue.remove(message);
  }

  /** False when the message cannot be sent, as when the client told that it takes no packets of this size. MQTT 5 §3.1.2.11.4 */
  #write(
    publication: Publication,
    qos: 0 | 1,
    retain: boolean,
    identifiers: Identifiers,
    id: number,
    isRepeated = false,
  ): boolean {
    const { outbox, protocolVersion, isHub, maximumPacketSize } = this.#options;
    const encoded = publication.encode(
      { protocolVersion, qos, retain, isForHub: isHub && protocolVersion === 5, identifiers },
      Date.now,
    );
    // empty is what mqtt-packet makes of properties that it cannot write
    if (encoded.bytes.length === 0 || encoded.bytes.length > maximumPacketSize) return false;
    if (qos === 0) outbox.write(encoded.bytes);
    else outbox.writeWithId(encoded.bytes, encoded.idAt, id, isRepeated);
    return true;
  }

  #freeId(): number {
    const { queue } = this.#options;
    // a session queues far fewer messages than there are identifiers, so one is free
    for (let tries = 0; tries < IDENTIFIERS; tries++) {
      this.#nextId = this.#nextId >= IDENTIFIERS ? 1 : this.#nextId + 1;
      if (!queue?.hasId(this.#nextId)) break;
    }
    return this.#nextId;
  }
}
