import type { Principal } from "#contracts/principal.ts";
import type { AccessPolicy } from "./access-policy.ts";
import type { AedesClient, AedesInsides, AedesPublish, DeliverFunction, PublishProperties } from "./aedes-insides.ts";
import { BY_TOKEN, OF_SITE, Publication, PUBLISHED_BY } from "./publication.ts";
import { mayRead } from "./read-rules.ts";
import type { RetainedStore } from "./retained-store.ts";
import type { TopicRules } from "./topic-rules.ts";

export interface ExchangeOptions {
  readonly policy: AccessPolicy;
  readonly rules: TopicRules;
  readonly retained: RetainedStore;
  readonly onRetainedFull: () => void;
}

/** Takes each published message to the retained ones and to whoever has a matching filter, at once and in order. */
export class Exchange {
  readonly #options: ExchangeOptions;
  readonly #waiting: Publication[] = [];
  #broker: AedesInsides | null = null;
  #isHandingOut = false;

  constructor(options: ExchangeOptions) {
    this.#options = options;
  }

  useBroker(broker: AedesInsides): void {
    this.#broker = broker;
  }

  /** Has every message that matches a filter handed to this function. */
  listen(filter: string, deliver: DeliverFunction): void {
    this.#broker?.mq.on(filter, deliver);
  }

  ignore(filter: string, deliver: DeliverFunction): void {
    this.#broker?.mq.removeListener(filter, deliver);
  }

  mayRead(principal: Principal, publication: Publication): boolean {
    return mayRead(principal, publication.rules, publication, this.#options.policy);
  }

  publish(packet: AedesPublish, client: AedesClient | null, publisher: Principal): void {
    const broker = this.#broker;
    if (broker === null || broker.closed) return;
    const publication = new Publication({
      brokerId: broker.id,
      brokerCounter: ++broker.counter,
      topic: packet.topic,
      payload: Buffer.isBuffer(packet.payload) ? packet.payload : Buffer.from(packet.payload),
      qos: packet.qos,
      retain: packet.retain,
      properties: forwarded(packet.properties),
      clientId: client?.id,
      rules: this.#options.rules.of(packet.topic),
      publisher,
      siteId: siteOf(publisher, packet),
      nowMs: packet.properties?.messageExpiryInterval === undefined ? 0 : Date.now(),
    });
    if (publication.retain && !this.#options.retained.store(publication)) this.#options.onRetainedFull();
    // a reader that is dropped for not reading may leave a Will: that one comes after this message
    this.#waiting.push(publication);
    if (!this.#isHandingOut) this.#handOut(broker);
  }

  #handOut(broker: AedesInsides): void {
    this.#isHandingOut = true;
    try {
      for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift())
        broker.mq.emit(next, noop);
    } finally {
      this.#isHandingOut = false;
    }
  }
}

function noop(): void {}

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
