import { once } from "node:events";
import net from "node:net";
import mqtt, { type IClientOptions, type MqttClient } from "mqtt";
import { generate, type Packet, type Parser, parser as newParser } from "mqtt-packet";
import type { Key } from "#contracts/key.ts";
import type { MqttCredentials, MqttPermission, Principal } from "#contracts/principal.ts";
import type { AccessRefusal, Authentication, ClientConnection } from "./access-policy.ts";
import { type Broker, type BrokerOptions, startBroker } from "./broker.ts";
import type { BrokerLimits } from "./limits.ts";

const everything: MqttPermission[] = ["read", "wake", "power", "discovery"];

/** Whom the brokers of these tests know, by user name. Any password will do, `wrong` excepted. */
export function people(): Record<string, Principal> {
  return Object.assign(Object.create(null) as Record<string, Principal>, {
    pi: agent("pi", "home"),
    attic: agent("attic", "office"),
    ha: integration("ha", everything, null),
    reader: integration("reader", ["read"], ["home"]),
    waker: integration("waker", ["wake"], ["home"]),
    power: integration("power", ["power"], ["home"]),
    office: integration("office", everything, ["office"]),
    bare: integration("bare", [], null),
  });
}

function agent(name: string, cluster: string): Principal {
  return { type: "agent", id: `agent-${name}`, username: name, key: name as Key, cluster: cluster as Key };
}

function integration(name: string, permissions: MqttPermission[], clusters: string[] | null): Principal {
  return {
    type: "integration",
    id: `integration-${name}`,
    username: name,
    permissions: new Set(permissions),
    clusters: clusters && new Set(clusters),
  };
}

export interface TestBroker {
  readonly broker: Broker;
  readonly port: number;
  readonly people: Record<string, Principal>;
  readonly devices: Map<string, string>;
  readonly refusals: AccessRefusal[];
  readonly arrivals: { who: string; connection: ClientConnection }[];
  readonly departures: string[];
  readonly problems: string[];
  readonly asked: MqttCredentials[];
  connect(username: string, options?: IClientOptions): Promise<TestClient>;
  hub(options?: IClientOptions): Promise<TestClient>;
  raw(): Promise<RawClient>;
  close(): Promise<void>;
}

export interface TestClient {
  readonly mqtt: MqttClient;
  readonly messages: TestMessage[];
  /** The payloads that came on a topic. */
  on(topic: string): string[];
}

export interface TestMessage {
  readonly topic: string;
  readonly payload: string;
  readonly qos: number;
  readonly retain: boolean;
  readonly properties: mqtt.IPublishPacket["properties"];
}

