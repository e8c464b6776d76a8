import { type Permission, Role, TokenPermission, reachOf } from "#contracts/permissions.ts";
import { MQTT_PERMISSIONS, type Principal } from "#contracts/principal.ts";
import { type Client, type Message, type World, mayWake } from "./access-oracle.ts";
import type { PlaceDirectory } from "./access-policy.ts";

/** Two sites full of clients, and what they could say, all of it by chance and the same for the same seed. */
export interface FuzzWorld extends World {
  readonly clients: Map<string, Client>;
  readonly directory: PlaceDirectory;
  principalOf(username: string): Principal | undefined;
  /** Changes what somebody may, or where something is. */
  shuffle(): void;
  message(claimedSite: string | null): Message;
  filters(): string[];
  readonly chance: Chance;
}

export type Chance = ReturnType<typeof chances>;

const CLUSTERS = { house: ["home", "office"], shop: ["till", "stock"] } as const;
const SITES = ["house", "shop"] as const;

export function fuzzWorld(seed: number): FuzzWorld {
  const chance = chances(seed);
  const clusters = new Map(
    SITES.flatMap((site) => CLUSTERS[site].map((cluster) => [cluster as string, site] as const)),
  );
  const devices = new Map([
    ["nas", "home"],
    ["printer", "office"],
    ["register", "till"],
    ["scale", "stock"],
  ]);
  const agents = new Map([
    ["pi", "home"],
    ["attic", "office"],
    ["counter", "till"],
  ]);
  const discovered = new Map([
    ["o-hub", "the hub"],
    ["o-nas", "home"],
    ["o-register", "till"],
  ]);
  const world: World = { clusters, devices, agents, discovered };
  const clients = new Map(everybody(chance, [...devices.keys()]).map((client) => [client.username, client]));
  const principals = new Map([...clients].map(([username, client]) => [username, principalOf(client, world)]));

  const placeOf = (cluster: string | undefined) => {
    if (cluster === "the hub") return { key: null, siteId: "house" };
    return cluster === undefined ? undefined : { key: cluster, siteId: clusters.get(cluster) ?? "nowhere" };
  };

  return {
    ...world,
    clients,
    chance,
    principalOf: (username) => principals.get(username),
    directory: {
      cluster: (key) => placeOf(clusters.has(key) ? key : undefined),
      clusterOfDevice: (key) => placeOf(devices.get(key)),
      clusterOfAgent: (key) => placeOf(agents.get(key)),
      clusterOfDiscovery: (objectId) => placeOf(discovered.get(objectId)),
    },
    shuffle: () => {
      for (const client of clients.values())
        if (client.kind !== "agent" && chance.of(0.3)) changeRights(client, chance);
      devices.set("nas", chance.pick(CLUSTERS.house));
      agents.set("attic", chance.pick(CLUSTERS.house));
      devices.delete("scale");
      agents.delete("counter");
    },
    message: (site) => ({
      topic: topicOf(chance, [...clients.keys()]),
      payload: chance.pick(["", `${chance.number()}`, `eyJ${chance.number()}`, `*${chance.number()}`]),
      retain: chance.of(0.3),
      site,
    }),
    filters: () => (chance.of(0.5) ? ["#"] : [chance.pick(FILTERS), chance.pick(FILTERS), chance.pick(FILTERS)]),
  };
}

/** Every kind of client of both sites: all permissions in all combinations, with all, no, one and both clusters. */
function everybody(chance: Chance, devices: readonly string[]): Client[] {
  const agents = ["pi", "attic", "counter"].map((agent): Client => ({ kind: "agent", username: `u-${agent}`, agent }));
  const integrations = SITES.flatMap((site) =>
    [null, [], [CLUSTERS[site][0]], [...CLUSTERS[site]]].flatMap((clusters, kind) =>
      subsets(MQTT_PERMISSIONS).map((permissions, at): Client => {
        return { kind: "integration", username: `${site}-${kind}-${at}`, site, permissions, clusters };
      }),
    ),
  );
  const persons = SITES.flatMap((site) =>
    Role.options.flatMap((role) =>
      [[...TokenPermission.options], chance.some(TokenPermission.options), []].map((token, at): Client => {
        return { kind: "person", username: `~${site}-${role}-${at}`, site, role, token, own: chance.some(devices) };
      }),
    ),
  );
  return [...agents, ...integrations, ...persons];
}

