import { Readable } from "node:stream";
import type { Principal } from "#contracts/principal.ts";
import type { AedesClient, AedesPersistence, AedesSubscription, DeliverFunction } from "./aedes-insides.ts";
import type { Exchange } from "./exchange.ts";
import type { BrokerLimits } from "./limits.ts";
import { OutgoingQueue } from "./outgoing-queue.ts";

/** What is kept of a client between its connections. */
export interface Session {
  /** Whose it is, as it was when it last connected. */
  principal: Principal;
  readonly subscriptions: Map<string, AedesSubscription>;
  readonly queue: OutgoingQueue;
  /** Packet identifiers of QoS 2 messages whose PUBREL is awaited. */
  readonly awaitingPubrel: Set<number>;
  /** While the client is away: what stands in the matcher in its place. */
  standIns: Map<string, DeliverFunction> | null;
}

export interface SessionsOptions {
  readonly limits: BrokerLimits;
  readonly exchange: Pick<Exchange, "listen" | "ignore" | "mayRead">;
  readonly onDropped: () => void;
}

/** The sessions that outlive their connections, in memory, by internal client id. Takes the place of Aedes' own store. */
export class Sessions implements AedesPersistence {
  readonly #options: SessionsOptions;
  readonly #sessions = new Map<string, Session>();

  constructor(options: SessionsOptions) {
    this.#options = options;
  }

  has(clientId: string): boolean {
    return this.#sessions.has(clientId);
  }

  /** The session of a client that is let in with a lasting one. */
  open(clientId: string, principal: Principal): Session {
    let session = this.#sessions.get(clientId);
    if (session === undefined) {
      session = {
        principal,
        subscriptions: new Map(),
        queue: new OutgoingQueue(this.#options.limits, this.#options.onDropped),
        awaitingPubrel: new Set(),
        standIns: null,
      };
      this.#sessions.set(clientId, session);
    }
    session.principal = principal;
    this.#removeStandIns(session);
    return session;
  }

  /** The client went away: what it is owed is queued until it is back or its session ends. */
  away(clientId: string): void {
    const session = this.#sessions.get(clientId);
    if (session === undefined || session.standIns !== null) return;
    session.standIns = new Map();
    for (const subscription of session.subscriptions.values()) {
      // QoS 0 is for those who are there
      if (subscription.qos === 0) continue;
      const standIn = this.#standIn(session, subscription);
      session.standIns.set(subscription.topic, standIn);
      this.#options.exchange.listen(subscription.topic, standIn);
    }
  }

  /** Forgets every session whose id begins so. */
  dropAll(idPrefix: string): void {
    for (const id of this.#sessions.keys()) if (id.startsWith(idPrefix)) this.#drop(id);
  }

  // Aedes tells a store by its `setup` being an async function
  async setup(): Promise<void> {}

  async subscriptionsByClient(client: { id: string }): Promise<AedesSubscription[]> {
    return structuredClone([...(this.#sessions.get(client.id)?.subscriptions.values() ?? [])]);
  }

  async addSubscriptions(client: AedesClient, subscriptions: readonly AedesSubscription[]): Promise<void> {
    const session = this.#sessions.get(client.id);
    for (const subscription of subscriptions) session?.subscriptions.set(subscription.topic, { ...subscription });
  }

  async removeSubscriptions(client: AedesClient, filters: readonly string[]): Promise<void> {
    const session = this.#sessions.get(client.id);
    for (const filter of filters) session?.subscriptions.delete(filter);
  }

  /** Called when a session begins anew, and when one ends. */
  async cleanSubscriptions(client: { id: string }): Promise<void> {
    this.#drop(client.id);
  }

  /** Our own `Subscriber` sends what waits, in order and within the client's Receive Maximum. */
  outgoingStream(): Readable {
    return Readable.from([]);
  }

  // A Will lives with its connection. Stored ones would be published by Aedes' search for brokers that died.
  async putWill(): Promise<void> {}
  async delWill(): Promise<void> {}
  streamWill(): Readable {
    return Readable.from([]);
  }

  #drop(clientId: string): void {
    const session = this.#sessions.get(clientId);
    if (session === undefined) return;
    this.#removeStandIns(session);
    this.#sessions.delete(clientId);
  }

  #removeStandIns(session: Session): void {
    for (const [filter, standIn] of session.standIns ?? []) this.#options.exchange.ignore(filter, standIn);
    session.standIns = null;
  }

  #standIn(session: Session, { topic, rap, subscriptionIdentifier }: AedesSubscription): DeliverFunction {
    const startsWild = topic.startsWith("+") || topic.startsWith("#");
    return (publication, done) => {
      const isHidden = startsWild && publication.topic.startsWith("$");
      const isQueued = publication.qos > 0 && session.standIns !== null && !isHidden;
      if (isQueued && this.#options.exchange.mayRead(session.principal, publication)) {
        const retain = rap === true && publication.retain;
        session.queue.add({ publication, retain, subscriptionIdentifier, id: 0, isSent: false });
      }
      done();
    };
  }
}
