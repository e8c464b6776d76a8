import type { EventEmitter } from "node:events";
import { type Duplex, Readable } from "node:stream";
import type { Packet } from "mqtt-packet";

/**
 * The private parts of Aedes 2.0.0-beta.1 that this folder touches, and why. The version is pinned exactly for them.
 *
 * Aedes keeps what it does well: the steps of CONNECT, their time-out, keep-alive and the end of a connection. Reading and
 * writing, sessions, subscriptions, Wills and delivery are ours: bare Aedes spends several turns of the event loop on each
 * message, holds a publisher for its slowest reader, can be brought down by what a client sends, and leaves out parts of
 * MQTT 5 that other clients rely on.
 */
export interface AedesInsides extends EventEmitter {
  readonly closed: boolean;
  connectedClients: number;
  /** A plain object in Aedes, so that a client identifier `constructor` or `__proto__` ended the process. */
  clients: Record<string, AedesClient>;
  handle(conn: Duplex, request?: unknown): AedesClient;
  listen(): Promise<void>;
  close(done: () => void): void;
  /** What Aedes says of itself to other brokers, of which there are none. */
  publish(packet: object, client: unknown, done?: () => void): void;
  authenticate(
    client: AedesClient,
    username: string | undefined,
    password: Buffer | undefined,
    done: (error: Error | null, ok: boolean) => void,
  ): void;
  /** Takes over a connection with the same identifier some turns after the new one was answered; ours does so before. */
  registerClient(client: AedesClient): void;
  /** Would also forget a client that is there when another one with its identifier leaves before it is let in. */
  unregisterClient(client: AedesClient): void;
  scheduleSessionExpiry(client: AedesClient): void;
}

/** A PUBLISH, or a Will. */
export interface AedesPublish {
  cmd?: string;
  topic: string;
  payload: Buffer | string;
  qos: number;
  retain: boolean;
  properties?: PublishProperties | undefined;
  messageId?: number;
}

export interface PublishProperties {
  payloadFormatIndicator?: boolean;
  messageExpiryInterval?: number;
  contentType?: string;
  responseTopic?: string;
  correlationData?: Buffer;
  subscriptionIdentifier?: number | number[];
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
  will?: AedesPublish | undefined;
  properties?: ConnectProperties;
}

export interface ConnectProperties {
  /** Seconds. */
  sessionExpiryInterval?: number;
  receiveMaximum?: number;
  maximumPacketSize?: number;
  requestProblemInformation?: boolean;
  authenticationMethod?: string;
  authenticationData?: Buffer;
}

export interface AedesClient extends EventEmitter {
  /** What the client calls itself until it is let in; then ours, so that two principals never share a session. */
  id: string;
  version: 3 | 4 | 5 | null;
  /** Replaced by one on which Aedes can read and end, see `conduit`. */
  conn: unknown;
  connected: boolean;
  closed: boolean;
  _parser: EventEmitter & AedesParser;
  /** Counts packets in work; at 0, the next packet that Aedes gets is handled at once. */
  _parsingBatch: number;
  /** Reads on. Called by Aedes when it is done with a packet. */
  _nextBatch: (error?: Error | null) => void;
  _paused?: boolean;
  _keepaliveTimer: NodeJS.Timeout | null;
  _serverKeepAlive?: number;
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

/** What Aedes asks of a store while a client connects. Sessions are ours, so it is told of none. */
export const noPersistence = {
  // Aedes tells a store by its `setup` being an async function
  setup: async (): Promise<void> => {},
  subscriptionsByClient: async (): Promise<never[]> => [],
  cleanSubscriptions: async (): Promise<void> => {},
  delWill: async (): Promise<void> => {},
  outgoingStream: (): Readable => Readable.from([]),
  streamWill: (): Readable => Readable.from([]),
};
