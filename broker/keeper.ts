import type { Principal } from "#contracts/principal.ts";
import type { AccessPolicy } from "./access-policy.ts";
import type { BrokerStore, StoreChanges, StoredRetained, StoredSession } from "#contracts/broker-store.ts";
import type { BrokerLog } from "./options.ts";
import type { QueueChanges } from "./outgoing-queue.ts";
import type { Publication } from "./publication.ts";
import type { RetainedStore } from "./retained-store.ts";
import type { Session } from "./session.ts";
import type { SessionKeeper } from "./sessions.ts";
import { storedQueued, storedRetained, storedSession } from "./stored-forms.ts";

export interface KeeperOptions {
  readonly store: BrokerStore;
  readonly policy: AccessPolicy;
  readonly log: BrokerLog;
}

/** What a kill may cost at most, about. */
const INTERVAL_MS = 500;
/** What is stored in one go. */
const BATCH = 1_000;
const BATCH_BYTES = 4 * 1024 * 1024;
const BATCH_FILTERS = 10_000;

/**
 * Has stored what changes, behind the work that changes it.
 *
 * It remembers only *what* changed, and reads its newest form when it is stored: while the store is away, nothing piles up
 * here beyond what the broker holds anyway.
 */
export class Keeper implements SessionKeeper {
  readonly #options: KeeperOptions;
  #retained: RetainedStore | null = null;
  readonly #topics = new Set<string>();
  readonly #sessions = new Set<Session>();
  readonly #queues = new Set<Session>();
  readonly #ended = new Set<string>();
  /** Another may go by the same id by now. */
  readonly #over = new WeakSet<Session>();
  /** What the store may have. */
  readonly #storedTopics = new Set<string>();
  readonly #storedSessions = new Set<string>();
  #timer: NodeJS.Timeout | null = null;
  #saving: Promise<void> | null = null;
  #isFailing = false;

  constructor(options: KeeperOptions) {
    this.#options = options;
  }

  start(retained: RetainedStore): void {
    this.#retained = retained;
    this.#timer = setInterval(() => void this.#saveQuietly(), INTERVAL_MS);
  }

