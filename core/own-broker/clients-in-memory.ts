import type { DiscoveryRef } from "#contracts/discovery.ts";
import type { IntegrationPrincipal } from "#contracts/principal.ts";
import type { AgentCredentials } from "../agents/credentials.ts";
import type { Directory } from "../members/directory.ts";
import type { MqttCredentials } from "../mqtt-clients/mqtt-credentials.ts";
import type { Schedules } from "../schedules/schedules.ts";
import type { BrokerClients, FileClient, ReachedThings } from "./broker-clients.ts";

export interface ClientSources {
  readonly baseTopic: string;
  readonly discoveryPrefix: string;
  readonly directory: Directory;
  readonly schedules: Schedules;
  readonly agents: AgentCredentials;
  readonly integrations: MqttCredentials;
  /** Where the configs of a thing stand, as topics or filters. */
  readonly configTopicsOf: (ref: DiscoveryRef) => readonly string[];
}

/** Everybody who may come to the broker now, read from memory. */
export function clientsInMemory(sources: ClientSources, hub: FileClient | null): BrokerClients {
  const { baseTopic, discoveryPrefix, directory, agents, integrations } = sources;
  const isAlone = siteCount(directory) === 1;
  return {
    baseTopic,
    discoveryPrefix,
    hub,
    agents: [...agents.all()].map(({ mosquittoHash, principal: { username, key, cluster } }) => {
      return { username, mosquittoHash, key, cluster };
    }),
    integrations: [...integrations.all()].map(({ mosquittoHash, principal }) => {
      const { username, permissions, clusters } = principal;
      const reach = clusters === null && isAlone ? "everything" : thingsOf(principal, sources);
      return { username, mosquittoHash, permissions, reach };
    }),
  };
}

/** Each site has at least the row that stands for "in no cluster". */
export function siteCount(directory: Directory): number {
  return new Set([...directory.clusters].map(({ siteId }) => siteId)).size;
}

/** An outer broker knows no sites: where there are several, even who reaches all of one gets its things by name. */
function thingsOf({ siteId, clusters }: IntegrationPrincipal, sources: ClientSources): ReachedThings {
  const { directory, schedules, configTopicsOf } = sources;
  const own = [...directory.clusters].filter(
    (cluster) => cluster.siteId === siteId && (clusters === null || clusters.has(cluster.key)),
  );
  const devices = own.flatMap(({ id }) => directory.devicesOf(id));
  const agents = own.flatMap(({ id }) => directory.agentsOf(id));
  // a schedule is for who reaches all of its site
  const ofSite = clusters === null ? [...schedules].filter((schedule) => schedule.siteId === siteId) : [];
  const refs: DiscoveryRef[] = [
    ...own.filter(({ unassigned }) => !unassigned).map(({ id }) => ({ type: "cluster", id }) as const),
    ...devices.map(({ id }) => ({ type: "device", id }) as const),
    ...agents.map(({ id }) => ({ type: "agent", id }) as const),
    ...ofSite.map(({ id }) => ({ type: "schedule", id }) as const),
  ];
  const keysOf = (rows: readonly { readonly key: string }[]) => rows.map(({ key }) => key);
  return {
    clusters: keysOf(own),
    devices: keysOf(devices),
    agents: keysOf(agents),
    schedules: keysOf(ofSite),
    configs: refs.flatMap(configTopicsOf),
  };
}