/** A broker on a port of its own; `close` also ends every client that was made with it. */
export async function startTestBroker(
  options: {
    port?: number;
    limits?: Partial<BrokerLimits>;
    tls?: { cert: Buffer; key: Buffer };
    authenticate?: (credentials: MqttCredentials) => Authentication | Promise<Authentication>;
  } = {},
): Promise<TestBroker> {
  const state = {
    people: people(),
    devices: new Map([
      ["nas", "home"],
      ["printer", "office"],
    ]),
    refusals: [] as AccessRefusal[],
    arrivals: [] as TestBroker["arrivals"],
    departures: [] as string[],
    problems: [] as string[],
    asked: [] as MqttCredentials[],
  };
  const agents = new Map([
    ["pi", "home"],
    ["attic", "office"],
  ]);
  const clients: MqttClient[] = [];
  const raws: RawClient[] = [];
  const note = (details: object) => {
    if ("problem" in details) state.problems.push(String(details.problem));
  };
  const settings: BrokerOptions = {
    baseTopic: "powerbeacon",
    discoveryPrefix: "homeassistant",
    tcp: { host: "127.0.0.1", port: options.port ?? 0 },
    tls: options.tls ? { host: "127.0.0.1", port: 0, ...options.tls } : null,
    log: { warn: note, info: note },
    ...(options.limits ? { limits: options.limits } : {}),
    policy: {
      authenticate(credentials) {
        state.asked.push(credentials);
        if (options.authenticate) return options.authenticate(credentials);
        const principal = credentials.username === null ? undefined : state.people[credentials.username];
        const isWrong = credentials.password?.toString() === "wrong";
        return principal && !isWrong ? { ok: true, principal } : { ok: false, reason: "bad-credentials" };
      },
      clusterOfDevice: (device) => state.devices.get(device),
      clusterOfAgent: (key) => agents.get(key),
      clusterOfDiscovery: (objectId) => (objectId.startsWith("powerbeacon_office") ? "office" : undefined),
      connected: (principal, connection) => state.arrivals.push({ who: principal.username, connection }),
      disconnected: (principal) => state.departures.push(principal.username),
      refused: (refusal) => state.refusals.push(refusal),
    },
  };
  const broker = await startBroker(settings);

  return {
    ...state,
    broker,
    port: broker.tcpPort,
    async connect(username, clientOptions = {}) {
      const client = mqtt.connect({
        host: "127.0.0.1",
        port: broker.tcpPort,
        username,
        password: "right",
        reconnectPeriod: 0,
        ...clientOptions,
      });
      clients.push(client);
      return follow(client);
    },
    async hub(clientOptions = {}) {
      const client = new mqtt.MqttClient(() => broker.connectHub(), {
        protocolVersion: 5,
        reconnectPeriod: 0,
        ...clientOptions,
      });
      clients.push(client);
      return follow(client);
    },
    async raw() {
      const raw = new RawClient(broker.tcpPort);
      raws.push(raw);
      await once(raw.socket, "connect");
      return raw;
    },
    async close() {
      for (const raw of raws) raw.socket.destroy();
      await Promise.all(clients.map((client) => client.endAsync(true)));
      await broker.close();
    },
  };
}

/** Collects what a client gets, once it is let in. @throws what the broker answered instead. */
export async function follow(client: MqttClient): Promise<TestClient> {
  const messages: TestMessage[] = [];
  client.on("message", (topic, payload, { qos, retain, properties }) => {
    messages.push({ topic, payload: payload.toString(), qos, retain, properties });
  });
  await new Promise((resolve, reject) => client.once("connect", resolve).once("error", reject));
  client.on("error", () => {}); // what the broker says at the end is looked at where a test is about it
  return {
    mqtt: client,
    messages,
    on: (topic) => messages.filter((message) => message.topic === topic).map((message) => message.payload),
  };
}

/** A connection on which anything can be said, also what no client library would. */
export class RawClient {
  readonly socket: net.Socket;
  readonly packets: Packet[] = [];
  isClosed = false;
  #parser: Parser = newParser({ protocolVersion: 4 });

  constructor(port: number) {
    this.socket = net.connect(port, "127.0.0.1");
    this.socket.on("data", (chunk) => this.#parser.parse(chunk));
    this.socket.on("error", () => {});
    this.socket.on("close", () => {
      this.isClosed = true;
    });
    this.#parser.on("packet", (packet) => this.packets.push(packet));
  }

  get commands(): string[] {
    return this.packets.map((packet) => packet.cmd);
  }

  send(packet: Packet | Buffer, protocolVersion = this.version): void {
    this.socket.write(Buffer.isBuffer(packet) ? packet : generate(packet, { protocolVersion }));
  }

  version: 3 | 4 | 5 = 4;

  /** Sends a CONNECT; what it is answered is the first of `packets`. */
  connect(version: 4 | 5, fields: object = {}): void {
    this.version = version;
    this.#parser = newParser({ protocolVersion: version });
    this.#parser.on("packet", (packet) => this.packets.push(packet));
    this.send(connectPacket(version, fields));
  }
}

export function connectPacket(version: 4 | 5, fields: object = {}): Packet {
  return {
    cmd: "connect",
    protocolId: "MQTT",
    protocolVersion: version,
    clientId: "raw",
    clean: true,
    keepalive: 0,
    username: "ha",
    password: Buffer.from("right"),
    ...fields,
  } as Packet; // fields may be what no packet should hold
}
