import type { Logger } from "pino";
import { objectIdOf } from "../ha-discovery/object-id.ts";
import { type DiscoveryRef, discoveryTopics } from "#contracts/discovery.ts";
import type { AgentCredentials } from "./agents/credentials.ts";
import type { Config } from "./config.ts";
import type { Directory } from "./members/directory.ts";
import type { MqttCredentials } from "./mqtt-clients/mqtt-credentials.ts";
import type { BrokerClients } from "./own-broker/broker-clients.ts";
import { type ClientSources, clientsInMemory } from "./own-broker/clients-in-memory.ts";
import { hubAsClient, keepMosquittoFiles } from "./own-broker/mosquitto-files.ts";

export interface KnownClients {
  readonly directory: Directory;
  readonly agents: AgentCredentials;
  readonly integrations: MqttCredentials;
}

/** Everybody who may come to a broker of the operator's own, as its files name them. The rows may change meanwhile. */
export async function brokerClients(config: Config, known: KnownClients): Promise<() => BrokerClients> {
  const { baseTopic, discoveryPrefix, outer } = config.mqtt;
  const { config: topic } = discoveryTopics(discoveryPrefix);
  const configTopicsOf = (ref: DiscoveryRef) => [topic.for(objectIdOf(ref))];
  const hub = await hubAsClient(outer, config.dataDir);
  const sources: ClientSources = { ...known, baseTopic, discoveryPrefix, configTopicsOf };
  return () => clientsInMemory(sources, hub);
}

/** Keeps Mosquitto's files up to date, where the broker is somebody else's. */
export async function keepBrokerFiles(
  config: Config,
  { log, ...known }: KnownClients & { readonly log: Logger },
): Promise<{ close(): void }> {
  if (!config.mqtt.outer) return { close: () => {} };
  const clients = await brokerClients(config, known);
  const { directory, integrations } = known;
  return keepMosquittoFiles({ dataDir: config.dataDir, clients, directory, integrations, log });
}
