import type { Duplex } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { MqttClient } from "mqtt";
import type { IPublishPacket } from "mqtt-packet";
import type { Logger } from "pino";
import { MAX_PACKET_BYTES } from "#contracts/limits.ts";
import { type FixedTopic, type KeyedTopic, type TopicOptions, topics } from "#contracts/topics.ts";

/** Topics that stand in one place: under the base topic, or outside of it. */
export interface Outlet {
  /** Resolves when the broker has taken it (QoS 1) or it was written (QoS 0). */
  publish(topic: string, payload: string, options: PublishOptions): Promise<void>;
  /** Calls the handler for each message on the topic. Subscribe before `connect`. */
  on(topic: FixedTopic | KeyedTopic, handler: (message: LinkMessage) => void): void;
}

/**
 * The hub's own MQTT connection. It adds and strips the base topic, so that nothing else ever spells it.
 */
export interface Link extends Outlet {
  /** Topics as they are, without the base: Home Assistant's stand beside ours. */
  readonly outside: Outlet;
  /** Messages that wait until the broker has taken earlier ones. Who has many to publish pauses while there are any. */
  readonly backlog: number;
  /** Calls the handler after each connect, once the subscriptions stand. Retained messages may have come before. */
  onConnect(handler: () => void): void;
  /** Calls the handler when the connection has broken. */
  onBreak(handler: () => void): void;
  connect(): Promise<void>;
  /** The topic as others see it, with its base. */
  fullName(topic: string): string;
  /** The topic without its base; undefined when it is not under it. */
  ownName(fullName: string): string | undefined;
  /** Says `offline` in the hub's name and ends the connection. */
  close(): Promise<void>;
}

export interface PublishOptions extends TopicOptions {
  readonly properties?: MessageProperties;
  /** The site that the message is about, where its topic names nothing that is there. The embedded broker goes by it. */
  readonly siteId?: string | null;
}

/** Who sent a message, as the embedded broker stamps it. */
export interface Sender {
  /** The authenticated user name; `mqtt` where nobody says. */
  readonly by: string;
  /** Null where nobody says, and for agents, whose topics name them. */
  readonly siteId: string | null;
  /** The token that a person showed; null for clients that are no person. */
  readonly tokenId: string | null;
}

export interface LinkMessage extends Sender {
  /** Without the base, where it stands under it. */
  readonly topic: string;
  /** What stands for `+` in a keyed topic; empty for a fixed one. */
  readonly key: string;
  readonly payload: Buffer;
  readonly retained: boolean;
  /** With its base, as the sender wrote it. */
  readonly responseTopic: string | undefined;
  readonly correlationData: Buffer | undefined;
}

/** What MQTT 5 readers get besides the payload; readers of 3.1.1 do without. */
export interface MessageProperties {
  readonly correlationData?: Buffer;
  /** Seconds, after which a broker hands the message to nobody any more. */
  readonly messageExpiryInterval?: number;
  readonly userProperties?: Readonly<Record<string, string>>;
}

export interface LinkOptions {
  readonly baseTopic: string;
  /** Opens one end of an in-process connection. Called again after a break. */
  readonly open: () => Duplex;
  readonly log: Logger;
}

/** The broker stamps who published, and reads the site of what the hub publishes; see there. */
const BY_PROPERTY = "pb-by";
const SITE_PROPERTY = "pb-site";
const TOKEN_PROPERTY = "pb-token";

/** Packet identifiers end at 65,535, and a broker that is slow must not fill the memory. */
const MAX_IN_FLIGHT = 1_000;
const MAX_WAITING = 200_000;
/** A broker that does not take the hub's goodbye does not hold up its end. */
const FAREWELL_MS = 1_000;

interface Subscription {
  /** What the topic's name begins with on the broker: the base, or nothing. */
  readonly base: string;
  readonly topic: FixedTopic | KeyedTopic;
  readonly handler: (message: LinkMessage) => void;
}