  /** @param message what is retained there now; null for nothing. */
  retainedChanged(topic: string, message: Publication | null): void {
    const isKept = message !== null && (message.publisher.type !== "hub" || message.rules.rule.outlivesHub);
    if (isKept || this.#storedTopics.has(topic)) this.#topics.add(topic);
    else this.#topics.delete(topic);
  }

  changed(session: Session): void {
    this.#sessions.add(session);
  }

  queueChanged(session: Session): void {
    this.#queues.add(session);
  }

  ended(session: Session): void {
    this.#over.add(session);
    this.#sessions.delete(session);
    this.#queues.delete(session);
    if (this.#storedSessions.delete(session.id)) this.#ended.add(session.id);
  }

  /** These came from the store; `isGood` where they are kept, else they are to be forgotten there. */
  loadedSession(id: string, isGood: boolean): void {
    if (isGood) this.#storedSessions.add(id);
    else this.#ended.add(id);
  }

  loadedTopic(topic: string, isGood: boolean): void {
    this.#storedTopics.add(topic);
    if (isGood) this.#topics.delete(topic);
    else this.#topics.add(topic);
  }

  async close(): Promise<void> {
    if (this.#timer) clearInterval(this.#timer);
    await this.#saving;
    await this.#saveQuietly();
  }

  async #saveQuietly(): Promise<void> {
    this.#saving ??= this.#save().finally(() => (this.#saving = null));
    await this.#saving;
  }

  async #save(): Promise<void> {
    const { store, log } = this.#options;
    try {
      while (this.#hasChanges()) {
        const { changes, putBack } = this.#takeBatch();
        try {
          if (Object.values(changes).some(({ length }) => length > 0)) await store.save(changes);
        } catch (error) {
          putBack();
          throw error;
        }
      }
      if (this.#isFailing) log.info({}, "sessions and retained messages are stored again");
      this.#isFailing = false;
    } catch (error) {
      if (!this.#isFailing) log.warn({ err: error }, "sessions and retained messages could not be stored; they wait");
      this.#isFailing = true;
    }
  }

  #hasChanges(): boolean {
    return [this.#ended, this.#sessions, this.#queues, this.#topics].some(({ size }) => size > 0);
  }

  #takeBatch(): { readonly changes: StoreChanges; readonly putBack: () => void } {
    const sessions = this.#takeSessions();
    const forms = sessions.flatMap((session) => this.#formOf(session) ?? []);
    const ended = [...this.#ended];
    this.#ended.clear();
    const queues = this.#takeQueues();
    const topics = this.#takeTopics();
    return {
      changes: {
        ended,
        sessions: forms,
        emptied: queues.flatMap(({ session, changes: { left } }) => (left === "all" ? session.id : [])),
        left: queues.flatMap(({ session, changes: { left } }) =>
          left === "all" ? [] : left.map((number) => ({ sessionId: session.id, number })),
        ),
        queued: queues.flatMap(({ session, changes }) => changes.added.map((one) => storedQueued(session.id, one))),
        ...topics,
      },
      putBack: () => {
        for (const id of ended) this.#ended.add(id);
        for (const session of sessions) if (!this.#over.has(session)) this.#sessions.add(session);
        for (const { session, changes } of queues) if (!this.#over.has(session)) session.queue?.takeBack(changes);
        for (const topic of topics.cleared) this.#storedTopics.add(topic);
        for (const topic of [...topics.cleared, ...topics.retained.map((one) => one.topic)]) this.#topics.add(topic);
      },
    };
  }

  /** Undefined for a session that nothing is kept of; the store forgets it. */
  #formOf(session: Session): StoredSession | undefined {
    const { id, principal, seconds, will } = session;
    const siteId = siteOf(principal, this.#options.policy);
    if (siteId !== null && (seconds > 0 || will !== null)) {
      this.#storedSessions.add(id);
      return storedSession(session, siteId);
    }
    if (this.#storedSessions.delete(id)) this.#ended.add(id);
    return undefined;
  }

  #takeSessions(): Session[] {
    const due: Session[] = [];
    let filters = 0;
    for (const session of this.#sessions) {
      if (due.length >= BATCH || filters >= BATCH_FILTERS) break;
      this.#sessions.delete(session);
      due.push(session);
      filters += session.subscriptions.size;
    }
    return due;
  }

  #takeQueues(): { readonly session: Session; readonly changes: QueueChanges }[] {
    const due: { readonly session: Session; readonly changes: QueueChanges }[] = [];
    let bytes = 0;
    for (const session of this.#queues) {
      if (due.length >= BATCH || bytes >= BATCH_BYTES) break;
      if (this.#sessions.has(session)) continue; // its row comes first
      this.#queues.delete(session);
      const changes = session.queue?.takeChanges();
      if (!changes) continue;
      due.push({ session, changes });
      for (const { publication } of changes.added) bytes += publication.size;
    }
    return due;
  }

  /** The hub's own stand in the site that they are about; what it says of itself, in that of the hub's first. */
  #siteOfMessage({ publisher, siteId, rules }: Publication): string | null {
    const { policy } = this.#options;
    if (publisher.type !== "hub") return siteOf(publisher, policy);
    return siteId ?? policy.clusterOfDiscovery?.(rules.key)?.siteId ?? null;
  }

  #takeTopics(): Pick<StoreChanges, "cleared" | "retained"> {
    const due = { cleared: [] as string[], retained: [] as StoredRetained[] };
    let bytes = 0;
    for (const topic of this.#topics) {
      if (due.cleared.length + due.retained.length >= BATCH || bytes >= BATCH_BYTES) break;
      this.#topics.delete(topic);
      const message = this.#retained?.get(topic);
      const siteId = message ? this.#siteOfMessage(message) : null;
      if (message && siteId !== null) {
        this.#storedTopics.add(topic);
        due.retained.push(storedRetained(message, siteId));
        bytes += message.size;
      } else if (this.#storedTopics.delete(topic)) due.cleared.push(topic);
    }
    return due;
  }
}

/** The site in which a client's things are kept; null for the hub, and for an agent that was removed. */
function siteOf(principal: Principal, policy: AccessPolicy): string | null {
  switch (principal.type) {
    case "hub":
      return null;
    case "agent":
      return policy.clusterOfAgent(principal.key)?.siteId ?? null;
    case "integration":
    case "person":
      return principal.siteId;
  }
}
