import type { Principal } from "#contracts/principal.ts";
import type { Exchange } from "./exchange.ts";
import { FilterQuota } from "./filter-quota.ts";
import type { BrokerLimits } from "./limits.ts";
import { OutgoingQueue } from "./outgoing-queue.ts";
import { Session } from "./session.ts";
import { type Subscription, parseFilter } from "./subscription.ts";
import { type Will, delayOf } from "./will.ts";

export interface SessionsOptions {
  readonly limits: BrokerLimits;
  readonly exchange: Pick<Exchange, "listen" | "ignore" | "publishWill">;
  readonly onDropped: () => void;
  /** What is to be kept over a restart. */
  readonly keeper: SessionKeeper | null;
}

/** Is told what changed of sessions. */
export interface SessionKeeper {
  /** The session itself: its client, subscriptions, Will, QoS 2 identifiers. */
  changed(session: Session): void;
  queueChanged(session: Session): void;
  ended(session: Session): void;
}

/** How a client begins. */
export interface Opening {
  readonly principal: Principal;
  /** Clean Start: what was kept of it so far is forgotten. */
  readonly isClean: boolean;
  /** How long the session is to last once its client is gone. */
  readonly seconds: number;
  readonly receiveMaximum: number;
  readonly will: Will | null;
}

/** A client takes as many unacknowledged messages as there are packet identifiers unless it says less. MQTT 5 §3.1.2.11.3 */
const NO_WINDOW = 65_535;

/** The sessions of all clients, by internal client id. */
export class Sessions {
  readonly #options: SessionsOptions;
  readonly #sessions = new Map<string, Session>();
  /** How many of them have no client now, altogether and by principal. */
  #away = 0;
  readonly #awayOf = new Map<string, number>();
  readonly #quota: FilterQuota;

  constructor(options: SessionsOptions) {
    this.#options = options;
    this.#quota = new FilterQuota(options.limits);
  }

  get away(): number {
    return this.#away;
  }

  /** The session of a client that is let in, and whether there was one. Its former connection has ended. */
  open(id: string, opening: Opening): { readonly session: Session; readonly isPresent: boolean } {
    const { principal, isClean, seconds, receiveMaximum, will } = opening;
    const known = this.#sessions.get(id);
    if (known && isClean) this.end(known);
    const session = known && !isClean ? known : new Session(id, principal);
    const isPresent = session === known;
    if (isPresent) this.#comeBack(session);
    this.#sessions.set(id, session);
    Object.assign(session, { principal, seconds, will });
    // a session can be resumed and end with this connection
    const isLasting = seconds > 0 || isPresent;
    if (isLasting || receiveMaximum < NO_WINDOW) session.queue ??= this.newQueue(session, isLasting);
    this.changed(session);
    return { session, isPresent };
  }