export function createLink({ baseTopic, open, log }: LinkOptions): Link {
  const base = `${baseTopic}/`;
  const subscriptions: Subscription[] = [];
  const connectHandlers: (() => void)[] = [];
  const waiting: (() => void)[] = [];
  let flying = 0;
  const client = new MqttClient(open, {
    protocolVersion: 5,
    clientId: "powerbeacon-hub",
    clean: true,
    keepalive: 0,
    reconnectPeriod: 200,
    queueQoSZero: false,
    resubscribe: false,
    manualConnect: true,
    will: { topic: base + topics.hubStatus.name, payload: Buffer.from("offline"), qos: 1, retain: true },
  });

  client.on("error", (error) => log.warn({ err: error }, "the hub's own MQTT connection broke"));
  client.on("message", (fullName, payload, packet) => {
    const ownName = fullName.startsWith(base) ? fullName.slice(base.length) : undefined;
    for (const subscription of subscriptions) {
      const topic = subscription.base === base ? ownName : fullName;
      const key = topic === undefined ? undefined : keyOf(subscription.topic, topic);
      if (topic === undefined || key === undefined) continue;
      subscription.handler(messageOf(topic, key, payload, packet));
    }
  });

  const outlet = (base: string): Outlet => ({
    on: (topic, handler) => void subscriptions.push({ base, topic, handler }),
    publish: async (topic, payload, { siteId, properties, ...options }) => {
      // the broker would end the connection for it, and it would be sent again after each break
      if (Buffer.byteLength(payload) > MAX_PACKET_BYTES - 1_024)
        throw new RangeError(`${Buffer.byteLength(payload)} bytes on ${topic} do not fit into a packet`);
      const userProperties = { ...properties?.userProperties, ...(siteId && { [SITE_PROPERTY]: siteId }) };
      const all = properties || siteId ? { ...options, properties: { ...properties, userProperties } } : options;
      await inFlight(() => client.publishAsync(base + topic, payload, all));
    },
  });

  return {
    ...outlet(base),
    outside: outlet(""),
    onConnect: (handler) => void connectHandlers.push(handler),
    onBreak: (handler) => void client.on("close", handler),
    fullName: (topic) => base + topic,
    get backlog() {
      return waiting.length;
    },
    ownName: (fullName) => (fullName.startsWith(base) ? fullName.slice(base.length) : undefined),
    connect: async () => {
      const first = new Promise<void>((resolve, reject) => {
        client.on("connect", () => {
          subscribe().then(resolve, (error: unknown) => {
            log.error({ err: error }, "the hub could not subscribe");
            reject(error);
          });
        });
      });
      client.connect();
      await first;
    },
    close: async () => {
      if (client.connected) {
        const offline = client.publishAsync(base + topics.hubStatus.name, "offline", topics.hubStatus.options);
        await Promise.race([offline, delay(FAREWELL_MS, undefined, { ref: false })]);
      }
      // An in-process stream never closes by itself, so a graceful end would wait for ever.
      await client.endAsync(true);
    },
  };

  async function inFlight(send: () => Promise<unknown>): Promise<void> {
    if (flying < MAX_IN_FLIGHT) flying++;
    else if (waiting.length >= MAX_WAITING) throw new Error("too many messages wait for the broker");
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      await send();
    } finally {
      // a place is handed over, so that nobody overtakes who waits
      const next = waiting.shift();
      if (next) next();
      else flying--;
    }
  }

  async function subscribe(): Promise<void> {
    const filters = Object.fromEntries(
      subscriptions.map(({ base, topic }) => {
        return [base + topic.filter, { qos: topic.options.qos, nl: true, rap: true }] as const;
      }),
    );
    await client.subscribeAsync(filters);
    for (const handler of connectHandlers) handler();
  }
}

function keyOf(topic: FixedTopic | KeyedTopic, name: string): string | undefined {
  if ("match" in topic) return topic.match(name);
  return topic.name === name ? "" : undefined;
}

function messageOf(topic: string, key: string, payload: Buffer, packet: IPublishPacket): LinkMessage {
  const { userProperties, responseTopic, correlationData } = packet.properties ?? {};
  return {
    topic,
    key,
    payload,
    retained: packet.retain,
    by: stamp(userProperties?.[BY_PROPERTY]) ?? "mqtt",
    siteId: stamp(userProperties?.[SITE_PROPERTY]) ?? null,
    tokenId: stamp(userProperties?.[TOKEN_PROPERTY]) ?? null,
    responseTopic,
    correlationData,
  };
}

function stamp(property: string | string[] | undefined): string | undefined {
  return Array.isArray(property) ? property.at(-1) : property;
}
