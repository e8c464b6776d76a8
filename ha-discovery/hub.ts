import type { DiscoveredThing, DiscoveryRef } from "#contracts/discovery.ts";
import type { FixedTopic, KeyedTopic, TopicOptions } from "#contracts/topics.ts";

/** What discovery needs of the hub, and gets from whoever starts it. */

/** An MQTT connection, topics as they are. It does not hear what it publishes itself. */
export interface DiscoveryLink {
  /** Resolves when the broker has taken it. @param options.siteId whose clients read it; null = those of every site. */
  publish(topic: string, payload: string, options: TopicOptions & { siteId: string | null }): Promise<void>;
  on(topic: FixedTopic | KeyedTopic, handler: (message: DiscoveryMessage) => void): void;
  /** Calls the handler after each connect, once the subscriptions stand. Retained messages may have come before. */
  onConnect(handler: () => void): void;
  onBreak(handler: () => void): void;
}

/** Who sent a message; null where the broker does not tell. */
export interface Sender {
  readonly by: string;
  readonly siteId: string | null;
  readonly tokenId: string | null;
}

export interface DiscoveryMessage extends Sender {
  readonly topic: string;
  /** What stands for `+` in a keyed topic. */
  readonly key: string;
  readonly payload: Buffer;
}

/** What there is to tell of. */
export interface DiscoveredThings {
  /** @param ofSite null = of every site. */
  all(ofSite?: string | null): Iterable<DiscoveryRef>;
  /** Undefined when it is gone, or not to be shown. */
  of(ref: DiscoveryRef): DiscoveredThing | undefined;
  onChange(listener: (ref: DiscoveryRef) => void): void;
  /** Notes down that a thing is not to be shown any more. From then on `of` does not know it. */
  hide(ref: DiscoveryRef, sender: Sender): Promise<void>;
}

/** What was published where, by this hub in this run and in former ones. */
export interface PublishedConfigs extends Iterable<readonly [topic: string, published: Published]> {
  readonly size: number;
  get(topic: string): Published | undefined;
  put(topic: string, published: Published): void;
  remove(topic: string): void;
}

export interface Published {
  readonly siteId: string;
  /** Of the payload. Null: a person deleted it in Home Assistant, and it stays away until it is asked for. */
  readonly hash: string | null;
  /** When the broker last took it; null where nobody knows. */
  readonly publishedAt: Date | null;
}

/** The retained states that configs name. */
export interface RetainedStates {
  /** Availability, then states, of everything. */
  publishAll(): void;
  publishAgain(ref: DiscoveryRef): void;
}
