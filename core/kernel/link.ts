import { setTimeout as delay } from "node:timers/promises";
import type { IConnackPacket, ISubscriptionMap } from "mqtt";
import type { Logger } from "pino";
import { MAX_PACKET_BYTES } from "#contracts/limits.ts";
import { type FixedTopic, type KeyedTopic, type TopicOptions, topics } from "#contracts/topics.ts";
import { type BrokerAddress, createClient } from "./broker-client.ts";
import { Echoes } from "./echoes.ts";
import { Flight } from "./flight.ts";
import { messageOf, propertiesOf } from "./link-message.ts";
import { UnsaidClears } from "./unsaid-clears.ts";

/** Topics that stand in one place: under the base topic, or outside of it. */
export interface Outlet {
  /** Resolves when the broker has taken it (QoS 1) or it was written (QoS 0). */
  publish(topic: string, payload: string, options: PublishOptions): Promise<void>;
  /** Calls the handler for each message on the topic. The hub subscribes before `connect`; who comes later hears from then on. */
  on(topic: FixedTopic | KeyedTopic, handler: (message: LinkMessage) => void): void;
  /** The handler is not called any more. What nobody else listens to is unsubscribed. */
  off(topic: FixedTopic | KeyedTopic, handler: (message: LinkMessage) => void): void;
}

/**
 * The hub's own MQTT connection, to the embedded broker or to one that somebody else runs. It adds and strips the base topic,
 * so that nothing else ever spells it.
 */
export interface Link extends Outlet {
  readonly isConnected: boolean;
  /** Whether an outer broker is not there. What is published meanwhile is refused: each connect begins with fresh state. */
  readonly isAway: boolean;
  /** Whether the broker tells who sent a message; an outer one cannot. */
  readonly knowsSenders: boolean;
  /** Topics as they are, without the base: Home Assistant's stand beside ours. */
  readonly outside: Outlet;
  /** Messages that wait until the broker has taken earlier ones. Who has many to publish pauses while there are any. */
  readonly backlog: number;
  /** Calls the handler after each connect, once the subscriptions stand. Retained messages may have come before. */
  onConnect(handler: () => void): void;
  /** Calls the handler when the connection has broken. */
  onBreak(handler: () => void): void;
  /** Resolves when the connection stands; with an outer broker also when it does not within some seconds, and goes on trying. */
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
  /** False with MQTT 3.1.1, where a message that somebody has just published as retained looks like any other. */
  readonly tellsRetained: boolean;
  /** With its base, as the sender wrote it. */
  readonly responseTopic: string | undefined;
  readonly correlationData: Buffer | undefined;
  /** As the sender wrote them; undefined with MQTT 3.1.1. */
  readonly userProperties: Readonly<Record<string, string | string[]>> | undefined;
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
  readonly broker: BrokerAddress;
  /** Nobody else may know it on an outer broker: who comes with it takes the hub's place. */
  readonly clientId?: string;
  readonly log: Logger;
}

