import { type Permission, type Role, reachOf } from "#contracts/permissions.ts";
import type { MqttPermission } from "#contracts/principal.ts";

/**
 * Who may do what, told a second time: after the table of docs/protocol.md, in words and sets, and without a line of the
 * broker's own rules. The fuzz test holds the two against each other.
 */

export interface World {
  /** Cluster → site. */
  readonly clusters: Map<string, string>;
  /** Device, agent or discovery object id → cluster. */
  readonly devices: Map<string, string>;
  readonly agents: Map<string, string>;
  readonly discovered: Map<string, string>;
}

export type Someone =
  | { readonly kind: "hub" }
  | { readonly kind: "agent"; readonly username: string; readonly agent: string }
  | {
      readonly kind: "integration";
      readonly username: string;
      readonly site: "house" | "shop";
      permissions: MqttPermission[];
      clusters: string[] | null;
    }
  | {
      readonly kind: "person";
      readonly username: string;
      readonly site: "house" | "shop";
      role: Role;
      token: Permission[];
      /** Keys of devices of its own, or shared with it for waking. */
      readonly own: string[];
    };

export interface Message {
  readonly topic: string;
  readonly payload: string;
  readonly retain: boolean;
  /** The site that the message itself tells. */
  readonly site: string | null;
}

export type Client = Exclude<Someone, { kind: "hub" }>;

const isSigned = (payload: string) => payload.startsWith("eyJ");

/** What a topic is about: its words without the base, and the thing that it names. */
function read(topic: string) {
  const [root = "", kind = "", key = "", ...rest] = topic.split("/");
  const isOurs = root === "powerbeacon";
  return { root, isOurs, kind: isOurs ? kind : "", key, rest: rest.join("/"), words: topic.split("/").slice(1) };
}

const permissionsOf = (person: Extract<Client, { kind: "person" }>) =>
  person.token.filter((permission) => reachOf(person.role, permission) !== undefined);

function clusterOf(world: World, kind: string, key: string): string | undefined {
  if (kind === "cluster") return world.clusters.has(key) ? key : undefined;
  if (kind === "device") return world.devices.get(key);
  if (kind === "agent") return world.agents.get(key);
  return undefined;
}

/** Whether somebody reaches into a cluster. */
function reaches(world: World, client: Client, cluster: string): boolean {
  if (client.kind === "agent") return world.agents.get(client.agent) === cluster;
  if (world.clusters.get(cluster) !== client.site) return false;
  return client.kind === "person" || client.clusters === null || client.clusters.includes(cluster);
}

const hasAll = (client: Client) =>
  client.kind === "person" || (client.kind === "integration" && client.clusters === null);

export function mayPublish(world: World, someone: Someone, { topic, payload, retain }: Message): boolean {
  if (someone.kind === "hub") return true;
  const { root, isOurs, kind, key, rest, words } = read(topic);
  if (someone.kind === "agent") {
    if (!isOurs || kind !== "agent" || key !== someone.agent || !world.agents.has(key)) return false;
    if (["status", "heartbeat", "inventory", "update"].includes(rest)) return true;
    return ["receipt", "sightings"].includes(rest) && !retain;
  }
  const isPerson = someone.kind === "person";
  const manages = isPerson && permissionsOf(someone).includes("mqtt-client:manage");
  if (root === "homeassistant") {
    if (isPerson ? !manages : !someone.permissions.includes("discovery")) return false;
    if (topic === "homeassistant/status") return true;
    const objectId = objectIdIn(words);
    if (!objectId || !retain || payload !== "") return false;
    const cluster = world.discovered.get(objectId);
    if (cluster === "the hub") return hasAll(someone) && someone.site === "house";
    return cluster === undefined ? hasAll(someone) : reaches(world, someone, cluster);
  }
  if (!isOurs || retain) return false;
  if (kind === "hub" && key === "request" && rest !== "" && words.length === 3)
    return isPerson || someone.permissions.length > 0;
  const isWake = kind === "cluster" && rest === "wake";
  const isSet = (kind === "cluster" || kind === "device") && rest === "set";
  if ((!isWake && !isSet) || key === "") return false;
  const cluster = clusterOf(world, kind, key);
  if (isPerson) return !isSigned(payload) && mayWake(world, someone, kind, key);
  const { permissions } = someone;
  if (!permissions.includes("wake") && !(isSet && permissions.includes("power"))) return false;
  if (isWake && isSigned(payload)) return false;
  return cluster === undefined ? hasAll(someone) : reaches(world, someone, cluster);
}

