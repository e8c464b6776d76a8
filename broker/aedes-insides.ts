import type { EventEmitter } from "node:events";
import type { Duplex, Readable } from "node:stream";
import type { Packet } from "mqtt-packet";
import type { Publication } from "./publication.ts";

/**
 * The private parts of Aedes 2.0.0-beta.1 that this folder touches, and why. The version is pinned exactly for them.
 *
 * Aedes keeps what it does well: CONNECT, take-over, keep-alive, Will, session expiry, SUBSCRIBE and UNSUBSCRIBE.
 * Reading, PUBLISH with its acknowledgements and delivery are ours: bare Aedes spends several turns of the event loop
 * on each message, holds a publisher for its slowest reader, and can be brought down by what a client sends.
 */
export interface AedesInsides extends EventEmitter {
  readonly id: string;
  /** Number of the last message; a client uses it to take a message that matches several filters once. */
  counter: number;
  readonly closed: boolean;
  /** A plain object in Aedes, so that a client identifier `constructor` or `__proto__` ended the process. */
  clients: Record<string, AedesClient>;
  /** The matcher of topics and filters. */
  readonly mq: {
    on(filter: string, deliver: DeliverFunction): void;
    removeListener(filter: string, deliver: DeliverFunction): void;
    emit(message: object, done: () => void): void;
  };
  /** Puts a function into the matcher that copies each message for its client; ours does not copy, see `Connection`. */
  subscribe(filter: string, deliver: DeliverFunction, done: () => void): void;
  handle(conn: Duplex, request?: unknown): AedesClient;
  listen(): Promise<void>;
  close(done: () => void): void;
  /** Every publish, a Will too, goes through here. */
  publish(packet: AedesPublish, client: AedesClient | null | (() => void), done?: () => void): void;
  /** Asked for Wills only, since PUBLISH is ours. */
  authorizePublish(client: AedesClient | null, packet: AedesPublish, done: (error?: Error | null) => void): void;
  /** Leaves MQTT 3.1.1 sessions for ever; ours ends them too. */
  scheduleSessionExpiry(client: AedesClient): void;
  preConnect(client: AedesClient, packet: AedesConnect, done: (error: Error | null, ok: boolean) => void): void;
  authenticate(
    client: AedesClient,
    username: string | undefined,
    password: Buffer | undefined,
    done: (error: Error | null, ok: boolean) => void,
  ): void;
}

/** What the matcher calls with a message; the matcher looks at the number of parameters. */
export type DeliverFunction = (publication: Publication, done: () => void) => void;

export interface AedesPublish {
  cmd?: string;
  topic: string;
  payload: Buffer | string;
  qos: number;
  retain: boolean;
  properties?: PublishProperties | undefined;
  clientId?: string;
  brokerId?: string;
  brokerCounter?: number;
  messageId?: number;
}

export interface PublishProperties {
  payloadFormatIndicator?: boolean;
  messageExpiryInterval?: number;
  contentType?: string;
  responseTopic?: string;
  correlationData?: Buffer;
  subscriptionIdentifier?: number;
  userProperties?: Record<string, string | string[]>;
  topicAlias?: number;
  willDelayInterval?: number;
}

export interface AedesConnect {
  clientId: string;
  protocolId: string;
  protocolVersion: 3 | 4 | 5;
  clean: boolean;
  keepalive: number;
  username?: string;
  password?: Buffer;
  will?: AedesPublish;
  properties?: Record<string, unknown>;
}

export interface AedesSubscription {
  topic: string;
  qos: number;
  rh?: number;
  rap?: boolean;
  nl?: boolean;
  subscriptionIdentifier?: number;
}

/** A subscription of a client that is there. */
export interface LiveSubscription {
  readonly qos: number;
  readonly rap?: boolean;
  readonly nl?: boolean;
  /** The subscription identifier. */
  readonly si?: number;
  /** What stands in the matcher, for Aedes to remove it. */
  func: DeliverFunction;
}

export interface AedesClient extends EventEmitter {
  /** What the client calls itself until it is let in; then ours, so that two principals never share a session. */
  id: string;
  clean: boolean;
  version: 3 | 4 | 5 | null;
  /** Replaced by one that joins what is written in a turn, see `Outbox`. */
  conn: unknown;
  connected: boolean;
  closed: boolean;
  will: AedesPublish | null;
  _will: AedesPublish | null;
  sessionExpiryInterval: number;
  receiveMaximum: number;
  maximumPacketSize: number | undefined;
  /** Plain objects in Aedes, looked up by topic filter and by broker. */
  subscriptions: Record<string, LiveSubscription>;
  duplicates: Record<string, number>;
  _parser: EventEmitter & AedesParser;
  /** Counts packets in work; at 0, the next packet that Aedes gets is handled at once. */
  _parsingBatch: number;
  /** Reads on. Called by Aedes when it is done with a packet. */
  _nextBatch: (error?: Error | null) => void;
  _paused?: boolean;
  _keepaliveTimer: NodeJS.Timeout | null;
  _serverKeepAlive?: number;
  _assignedClientId?: string | undefined;
  /** Reads the client's queue to its end when a session ends. */
  emptyOutgoingQueue(done: () => void): void;
  subscribe(subscription: AedesSubscription, done: (error?: Error | null) => void): void;
  disconnect(options: { reasonCode: number }): void;
  close(): void;
}

/** The parser of mqtt-packet, whose steps are methods and can be replaced one by one. */
export interface AedesParser {
  /** The packet being read; `length` is −1 until its header is known. */
  packet: Packet & { length: number };
  _list: { length: number; slice(start: number, end: number): Buffer };
  _pos: number;
  error: Error | null;
  parse(chunk: Buffer): number;
  _parseLength(): boolean;
  _parseString(): string | null;
}

/** What Aedes asks of a store. Delivery is ours, so the queues of packets are not among it. */
export interface AedesPersistence {
  setup(): Promise<void>;
  subscriptionsByClient(client: { id: string }): Promise<AedesSubscription[]>;
  addSubscriptions(client: AedesClient, subscriptions: readonly AedesSubscription[]): Promise<void>;
  removeSubscriptions(client: AedesClient, filters: readonly string[]): Promise<void>;
  cleanSubscriptions(client: { id: string }): Promise<void>;
  outgoingStream(): Readable;
  putWill(): Promise<void>;
  delWill(): Promise<void>;
  streamWill(): Readable;
}