/** Packet identifiers end at 65,535. */
const MAX_IN_FLIGHT = 1_000;
/** A hub starts without its broker, too: the page and the API are there. */
const FIRST_CONNECT_MS = 3_000;
/** MQTT 5 §4.7.1 and §1.5.4: wildcards, and characters that a broker need not take. */
const NO_NAME = /[+#\p{Cc}\p{Cs}\p{Cn}]/u;
const SUBSCRIBE_AGAIN_MS = 5_000;
/** A broker that does not take the hub's goodbye does not hold up its end. */
const FAREWELL_MS = 1_000;

/** The outer broker is away; nothing waits for it, since what it has to know is told at the next connect. */
export class NotConnected extends Error {
  constructor() {
    super("there is no connection to the broker");
    this.name = "NotConnected";
  }
}

interface Subscription {
  /** What the topic's name begins with on the broker: the base, or nothing. */
  readonly base: string;
  readonly topic: FixedTopic | KeyedTopic;
  readonly handler: (message: LinkMessage) => void;
}

export function createLink({ baseTopic, broker, clientId = "powerbeacon-hub", log }: LinkOptions): Link {
  const base = `${baseTopic}/`;
  const isOuter = broker.type === "outer";
  const status = base + topics.hubStatus.name;
  const subscriptions: Subscription[] = [];
  const connectHandlers: (() => void)[] = [];
  const flight = new Flight(MAX_IN_FLIGHT);
  const echoes = new Echoes();
  const unsaid = new UnsaidClears();
  let packetBytes = MAX_PACKET_BYTES;
  let isClosing = false;
  let settleFirst: (error?: Error) => void = () => {};
  let again: NodeJS.Timeout | undefined;
  const client = createClient(broker, {
    clientId,
    will: { topic: status, payload: Buffer.from("offline"), qos: 1, retain: true },
    log,
  });
  const speaks5 = () => client.options.protocolVersion === 5;

  client.on("message", (fullName, payload, packet) => {
    if (!speaks5() && echoes.take(fullName, payload)) return;
    // a Will of an earlier connection may come late
    if (isOuter && fullName === status) return payload.toString() === "offline" ? contradict() : undefined;
    const ownName = fullName.startsWith(base) ? fullName.slice(base.length) : undefined;
    for (const subscription of subscriptions) {
      const topic = subscription.base === base ? ownName : fullName;
      const key = topic === undefined ? undefined : keyOf(subscription.topic, topic);
      if (topic === undefined || key === undefined) continue;
      subscription.handler({ ...messageOf(topic, key, payload, packet, !isOuter), tellsRetained: speaks5() });
    }
  });
  client.on("connect", (connack) => {
    takeLimits(connack);
    begin();
  });
  client.on("close", () => {
    clearTimeout(again);
    echoes.clear();
    // the next connect begins with fresh state, and nothing older is to come after that
    if (isOuter) flight.refuseWaiting(new NotConnected());
  });

  const outlet = (base: string): Outlet => ({
    on: (topic, handler) => {
      subscriptions.push({ base, topic, handler });
      if (client.connected) subscribeTo(base, topic);
    },
    off: (topic, handler) => {
      const at = subscriptions.findIndex((one) => one.topic === topic && one.handler === handler);
      if (at === -1) return;
      subscriptions.splice(at, 1);
      const isShared = subscriptions.some((one) => one.base + one.topic.filter === base + topic.filter);
      if (client.connected && !isShared) client.unsubscribe(base + topic.filter);
    },
    publish: async (topic, payload, options) => await publish(base, topic, payload, options),
  });
  const own: Outlet = {
    ...outlet(base),
    publish: async (topic, payload, options) => {
      try {
        await publish(base, topic, payload, options);
      } catch (error) {
        if (error instanceof NotConnected) unsaid.note(topic, payload, options.retain);
        throw error;
      }
    },
  };

  return {
    ...own,
    outside: outlet(""),
    get isConnected() {
      return client.connected;
    },
    get isAway() {
      return isOuter && !client.connected;
    },
    knowsSenders: !isOuter,
    onConnect: (handler) => void connectHandlers.push(handler),
    onBreak: (handler) => void client.on("close", handler),
    fullName: (topic) => base + topic,
    get backlog() {
      return flight.waiting;
    },
    ownName: (fullName) => (fullName.startsWith(base) ? fullName.slice(base.length) : undefined),
    connect: async () => {
      const first = new Promise<void>((resolve, reject) => {
        settleFirst = (error) => (error && !isOuter ? reject(error) : resolve());
      });
      client.connect();
      await (isOuter ? Promise.race([first, delay(FIRST_CONNECT_MS, undefined, { ref: false })]) : first);
    },
    close: async () => {
      isClosing = true;
      const isSaid = await sayOffline();
      // With a DISCONNECT the broker does not publish the Will as well; without one the Will says what could not be said.
      // An in-process stream never closes by itself, so a graceful end would wait for ever there.
      if (isOuter && isSaid) await Promise.race([client.endAsync(), farewell()]);
      await client.endAsync(true);
    },
  };

  async function publish(
    base: string,
    topic: string,
    payload: string,
    { siteId, properties, ...options }: PublishOptions,
  ): Promise<void> {
    if (isOuter && !client.connected) throw new NotConnected(); // mqtt.js would keep it without bound
    // the broker would end the connection for either, and it would be sent again after each break
    if (isOuter && NO_NAME.test(topic)) throw new RangeError(`${JSON.stringify(topic)} is no name of a topic`);
    if (Buffer.byteLength(payload) > packetBytes - 1_024)
      throw new RangeError(`${Buffer.byteLength(payload)} bytes on ${topic} do not fit into a packet`);
    const site = isOuter ? null : (siteId ?? null);
    const all = properties || site ? { ...options, properties: propertiesOf(properties ?? {}, site) } : options;
    await flight.take(() => {
      if (!speaks5() && isHeard(base, topic)) echoes.expect(base + topic, payload);
      return client.publishAsync(base + topic, payload, all);
    });
  }

  async function sayOffline(): Promise<boolean> {
    if (!client.connected) return false;
    const said = client.publishAsync(status, "offline", topics.hubStatus.options).then(
      () => true,
      () => false,
    );
    return await Promise.race([said, farewell()]);
  }

  function farewell(): Promise<false> {
    return delay(FAREWELL_MS, false as const, { ref: false });
  }

  /** MQTT 5 §3.2.2.3: what the broker takes at once, and in one packet. */
  function takeLimits({ properties }: IConnackPacket): void {
    flight.limit = Math.min(MAX_IN_FLIGHT, properties?.receiveMaximum ?? MAX_IN_FLIGHT);
    packetBytes = Math.min(MAX_PACKET_BYTES, properties?.maximumPacketSize ?? MAX_PACKET_BYTES);
  }

  function contradict(): void {
    if (!client.connected || isClosing) return;
    client.publishAsync(status, "online", topics.hubStatus.options).catch((error: unknown) => {
      log.warn({ err: error }, "a late Will could not be contradicted");
    });
  }

  function isHeard(base: string, topic: string): boolean {
    return subscriptions.some((one) => one.base === base && keyOf(one.topic, topic) !== undefined);
  }

  function begin(): void {
    subscribe().then(
      () => settleFirst(),
      (error: Error) => {
        log.error({ err: error }, "the hub could not subscribe");
        settleFirst(error);
        // a broker that asks the hub may have asked before there was somebody to answer
        if (isOuter && client.connected) again = setTimeout(begin, SUBSCRIBE_AGAIN_MS).unref();
      },
    );
  }

  function subscribeTo(base: string, topic: FixedTopic | KeyedTopic): void {
    client
      .subscribeAsync(base + topic.filter, { qos: topic.options.qos, nl: true, rap: true })
      .catch((error: unknown) => {
        if (client.connected) log.warn({ err: error, topic: base + topic.filter }, "the hub could not subscribe");
      });
  }

  async function subscribe(): Promise<void> {
    const filters: ISubscriptionMap = Object.fromEntries(
      subscriptions.map(({ base, topic }) => [base + topic.filter, { qos: topic.options.qos, nl: true, rap: true }]),
    );
    // the Will bears the hub's own client identifier, which No Local would hold back
    if (isOuter) filters[status] = { qos: 1, nl: false, rap: true };
    await client.subscribeAsync(filters);
    // before anything new is said there
    for (const topic of unsaid.take()) own.publish(topic, "", { qos: 1, retain: true }).catch(() => {}); // noted again
    for (const handler of connectHandlers) handler();
  }
}

function keyOf(topic: FixedTopic | KeyedTopic, name: string): string | undefined {
  if ("match" in topic) return topic.match(name);
  return topic.name === name ? "" : undefined;
}
