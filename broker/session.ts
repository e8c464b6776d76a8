import type { Principal } from "#contracts/principal.ts";
import type { Listening } from "./listening.ts";
import type { Identifiers, OutgoingQueue } from "./outgoing-queue.ts";
import type { Publication } from "./publication.ts";
import type { Subscriber } from "./subscriber.ts";
import type { Subscription } from "./subscription.ts";
import type { Will } from "./will.ts";

/** What is known of one client: while it is there, and for so long after it left as it asked for. MQTT 5 §4.1 */
export class Session {
  /** The internal client id. */
  readonly id: string;
  /** Whose it is, as it was when it last connected. */
  principal: Principal;
  /** How long it lasts once its client is gone. Seconds; 0 = no longer than the connection. */
  seconds = 0;
  /** By filter. */
  readonly subscriptions = new Map<string, Listening>();
  /** Packet identifiers of QoS 2 messages whose PUBREL is awaited. */
  readonly awaitingPubrel = new Set<number>();
  /** What the client is owed; null where nobody would ask for it again. */
  queue: OutgoingQueue | null = null;
  /** The client's connection; null while it is away. */
  subscriber: Subscriber | null = null;
  /** What is published when the client is gone, at once or after a while. */
  will: Will | null = null;
  /** When the client left. Milliseconds since 1970; null while it is there. */
  leftAtMs: number | null = null;
  readonly timers: { end: NodeJS.Timeout | null; will: NodeJS.Timeout | null } = { end: null, will: null };
  #number = 0;
  #matched: Subscription | null = null;
  #alsoMatched: Subscription[] | null = null;

  constructor(id: string, principal: Principal) {
    this.id = id;
    this.principal = principal;
  }

  /** Notes that a message matches a subscription. True for the first one; the message is sent once for all of them. */
  match(publication: Publication, subscription: Subscription): boolean {
    // §3.8.3.1: the client's own messages
    if (subscription.noLocal && publication.clientId === this.id) return false;
    if (this.#number === publication.brokerCounter) {
      (this.#alsoMatched ??= []).push(subscription);
      return false;
    }
    this.#number = publication.brokerCounter;
    this.#matched = subscription;
    this.#alsoMatched = null;
    return true;
  }

  /** Sends or queues the message that was matched last. @param mayRead asked where it is queued. */
  deliver(publication: Publication, mayRead: (principal: Principal, publication: Publication) => boolean): void {
    const first = this.#matched;
    if (first === null) return;
    let { qos, retainAsPublished } = first;
    let identifiers: Identifiers = first.identifier;
    if (this.#alsoMatched !== null) {
      const all = [first, ...this.#alsoMatched];
      // [MQTT-3.3.4-2]: the highest QoS of all; §3.3.4: all their identifiers
      if (all.some((one) => one.qos === 1)) qos = 1;
      retainAsPublished = all.some((one) => one.retainAsPublished);
      identifiers = identifiersOf(all);
    }
    if (publication.qos === 0) qos = 0;
    const retain = retainAsPublished && publication.retain;
    if (this.subscriber !== null) return this.subscriber.deliver(publication, qos, retain, identifiers);
    // QoS 0 is for those who are there
    if (qos === 1 && this.queue !== null && mayRead(this.principal, publication))
      this.queue.add({ publication, retain, identifiers, id: 0, isSent: false });
  }

  /** Whether a message that several share could be sent now, later, or not at all. */
  readiness(subscription: Subscription, publication: Publication): "now" | "later" | "none" {
    const { subscriber } = this;
    const isQueued = subscription.qos === 1 && publication.qos > 0;
    if (subscriber !== null) return !isQueued || subscriber.hasRoom ? "now" : "later";
    return isQueued && this.queue !== null ? "later" : "none";
  }
}

function identifiersOf(subscriptions: readonly Subscription[]): Identifiers {
  const identifiers = subscriptions.flatMap(({ identifier }) => identifier ?? []);
  return identifiers.length > 1 ? identifiers : identifiers[0];
}
