import type { Principal } from "#contracts/principal.ts";
import type { AccessPolicy } from "./access-policy.ts";
import type { AedesPublish, PublishProperties } from "./aedes-insides.ts";
import { FilterTree } from "./filter-tree.ts";
import { Listening, SharedGroup } from "./listening.ts";
import { BY_TOKEN, OF_SITE, Publication, PUBLISHED_BY } from "./publication.ts";
import { refusalOfPublish } from "./publish-rules.ts";
import { mayRead } from "./read-rules.ts";
import type { RetainedStore } from "./retained-store.ts";
import type { Session } from "./session.ts";
import type { ParsedFilter, Subscription } from "./subscription.ts";
import type { RuledTopic, TopicRules } from "./topic-rules.ts";
import type { Will } from "./will.ts";

export interface ExchangeOptions {
  readonly policy: AccessPolicy;
  readonly rules: TopicRules;
  readonly retained: RetainedStore;
  readonly onRetainedFull: () => void;
  readonly onWillRefused: (will: Will, topic: RuledTopic, reason: string) => void;
}

/** Takes each published message to the retained ones and to whoever has a matching filter, at once and in order. */
export class Exchange {
  readonly #options: ExchangeOptions;
  readonly #tree = new FilterTree<Listening | SharedGroup>();
  readonly #groups = new Map<string, SharedGroup>();
  readonly #waiting: Publication[] = [];
  #number = 0;
  #isHandingOut = false;
  #isClosed = false;

  constructor(options: ExchangeOptions) {
    this.#options = options;
  }

  /** Has every message that matches a filter handed to this session, or to one of its group. */
  listen(session: Session, subscription: Subscription, { pattern, group: name }: ParsedFilter): Listening {
    const group =
      name === null ? null : this.#group(`${this.#scopeOf(session.principal)}\0${name}\0${pattern}`, pattern);
    const listening = new Listening(session, subscription, pattern, group);
    if (group === null) this.#tree.add(pattern, listening);
    else group.members.push(listening);
    return listening;
  }

  ignore(listening: Listening): void {
    const { pattern, group } = listening;
    if (group === null) return this.#tree.remove(pattern, listening);
    group.remove(listening);
    if (group.members.length > 0) return;
    this.#groups.delete(group.name);
    this.#tree.remove(pattern, group);
  }

  mayRead(principal: Principal, publication: Publication): boolean {
    return mayRead(principal, publication.rules, publication, this.#options.policy);
  }

  publish(packet: AedesPublish, clientId: string | undefined, publisher: Principal): void {
    if (this.#isClosed) return;
    const seconds = packet.properties?.messageExpiryInterval;
    const publication = new Publication({
      brokerCounter: this.nextNumber(),
      topic: packet.topic,
      payload: Buffer.isBuffer(packet.payload) ? packet.payload : Buffer.from(packet.payload),
      qos: packet.qos,
      retain: packet.retain,
      properties: forwarded(packet.properties),
      clientId,
      rules: this.#options.rules.of(packet.topic),
      publisher,
      siteId: siteOf(publisher, packet),
      expiresAtMs: seconds === undefined ? null : Date.now() + seconds * 1_000,
    });
    if (publication.retain && !this.#options.retained.store(publication)) this.#options.onRetainedFull();
    // a reader that is dropped for not reading may leave a Will: that one comes after this message
    this.#waiting.push(publication);
    if (!this.#isHandingOut) this.#handOut();
  }

  /** A Will obeys the rules as they are when it is published. */
  publishWill(will: Will, clientId: string): void {
    const { packet, principal } = will;
    const topic = this.#options.rules.of(packet.topic);
    const reason = refusalOfPublish(principal, topic, messageOf(packet), this.#options.policy);
    if (reason === null) this.publish(packet, clientId, principal);
    else this.#options.onWillRefused(will, topic, reason);
  }

  nextNumber(): number {
    return ++this.#number;
  }

  /** Messages that were stored have numbers up to this one. */
  startAfter(number: number): void {
    this.#number = Math.max(this.#number, number);
  }

  close(): void {
    this.#isClosed = true;
  }

  #handOut(): void {
    this.#isHandingOut = true;
    try {
      for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) this.#deliver(next);
    } finally {
      this.#isHandingOut = false;
    }
  }

  /** First who gets it and for which of its subscriptions, then one message to each. */
  #deliver(publication: Publication): void {
    const sessions: Session[] = [];
    let groups: SharedGroup[] | null = null;
    const match = ({ session, subscription }: Listening) => {
      if (session.match(publication, subscription)) sessions.push(session);
    };
    for (const listeners of this.#tree.match(publication.topic))
      for (const listener of listeners) {
        if (listener instanceof SharedGroup) (groups ??= []).push(listener);
        else match(listener);
      }
    for (const group of groups ?? []) {
      const chosen = group.choose(publication, (session) => this.mayRead(session.principal, publication));
      if (chosen !== null) match(chosen);
    }
    for (const session of sessions) session.deliver(publication, this.#mayRead);
  }

  readonly #mayRead = (principal: Principal, publication: Publication): boolean => this.mayRead(principal, publication);

  #group(name: string, pattern: string): SharedGroup {
    let group = this.#groups.get(name);
    if (group === undefined) {
      group = new SharedGroup(name);
      this.#groups.set(name, group);
      this.#tree.add(pattern, group);
    }
    return group;
  }

  /** Who may take messages from each other: clients of one site. An agent shares with nobody. */
  #scopeOf(principal: Principal): string {
    return principal.type === "integration" || principal.type === "person" ? principal.siteId : principal.id;
  }
}

export function messageOf({ payload, retain }: AedesPublish): { readonly payload: Buffer; readonly retain: boolean } {
  return { payload: Buffer.isBuffer(payload) ? payload : Buffer.from(payload), retain };
}

/** The hub names the site of each of its messages that is about one; nobody else is believed. */
function siteOf(publisher: Principal, packet: AedesPublish): string | null {
  switch (publisher.type) {
    case "hub": {
      const named = packet.properties?.userProperties?.[OF_SITE];
      return typeof named === "string" ? named : null;
    }
    case "agent":
      return null; // its topics name it
    case "integration":
    case "person":
      return publisher.siteId;
  }
}

/** What readers get of a publisher's properties: only the broker says who published, and a Will's delay is its own. */
function forwarded(properties: PublishProperties | undefined): PublishProperties | undefined {
  if (properties === undefined) return undefined;
  const { willDelayInterval: _delay, topicAlias: _alias, userProperties, ...kept } = properties;
  if (userProperties === undefined) return kept;
  const { [PUBLISHED_BY]: _by, [OF_SITE]: _site, [BY_TOKEN]: _token, ...others } = userProperties;
  return Object.keys(others).length === 0 ? kept : { ...kept, userProperties: others };
}
