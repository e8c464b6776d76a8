import type { Logger } from "pino";
import type { PlaceDirectory } from "../broker/access-policy.ts";
import { refusalOfPublish } from "../broker/publish-rules.ts";
import { mayRead, refusalOfSubscribe } from "../broker/read-rules.ts";
import { MANAGES, TopicRules } from "../broker/topic-rules.ts";
import { objectIdOf } from "../ha-discovery/object-id.ts";
import { type DiscoveryRef, discoveryTopics } from "#contracts/discovery.ts";
import type { Principal } from "#contracts/principal.ts";
import { topics } from "#contracts/topics.ts";
import type { AgentCredentials } from "./agents/credentials.ts";
import type { Config } from "./config.ts";
import { type DoorOptions, type PlaceSources, doorkeeper, placesOf } from "./embedded-broker.ts";
import { keptSecret } from "./kernel/data-folder.ts";
import type { Directory } from "./members/directory.ts";
import type { MqttCredentials } from "./mqtt-clients/mqtt-credentials.ts";
import type { Schedules } from "./schedules/schedules.ts";
import type { BrokerClients } from "./own-broker/broker-clients.ts";
import { type AccessRules, BrokerDoor } from "./own-broker/broker-door.ts";
import { verbsFor } from "./own-broker/asking.rules.ts";
import { type ClientSources, clientsInMemory, siteCount } from "./own-broker/clients-in-memory.ts";
import { type MosquittoFiles, hubAsClient, keepMosquittoFiles } from "./own-broker/mosquitto-files.ts";

export interface KnownClients {
  readonly directory: Directory;
  readonly schedules: Schedules;
  readonly agents: AgentCredentials;
  readonly integrations: MqttCredentials;
}

/** Everybody who may come to a broker of the operator's own, as its files name them. The rows may change meanwhile. */
export async function brokerClients(config: Config, known: KnownClients): Promise<() => BrokerClients> {
  const { baseTopic, discoveryPrefix, outer } = config.mqtt;
  const { config: whole, component } = discoveryTopics(discoveryPrefix);
  const configTopicsOf = (ref: DiscoveryRef) => [whole.for(objectIdOf(ref)), component.filterOf(objectIdOf(ref))];
  const hub = await hubAsClient(outer, config.dataDir);
  const sources: ClientSources = { ...known, baseTopic, discoveryPrefix, configTopicsOf };
  return () => clientsInMemory(sources, hub);
}

/** How the client ids of hubs begin. */
const HUB_CLIENT = "powerbeacon-hub-";

/**
 * The hub's client id on brokers of somebody else's: another one for each hub, the same at each start, so that a hub that was
 * killed takes the place of its own dead connection.
 */
export function hubClientId({ mqtt: { baseTopic }, dataDir }: Config): string {
  return `${HUB_CLIENT}${baseTopic.replaceAll("/", "-")}-${keptSecret(dataDir, "mqtt-client-id")}`;
}

/** Keeps Mosquitto's files up to date, where the broker is somebody else's. */
export async function keepBrokerFiles(
  config: Config,
  { log, ...known }: KnownClients & { readonly log: Logger },
): Promise<MosquittoFiles> {
  if (!config.mqtt.outer) return { onReload: () => {}, close: () => {} };
  const clients = await brokerClients(config, known);
  const { directory, schedules, integrations } = known;
  return keepMosquittoFiles({ dataDir: config.dataDir, clients, directory, schedules, integrations, log });
}

/** Answers a broker that asks the hub who may do what. */
export function openBrokerDoor(config: Config, options: DoorOptions & PlaceSources): BrokerDoor {
  const { outer, baseTopic, discoveryPrefix } = config.mqtt;
  const { directory, agents, clients } = options;
  return new BrokerDoor({
    hub: outer?.username ? { username: outer.username, password: outer.password } : null,
    hubTopics: [`${baseTopic}/`, `${discoveryPrefix}/`],
    rules: accessRules(new TopicRules(baseTopic, discoveryPrefix), placesOf(options), directory),
    letIn: doorkeeper(options),
    byUsername: (username) => agents.byId(username) ?? clients.byUsername(username),
    isKept: (clientId) => clientId.startsWith(HUB_CLIENT) || agents.byId(clientId) !== undefined,
  });
}

/** Of a message that nobody shows, the worst is assumed for who publishes and the best for who reads. */
const UNSIGNED = Buffer.alloc(0);
const SIGNED = Buffer.from("eyJ");

/** The rules of the embedded broker, for who knows neither the payload of a message nor its site. */
function accessRules(rules: TopicRules, places: PlaceDirectory, directory: Directory): AccessRules {
  const isAlone = () => siteCount(directory) === 1;
  const read = (principal: Principal, name: string) => {
    const topic = rules.of(name);
    const siteId = "siteId" in principal ? principal.siteId : null;
    const isAboutASite = topic.name === topics.event.name || topics.hubResponse.match(topic.name) !== undefined;
    return (!isAboutASite || isAlone()) && mayRead(principal, topic, { payload: SIGNED, siteId }, places);
  };
  return {
    mayPublish: (principal, name, retain) =>
      refusalOfPublish(principal, rules.of(name), { payload: UNSIGNED, retain }, places) === null &&
      mayAskFor(principal, rules.of(name).name, isAlone()),
    mayRead: read,
    maySubscribe: (principal, filter) => refusalOfSubscribe(principal, filter, rules.of(filter), places) === null,
    mayReadAll: (principal, filter) => {
      if (!/[+#]/.test(filter)) return read(principal, filter);
      const topic = rules.of(filter);
      if (topic.rule.response) return read(principal, filter);
      // a wildcard in the place of a key names nothing that is in a cluster: only who reaches all of a site may read that
      if (isAlone() && read(principal, filter)) return true;
      return isAlone() && isOrders(principal, topic.name);
    },
  };
}

/**
 * Whether somebody may do all that a request can name. The hub does not learn who asks there, so nothing is left out of it
 * for those who may do some of it.
 */
function mayAskFor(principal: Principal, name: string, isAlone: boolean): boolean {
  const verb = topics.hubRequest.match(name);
  switch (principal.type) {
    case "hub":
    case "agent":
      return true;
    case "integration": {
      const { permissions, clusters } = principal;
      return verb === undefined || verbsFor(permissions, clusters === null && isAlone).includes(verb);
    }
    case "person": {
      const isForMany = [topics.clusterWake, topics.clusterSet].some((topic) => topic.match(name) !== undefined);
      if (verb === undefined && !isForMany) return true;
      return principal.may(MANAGES) && (isForMany || isAlone);
    }
  }
}

/**
 * The filter by which every agent hears its orders. Where nobody looks at the single messages, it opens those of the site's
 * other clusters, too: an agent sees them, and obeys none that does not name it.
 */
function isOrders(principal: Principal, filter: string): boolean {
  return principal.type === "agent" && filter === topics.clusterWake.filter;
}
