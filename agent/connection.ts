import { rootCertificates } from "node:tls";
import { connect, type MqttClient } from "mqtt";
import { brokerAt } from "#contracts/broker-url.ts";
import { MAX_PACKET_BYTES } from "#contracts/limits.ts";
import { type TopicOptions, topics } from "#contracts/topics.ts";
import type { Credential } from "./credential.ts";
import type { ConnectionEnd, ProtocolVersion } from "./reconnect.rules.ts";

/** The broker counts this agent as offline after one and a half times this long without a sign of it. */
const KEEP_ALIVE_SECONDS = 20;
const CONNECT_WITHIN_MS = 10_000;
/** What is not acknowledged by then is lost; a farewell must not hold up a shutdown. */
const GOODBYE_WITHIN_MS = 500;

export interface Message {
  /** Without base. */
  readonly topic: string;
  readonly payload: Buffer;
  readonly retained: boolean;
}

/**
 * One MQTT connection to the hub's broker, from CONNECT to its end; the next one is a new object.
 *
 * It adds the base topic to what it sends and strips it from what it hands over. Nothing is kept for later:
 * what cannot be sent now is refused, and fresh state is sent on the next connection instead.
 */
export class HubConnection {
  /** True after CONNACK; false when the connection did not come about. */
  readonly opened: Promise<boolean>;
  readonly ended: Promise<ConnectionEnd>;
  readonly #client: MqttClient;
  readonly #base: string;
  #openedMs: number | undefined;
  #isOpen = false;
  #code: number | undefined;
  #reason = "the connection was closed";
  #settleOpened: (opened: boolean) => void = () => {};
  #settleEnded: (end: ConnectionEnd) => void = () => {};

  /** @param protocolVersion 4 stands for MQTT 3.1.1, which has no way to tell retained orders apart; they expire all the same. */
  constructor(credential: Credential, protocolVersion: ProtocolVersion, onMessage: (message: Message) => void) {
    this.#base = `${credential.baseTopic}/`;
    this.opened = new Promise((resolve) => (this.#settleOpened = resolve));
    this.ended = new Promise((resolve) => (this.#settleEnded = resolve));
    this.#client = connect({
      ...brokerAt(credential.mqttUrl),
      protocolVersion,
      clientId: credential.username,
      username: credential.username,
      password: credential.password,
      clean: true,
      keepalive: KEEP_ALIVE_SECONDS,
      connectTimeout: CONNECT_WITHIN_MS,
      reconnectPeriod: 0,
      queueQoSZero: false,
      resubscribe: false,
      writeCache: false, // it would keep a buffer for every number up to 65,535: 7 MiB
      rejectUnauthorized: true,
      ...(credential.mqttCa !== undefined && { ca: [...rootCertificates, credential.mqttCa] }),
      wsOptions: { perMessageDeflate: false }, // signed text does not shrink, and each window costs memory
      ...(protocolVersion === 5 && { properties: { maximumPacketSize: MAX_PACKET_BYTES } }),
      will: {
        topic: this.#base + topics.agentStatus.for(credential.agent),
        payload: Buffer.from("offline"),
        ...topics.agentStatus.options,
      },
    });
    this.#client.on("connect", () => {
      this.#openedMs = performance.now();
      this.#isOpen = true;
      this.#settleOpened(true);
    });
    this.#client.on("message", (topic, payload, packet) => {
      if (topic.startsWith(this.#base))
        onMessage({ topic: topic.slice(this.#base.length), payload, retained: packet.retain });
    });
    this.#client.on("disconnect", ({ reasonCode }) => this.#note(reasonCode, "the broker ended the connection"));
    this.#client.on("error", (error) => {
      this.#note(codeOf(error), reasonOf(error));
      this.drop();
    });
    this.#client.on("close", () => this.drop());
  }

  /** Between CONNACK and the end. */
  get isOpen(): boolean {
    return this.#isOpen && this.#client.connected;
  }

  /** Resolves when the broker has taken it (QoS 1) or it was handed to the system (QoS 0). Rejects when refused or cut off. */
  async publish(topic: string, payload: string, options: TopicOptions): Promise<void> {
    if (!this.isOpen) throw new Error("not connected");
    await this.#client.publishAsync(this.#base + topic, payload, { ...options });
  }

  /**
   * Subscribes to topics that hold state and to topics that carry orders.
   *
   * Orders come with Retain As Published: one that somebody published as retained is told apart by the flag, always.
   * On the others the flag means that the message is older than this connection.
   */
  async subscribe(filters: { readonly states: readonly string[]; readonly orders: readonly string[] }): Promise<void> {
    const options = [
      ...filters.states.map((filter) => [this.#base + filter, { qos: 1 as const, rap: false }] as const),
      ...filters.orders.map((filter) => [this.#base + filter, { qos: 1 as const, rap: true }] as const),
    ];
    await this.#client.subscribeAsync(Object.fromEntries(options));
  }

  /** Says goodbye with DISCONNECT, so that the broker does not publish the Will. */
  async close(): Promise<void> {
    this.#reason = "this agent said goodbye";
    const goodbye = this.#client.endAsync().catch(() => {}); // it was cut off: gone is gone
    await Promise.race([goodbye, new Promise((resolve) => setTimeout(resolve, GOODBYE_WITHIN_MS).unref())]);
    this.drop();
  }

  /** Cuts the connection without DISCONNECT, so the broker publishes the Will. */
  drop(reason?: string): void {
    if (reason !== undefined) this.#reason = reason;
    this.#isOpen = false; // before what still waits for its acknowledgement is told that it is lost
    this.#client.end(true);
    this.#settleOpened(false);
    this.#settleEnded({
      code: this.#code,
      reason: this.#reason,
      livedMs: this.#openedMs === undefined ? 0 : performance.now() - this.#openedMs,
    });
  }

  #note(code: number | undefined, reason: string): void {
    this.#code = code ?? this.#code;
    this.#reason = reason;
  }
}

function codeOf(error: object): number | undefined {
  return "code" in error && typeof error.code === "number" ? error.code : undefined;
}

/** Happy Eyeballs gives an error without words for each address it tried; the first one tells enough. */
function reasonOf(error: Error): string {
  if (error instanceof AggregateError && error.errors[0] instanceof Error) return error.errors[0].message;
  return error.message;
}
