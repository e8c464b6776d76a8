import { once } from "node:events";
import mqtt, { type IClientOptions, type MqttClient } from "mqtt";
import type { Key } from "#contracts/key.ts";
import type { Permission } from "#contracts/permissions.ts";
import type { MqttCredentials, MqttPermission, Principal } from "#contracts/principal.ts";
import type { AccessRefusal, Authentication, ClientConnection, Place, PlaceDirectory } from "./access-policy.ts";
import type { BrokerStore } from "#contracts/broker-store.ts";
import { type Broker, startBroker } from "./broker.ts";
import type { BrokerOptions } from "./options.ts";
import type { BrokerLimits } from "./limits.ts";
import { RawClient } from "./raw-client.ts";

const everything: MqttPermission[] = ["read", "wake", "power", "discovery"];

/** Two sites: a house with two clusters, and a shop. */
export const HOME: Place = { key: "home", siteId: "house" };
const OFFICE: Place = { key: "office", siteId: "house" };
const TILL: Place = { key: "till", siteId: "shop" };
const HUB_ITSELF: Place = { key: null, siteId: "house" };

/** Which cluster each thing is in. A new one for each test, which may change it. */
export function places() {
  const clusters = new Map([HOME, OFFICE, TILL].map((place) => [place.key ?? "", place]));
  const devices = new Map([
    ["nas", HOME],
    ["printer", OFFICE],
    ["register", TILL],
  ]);
  const agents = new Map([
    ["pi", HOME],
    ["attic", OFFICE],
    ["counter", TILL],
  ]);
  const discovered = new Map([
    ["hub-1", HUB_ITSELF],
    ["home-nas", HOME],
    ["office-printer", OFFICE],
    ["shop-register", TILL],
  ]);
  const directory: PlaceDirectory = {
    cluster: (key) => clusters.get(key),
    clusterOfDevice: (key) => devices.get(key),
    clusterOfAgent: (key) => agents.get(key),
    clusterOfDiscovery: (objectId) => discovered.get(objectId),
  };
  return { clusters, devices, agents, discovered, directory };
}

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
    counter: agent("counter", "till"),
    shop: integration("shop", everything, null, "shop"),
    "~ann": person("ann", ["device:read", "cluster:read", "agent:read", "device:wake", "mqtt-client:manage"]),
    "~ben": person("ben", ["device:read", "cluster:read", "agent:read", "device:wake"], ["nas", "home"]),
    "~eve": person("eve", ["device:read", "cluster:read"], []),
    "~off": person("off", []),
  });
}

function agent(name: string, cluster: string): Principal {
  return { type: "agent", id: `agent-${name}`, username: name, key: name as Key, cluster: cluster as Key };
}

/** @param wakes the keys of what it may wake; all things without. */
function person(name: string, permissions: Permission[], wakes?: string[]): Principal {
  const may = new Set(permissions);
  return {
    type: "person",
    id: `token-${name}`,
    username: `~${name}`,
    siteId: "house",
    may: (permission) => may.has(permission),
    mayAct: (_thing, key) => may.has("device:wake") && (wakes?.includes(key) ?? true),
  };
}

function integration(
  name: string,
  permissions: MqttPermission[],
  clusters: string[] | null,
  siteId = "house",
): Principal {
  return {
    type: "integration",
    id: `integration-${name}`,
    username: name,
    siteId,
    permissions: new Set(permissions),
    clusters: clusters && new Set(clusters),
  };
}

export interface TestBroker {
  readonly broker: Broker;
  readonly port: number;
  readonly people: Record<string, Principal>;
  readonly places: ReturnType<typeof places>;
  readonly refusals: (Omit<AccessRefusal, "principal" | "address"> & { username: string })[];
  readonly arrivals: { who: string; connection: ClientConnection }[];
  readonly departures: string[];
  readonly problems: string[];
  readonly asked: MqttCredentials[];
  connect(username: string, options?: IClientOptions): Promise<TestClient>;
  hub(options?: IClientOptions): Promise<TestClient>;
  raw(): Promise<RawClient>;
  /** A raw client that was answered with CONNACK. */
  letIn(version: 4 | 5, fields?: object): Promise<RawClient>;
  /** Whether messages still get from a client to the hub. */
  isServing(): Promise<boolean>;
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
    directory?: PlaceDirectory;
    store?: BrokerStore;
    /** Whom it knows instead. */
    people?: Record<string, Principal>;
  } = {},
): Promise<TestBroker> {
  const state = {
    people: options.people ?? people(),
    places: places(),
    refusals: [] as TestBroker["refusals"],
    arrivals: [] as TestBroker["arrivals"],
    departures: [] as string[],
    problems: [] as string[],
    asked: [] as MqttCredentials[],
  };
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
    ...(options.store ? { store: options.store } : {}),
    policy: {
      authenticate(credentials) {
        state.asked.push(credentials);
        if (options.authenticate) return options.authenticate(credentials);
        const principal = credentials.username === null ? undefined : state.people[credentials.username];
        const isWrong = credentials.password?.toString() === "wrong";
        return principal && !isWrong ? { ok: true, principal } : { ok: false, reason: "bad-credentials" };
      },
      principal: (id) => Object.values(state.people).find((one) => one.id === id),
      ...(options.directory ?? state.places.directory),
      connected: ({ username }, { clientId, address, protocolVersion, takenFrom }) => {
        state.arrivals.push({ who: username, connection: { clientId, address, protocolVersion, takenFrom } });
      },
      disconnected: (principal) => state.departures.push(principal.username),
      refused: ({ principal: { username }, action, topic, reason }) => {
        state.refusals.push({ username, action, topic, reason });
      },
    },
  };
  const broker = await startBroker(settings);

  const made: TestBroker = {
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
    async letIn(version, fields = {}) {
      const raw = await made.raw();
      raw.connect(version, fields);
      await once(raw.socket, "data");
      return raw;
    },
    async isServing() {
      const hub = await made.hub();
      await hub.mqtt.subscribeAsync("powerbeacon/device/nas/set", { qos: 1 });
      const ha = await made.connect("ha");
      const arrived = new Promise((resolve) => hub.mqtt.once("message", resolve));
      await ha.mqtt.publishAsync("powerbeacon/device/nas/set", "still here", { qos: 1 });
      await arrived;
      return true;
    },
  };
  return made;
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