function changeRights(client: Exclude<Client, { kind: "agent" }>, chance: Chance): void {
  if (client.kind === "person") {
    client.role = chance.pick(Role.options);
    client.token = chance.some(TokenPermission.options);
  } else {
    client.permissions = chance.some(MQTT_PERMISSIONS);
    client.clusters = client.clusters && chance.some(CLUSTERS[client.site]);
  }
}

/** As the hub makes them: one object, whose rights are looked up at each message. */
function principalOf(client: Client, world: World): Principal {
  const { username } = client;
  const id = `id-${username}`;
  switch (client.kind) {
    case "agent":
      return {
        type: "agent",
        id,
        username,
        key: client.agent,
        get cluster() {
          return world.agents.get(client.agent);
        },
      } as Principal; // keys of this world need no check
    case "integration":
      return {
        type: "integration",
        id,
        username,
        siteId: client.site,
        get permissions() {
          return new Set(client.permissions);
        },
        get clusters() {
          return client.clusters && new Set(client.clusters);
        },
      };
    case "person":
      return {
        type: "person",
        id,
        username,
        siteId: client.site,
        may: (permission: Permission) =>
          client.token.some((given) => given === permission) && reachOf(client.role, permission) !== undefined,
        mayAct: (thing, key) => mayWake(world, client, thing, key),
      };
  }
}

const KEYS = {
  cluster: ["home", "office", "till", "stock", "ghost", "constructor", "__proto__", ""],
  device: ["nas", "printer", "register", "scale", "ghost", "toString", "n\u0430s", "NAS", "nas ", "nas\u200B"],
  agent: ["pi", "attic", "counter", "ghost", "hasOwnProperty", "\uFF50i"],
} as const;
const WORDS = {
  cluster: ["wake", "wake/result", "set", "state", "info", "wake/", "more"],
  device: ["set", "state", "availability", "info", "result", "event", "Set"],
  agent: ["status", "heartbeat", "inventory", "order", "watch", "receipt", "sightings", "update", "status/more"],
} as const;
const words = (text: string) => text.trim().split(/\s+/);

const FIXED = words(`hub/status hub/info hub/update hub/request/x hub/response/x event
  events hub hub/request/ hub/response/x/y /hub/status hub//status /`);
const OUTSIDE = words(`homeassistant/status homeassistant/device/o-nas/config homeassistant/device/o-hub/config
  homeassistant/device/o-register/config homeassistant/device/ghost/config homeassistant/device//config
  homeassistant/switch/lamp/config homeassistant elsewhere/device/nas/state device/nas/set
  $SYS/broker/version $share/g/powerbeacon/event /powerbeacon/event POWERBEACON/event powerbeacon`);
const FILTERS = words(`# +/# +/+ +/+/+/+ powerbeacon/# powerbeacon/+/+/state powerbeacon/cluster/+/#
  powerbeacon/device/+/# powerbeacon/agent/# powerbeacon/hub/# powerbeacon/event homeassistant/#
  powerbeacon/client/# powerbeacon/client/+/response/+ powerbeacon/device/nas/state /# +`);

function topicOf(chance: Chance, usernames: readonly string[]): string {
  const kind = chance.pick(["cluster", "device", "agent", "fixed", "outside", "response"] as const);
  switch (kind) {
    case "fixed":
      return `powerbeacon/${chance.pick(FIXED)}`;
    case "outside":
      return chance.pick(OUTSIDE);
    case "response":
      return `powerbeacon/client/${chance.pick(usernames)}/${chance.pick(["response/1", "response/a/b", "response", "x"])}`;
    case "cluster":
    case "device":
    case "agent":
      return `powerbeacon/${kind}/${chance.pick(KEYS[kind])}/${chance.pick(WORDS[kind])}`;
  }
}

function subsets<T>([first, ...rest]: readonly T[]): T[][] {
  if (first === undefined) return [[]];
  const others = subsets(rest);
  return [...others, ...others.map((subset) => [first, ...subset])];
}

/** @see https://github.com/bryc/code/blob/master/jshash/PRNGs.md, mulberry32 */
function chances(seed: number) {
  let state = seed;
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  return {
    of: (probability: number) => next() < probability,
    number: () => Math.floor(next() * 1e9),
    pick: <T>(from: readonly T[]): T => from[Math.floor(next() * from.length)] as T, // none of these is empty
    some: <T>(from: readonly T[]): T[] => from.filter(() => next() < 0.5),
  };
}