/** `device/<object_id>/config`, or `<platform>/<object_id>/<component>/config`. */
function objectIdIn(words: readonly string[]): string | undefined {
  const [first = "", second = "", third = ""] = words;
  if (words.at(-1) !== "config") return undefined;
  if (words.length === 3) return first === "device" ? second : undefined;
  const isMade = [first, second, third].every((word) => /^[A-Za-z0-9_-]+$/.test(word));
  return words.length === 4 && first !== "device" && isMade ? second : undefined;
}

/** A person wakes what the role allows: everything of the site, or what is their own; a cluster when any of its devices is. */
export function mayWake(world: World, person: Extract<Client, { kind: "person" }>, kind: string, key: string): boolean {
  const cluster = clusterOf(world, kind, key);
  if (cluster === undefined) return false;
  if (world.clusters.get(cluster) !== person.site || !permissionsOf(person).includes("device:wake")) return false;
  const devices =
    kind === "device" ? [key] : [...world.devices].flatMap(([device, at]) => (at === cluster ? device : []));
  const reach = reachOf(person.role, "device:wake");
  return devices.some((device) => reach === "any" || (reach === "own" && person.own.includes(device)));
}

export function mayRead(world: World, someone: Someone, { topic, payload, site }: Message): boolean {
  if (someone.kind === "hub") return true;
  const { root, isOurs, kind, key, rest, words } = read(topic);
  const isOfOurSite = someone.kind !== "agent" && (site === null || site === someone.site);
  if (kind === "client")
    return key === someone.username && rest.startsWith("response/") && (someone.kind === "agent" || isOfOurSite);
  if (someone.kind === "agent") {
    if (["powerbeacon/hub/status", "powerbeacon/hub/info"].includes(topic)) return true;
    if (kind === "cluster" && rest === "wake") return isSigned(payload) && reaches(world, someone, key);
    return kind === "agent" && key === someone.agent && ["status", "order", "watch"].includes(rest);
  }
  const may = (integration: MqttPermission, person: Permission | null) =>
    someone.kind === "person"
      ? person === null || permissionsOf(someone).includes(person)
      : someone.permissions.includes(integration);
  if (root === "homeassistant" && words.length > 0) {
    if (!may("discovery", "mqtt-client:manage")) return false;
    if (topic === "homeassistant/status") return isOfOurSite;
    const cluster = world.discovered.get(objectIdIn(words) ?? "");
    if (cluster !== undefined && cluster !== "the hub") return reaches(world, someone, cluster);
    return hasAll(someone) && isOfOurSite;
  }
  if (!isOurs) return false;
  if (["powerbeacon/hub/status", "powerbeacon/hub/info", "powerbeacon/hub/update"].includes(topic))
    return may("read", null) && isOfOurSite;
  if (topic === "powerbeacon/event") return may("read", "agent:read") && hasAll(someone) && isOfOurSite;
  if (kind === "hub" && key === "response" && rest !== "" && words.length === 3)
    return may("read", "mqtt-client:manage") && hasAll(someone) && isOfOurSite;
  const readable: Record<string, { words: string[]; person: Permission }> = {
    cluster: { words: ["wake/result", "state", "info"], person: "cluster:read" },
    device: { words: ["state", "availability", "info", "result", "event"], person: "device:read" },
    agent: { words: ["status", "heartbeat", "update"], person: "agent:read" },
  };
  const row = Object.hasOwn(readable, kind) ? readable[kind] : undefined;
  if (!row?.words.includes(rest) || key === "" || !may("read", row.person)) return false;
  const cluster = clusterOf(world, kind, key);
  return cluster === undefined ? hasAll(someone) && site === someone.site : reaches(world, someone, cluster);
}
