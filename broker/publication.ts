import { generate } from "mqtt-packet";
import type { Principal } from "#contracts/principal.ts";
import type { PublishProperties } from "./aedes-insides.ts";
import type { Identifiers } from "./outgoing-queue.ts";
import type { RuledTopic } from "./topic-rules.ts";

/** A PUBLISH as bytes, with the place of its packet identifier (QoS 1). */
export interface EncodedPublish {
  readonly bytes: Buffer;
  readonly idAt: number;
}

export interface EncodingOptions {
  readonly protocolVersion: 3 | 4 | 5;
  readonly qos: 0 | 1;
  readonly retain: boolean;
  /** Whether to tell of the publisher: on the hub's link only. */
  readonly isForHub: boolean;
  readonly identifiers: Identifiers;
}

/** The user property that tells the hub who published a message. */
export const PUBLISHED_BY = "pb-by";
/** The one that tells the hub of which site the publisher is, and by which the hub tells of which site its message is. */
export const OF_SITE = "pb-site";
/** The one that tells the hub with which of its tokens a person published. */
export const BY_TOKEN = "pb-token";

/** A message on its way from one publisher to any number of readers. Encoded once for all readers of a kind. */
export class Publication {
  /** Rises from message to message, also over restarts. */
  readonly brokerCounter: number;
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: number;
  readonly retain: boolean;
  readonly properties: PublishProperties | undefined;
  /** The publisher's internal client id, for MQTT 5 "no local". */
  readonly clientId: string | undefined;
  readonly rules: RuledTopic;
  readonly publisher: Principal;
  /** The publisher's site; of the hub's messages, the one that it names. */
  readonly siteId: string | null;
  /** Milliseconds since 1970; null for a message that does not expire. */
  readonly expiresAtMs: number | null;
  readonly #encoded: (EncodedPublish | undefined)[] = [];
  /** What the encoded bytes tell of its lifetime. */
  #remainingSeconds: number | undefined;

  constructor(fields: {
    brokerCounter: number;
    topic: string;
    payload: Buffer;
    qos: number;
    retain: boolean;
    properties: PublishProperties | undefined;
    clientId: string | undefined;
    rules: RuledTopic;
    publisher: Principal;
    siteId: string | null;
    expiresAtMs: number | null;
  }) {
    this.brokerCounter = fields.brokerCounter;
    this.topic = fields.topic;
    this.payload = fields.payload;
    this.qos = fields.qos;
    this.retain = fields.retain;
    this.properties = fields.properties;
    this.clientId = fields.clientId;
    this.rules = fields.rules;
    this.publisher = fields.publisher;
    this.siteId = fields.siteId;
    this.expiresAtMs = fields.expiresAtMs;
  }

  /** What this message takes in a queue. Bytes, about. */
  get size(): number {
    return this.payload.length + this.topic.length + 100;
  }

  hasExpired(nowMs: number): boolean {
    return this.expiresAtMs !== null && this.expiresAtMs <= nowMs;
  }

  /** The bytes are shared by all readers that get the same. Where the message expires, its remaining lifetime is told. */
  encode(options: EncodingOptions, now: () => number): EncodedPublish {
    const properties = options.protocolVersion === 5 ? this.#remaining(now) : this.properties;
    if (options.identifiers !== undefined) return this.#encode(options, properties);
    const kind =
      (options.protocolVersion === 5 ? 1 : 0) +
      (options.qos === 1 ? 2 : 0) +
      (options.retain ? 4 : 0) +
      (options.isForHub ? 8 : 0);
    return (this.#encoded[kind] ??= this.#encode(options, properties));
  }

  /** MQTT 5 §3.3.2.3.3 */
  #remaining(now: () => number): PublishProperties | undefined {
    if (this.expiresAtMs === null) return this.properties;
    const messageExpiryInterval = Math.max(1, Math.ceil((this.expiresAtMs - now()) / 1_000));
    // an order goes to thousands of agents within a second
    if (messageExpiryInterval !== this.#remainingSeconds) this.#encoded.length = 0;
    this.#remainingSeconds = messageExpiryInterval;
    return { ...this.properties, messageExpiryInterval };
  }

  #encode(options: EncodingOptions, properties: PublishProperties | undefined): EncodedPublish {
    const topicBytes = Buffer.byteLength(this.topic);
    const packet = generate(
      {
        cmd: "publish",
        topic: this.topic,
        payload: this.payload,
        qos: options.qos,
        retain: options.retain,
        dup: false,
        messageId: 1,
        ...(options.protocolVersion === 5 ? { properties: this.#propertiesFor(options, properties) } : {}),
      },
      { protocolVersion: options.protocolVersion === 5 ? 5 : 4 },
    );
    // the remaining length takes one to four bytes, and all but its last have the high bit
    let lengthBytes = 1;
    while (((packet[lengthBytes] ?? 0) & 0x80) !== 0) lengthBytes++;
    return { bytes: packet, idAt: 1 + lengthBytes + 2 + topicBytes };
  }

  #propertiesFor(options: EncodingOptions, properties: PublishProperties | undefined): PublishProperties {
    const sent: PublishProperties = { ...properties };
    const { identifiers } = options;
    if (identifiers !== undefined)
      sent.subscriptionIdentifier = typeof identifiers === "number" ? identifiers : [...identifiers];
    if (options.isForHub && this.publisher.type !== "hub") sent.userProperties = this.#stamped(properties);
    return sent;
  }

  #stamped(properties: PublishProperties | undefined): NonNullable<PublishProperties["userProperties"]> {
    const { type, id, username } = this.publisher;
    const stamped: NonNullable<PublishProperties["userProperties"]> = { ...properties?.userProperties };
    stamped[PUBLISHED_BY] = username;
    if (this.siteId !== null) stamped[OF_SITE] = this.siteId;
    if (type === "person") stamped[BY_TOKEN] = id;
    return stamped;
  }
}