  /** The client is gone: its Will is published now or later, and what it is owed is queued until its session ends. */
  leave(session: Session, nowMs: number): void {
    session.subscriber = null;
    if (this.#sessions.get(session.id) !== session) return;
    session.leftAtMs = nowMs;
    if (session.seconds === 0 || !this.#hasRoomFor(session)) return this.end(session);
    this.#watch(session, nowMs);
    if (session.will && delayOf(session.will) === 0) this.#publishWill(session);
    else this.changed(session);
  }

  /** Takes back a session that the store had. Where its client was there when the broker ended, it has left just now. */
  resume(session: Session, nowMs: number): void {
    this.#sessions.set(session.id, session);
    if (session.leftAtMs === null) this.leave(session, nowMs);
    else this.#watch(session, nowMs);
  }

  /** Ends a session, and publishes the Will that waited for it. [MQTT-3.1.2-8] */
  end(session: Session): void {
    this.#unwatch(session);
    this.#sessions.delete(session.id);
    for (const filter of session.subscriptions.keys()) this.#forget(session, filter);
    this.#publishWill(session);
    this.#options.keeper?.ended(session);
  }

  /** Ends every session whose id begins so and whose client is gone. */
  endAll(idPrefix: string): void {
    for (const session of this.#sessions.values()) if (session.id.startsWith(idPrefix)) this.end(session);
  }

  subscribe(session: Session, subscription: Subscription): void {
    const { filter } = subscription;
    const parsed = parseFilter(filter);
    if (!parsed) return;
    this.#forget(session, filter);
    this.#quota.take(session.principal, filter);
    session.subscriptions.set(filter, this.#options.exchange.listen(session, subscription, parsed));
    this.changed(session);
  }

  /** Whether the client, or others of its credential, have not too many filters already. */
  hasRoomFor({ principal, seconds, subscriptions }: Session, filter: string): boolean {
    const { filtersPerClient, filtersPerLastingSession } = this.#options.limits;
    if (subscriptions.has(filter)) return true;
    if (subscriptions.size >= (seconds > 0 ? filtersPerLastingSession : filtersPerClient)) return false;
    return this.#quota.hasRoomFor(principal, filter);
  }

  /** False where there was no such subscription. */
  unsubscribe(session: Session, filter: string): boolean {
    const isKnown = this.#forget(session, filter);
    if (isKnown) this.changed(session);
    return isKnown;
  }

  /** What is stored of this session is not up to date any more. */
  changed(session: Session): void {
    this.#options.keeper?.changed(session);
  }

  newQueue(session: Session, isLasting: boolean): OutgoingQueue {
    const { limits, onDropped, keeper } = this.#options;
    const onChange = isLasting && keeper ? () => keeper.queueChanged(session) : null;
    return new OutgoingQueue({ limits, onDropped, onChange });
  }

  close(): void {
    for (const session of this.#sessions.values()) clearTimers(session);
  }

  #forget(session: Session, filter: string): boolean {
    const listening = session.subscriptions.get(filter);
    if (!listening) return false;
    this.#options.exchange.ignore(listening);
    this.#quota.giveBack(session.principal, filter);
    return session.subscriptions.delete(filter);
  }

  /** [MQTT-3.1.3-9]: a Will whose client is back in time is not published. */
  #comeBack(session: Session): void {
    this.#unwatch(session);
    session.leftAtMs = null;
  }

  /** Beyond the bounds the newest goes. */
  #hasRoomFor({ principal }: Session): boolean {
    const { sessions, sessionsPerCredential } = this.#options.limits;
    return this.#away < sessions && (this.#awayOf.get(principal.id) ?? 0) < sessionsPerCredential;
  }

  /** Ends the session of a client that is away when its time is up, and publishes its Will when that is due before. */
  #watch(session: Session, nowMs: number): void {
    const { seconds, will, leftAtMs, timers } = session;
    const goneMs = nowMs - (leftAtMs ?? nowMs);
    timers.end = setTimeout(() => this.end(session), Math.max(0, seconds * 1_000 - goneMs)).unref();
    const delay = will ? delayOf(will) : 0;
    if (delay > 0 && delay < seconds)
      timers.will = setTimeout(() => this.#publishWill(session), Math.max(0, delay * 1_000 - goneMs)).unref();
    this.#countAway(session, 1);
  }

  #unwatch(session: Session): void {
    if (session.timers.end !== null) this.#countAway(session, -1);
    clearTimers(session);
  }

  #countAway({ principal }: Session, more: 1 | -1): void {
    this.#away += more;
    const ofPrincipal = (this.#awayOf.get(principal.id) ?? 0) + more;
    if (ofPrincipal === 0) this.#awayOf.delete(principal.id);
    else this.#awayOf.set(principal.id, ofPrincipal);
  }

  #publishWill(session: Session): void {
    const { will } = session;
    if (!will) return;
    session.will = null;
    this.#options.exchange.publishWill(will, session.id);
    if (this.#sessions.get(session.id) === session) this.#options.keeper?.changed(session);
  }
}

function clearTimers({ timers }: Session): void {
  if (timers.end) clearTimeout(timers.end);
  if (timers.will) clearTimeout(timers.will);
  timers.end = null;
  timers.will = null;
}
