import { randomInt } from "node:crypto";
import type { Duplex } from "node:stream";
import { type IClientOptions, MqttClient, connect } from "mqtt";
import type { Logger } from "pino";
import { brokerAt } from "#contracts/broker-url.ts";

/** The broker of this process, which stamps who published, or one that somebody else runs. */
export type BrokerAddress = EmbeddedBroker | OuterBroker;

export interface EmbeddedBroker {
  readonly type: "embedded";
  /** Opens one end of an in-process connection. Called again after a break. */
  readonly open: () => Duplex;
}

export interface OuterBroker {
  readonly type: "outer";
  /** mqtt, mqtts, ws or wss. */
  readonly url: string;
  readonly username: string | null;
  readonly password: string | null;
  /** Who may have signed its certificate (PEM); null = those that Node knows. */
  readonly ca: Buffer | null;
}

export interface ClientOptions {
  readonly clientId: string;
  readonly will?: NonNullable<IClientOptions["will"]>;
  readonly log: Logger;
}

/** In this process nothing is in the way. */
const IN_PROCESS_PAUSE_MS = 200;
/** All who lost the same broker come back at about the same time. */
const PAUSE_MS = { from: 500, to: 1_500 };
/** A broker that refuses the hub does so until somebody changes a setting. */
const REFUSED_PAUSE_MS = 5_000;
const KEEP_ALIVE_SECONDS = 20;
const CONNECT_WITHIN_MS = 10_000;
/** "Unacceptable protocol version" in CONNACK: MQTT 3.1.1 §3.2.2.3, MQTT 5 §3.2.2.2. */
const VERSION_REFUSED = new Set([1, 0x84]);
/** Some brokers of before MQTT 5 close without a word. */
const SILENT_CLOSES = 2;

/**
 * An MQTT client that does not connect before it is told to, and comes back by itself from then on.
 *
 * It speaks MQTT 5, and 3.1.1 to an outer broker that does not know 5.
 */
export function createClient(broker: BrokerAddress, { clientId, will, log }: ClientOptions): MqttClient {
  const options: IClientOptions = {
    protocolVersion: 5,
    clientId,
    clean: true,
    queueQoSZero: false,
    resubscribe: false,
    manualConnect: true,
    ...(will && { will }),
  };
  if (broker.type === "embedded") {
    const inProcess = { ...options, keepalive: 0, reconnectPeriod: IN_PROCESS_PAUSE_MS };
    const client = new MqttClient(broker.open, inProcess);
    client.on("error", (error) => log.warn({ err: error }, "the hub's own MQTT connection broke"));
    return client;
  }
  const { url, username, password, ca } = broker;
  const client = connect({
    ...options,
    ...brokerAt(url),
    ...(username !== null && { username }),
    ...(password !== null && { password }),
    ...(ca !== null && { ca }),
    rejectUnauthorized: true,
    keepalive: KEEP_ALIVE_SECONDS,
    connectTimeout: CONNECT_WITHIN_MS,
    reconnectPeriod: randomInt(PAUSE_MS.from, PAUSE_MS.to),
    reconnectOnConnackError: true,
    wsOptions: { perMessageDeflate: false },
  });
  keepTrying(client, url, log);
  return client;
}

/** Goes on with what the broker understands, and says once what is in the way. */
function keepTrying(client: MqttClient, url: string, log: Logger): void {
  const pauseMs = client.options.reconnectPeriod ?? PAUSE_MS.to;
  let problem: string | null = null;
  let isOpen = false;
  let isExplained = false;
  let silentCloses = 0;
  client.on("connect", () => {
    isOpen = true;
    problem = null;
    silentCloses = 0;
    client.options.reconnectPeriod = pauseMs;
    log.info({ broker: url, version: client.options.protocolVersion === 5 ? "5" : "3.1.1" }, "connected to the broker");
  });
  client.on("error", (error) => {
    isExplained = true;
    const code = "code" in error && typeof error.code === "number" ? error.code : undefined;
    if (code !== undefined && VERSION_REFUSED.has(code)) return speakOlder();
    if (code !== undefined) client.options.reconnectPeriod = REFUSED_PAUSE_MS;
    say(error.message || reasonsIn(error));
  });
  client.on("close", () => {
    if (isOpen) say("the connection broke");
    else if (!isExplained && ++silentCloses >= SILENT_CLOSES) speakOlder();
    isOpen = false;
    isExplained = false;
  });

  function speakOlder(): void {
    silentCloses = 0;
    client.options.protocolVersion = client.options.protocolVersion === 5 ? 4 : 5;
  }

  function say(reason: string): void {
    if (reason === problem || client.disconnecting) return;
    problem = reason;
    log.warn({ broker: url, reason }, "no connection to the broker; trying again");
  }
}

/** Happy Eyeballs gives an error without words for each address it tried. */
function reasonsIn(error: Error): string {
  return error instanceof AggregateError ? error.errors.map(String).join("; ") : error.name;
}
