import type {
  DiscoveredAgent,
  DiscoveredCluster,
  DiscoveredDevice,
  DiscoveredHub,
  DiscoveredThing,
  DiscoveryConfig,
  DiscoveryRef,
} from "#contracts/discovery.ts";
import { topics } from "#contracts/topics.ts";
import {
  type Components,
  type FullName,
  agentComponents,
  clusterComponents,
  deviceComponents,
  hubComponents,
} from "./components.ts";
import { objectIdOf, uniqueIdOf } from "./object-id.ts";

/** What the messages of one hub have in common. */
export interface Surroundings {
  readonly hub: DiscoveryRef;
  readonly version: string;
  readonly fullName: FullName;
  /** Where people find the page, without a slash at the end; null where no address is known. */
  readonly pageAddress: string | null;
}

/** The name of our origin; a config that carries it, and speaks of this hub's topics, is this hub's. */
export const ORIGIN = "PowerBeacon";

const MODELS: Readonly<Record<DiscoveredDevice["os"], string>> = {
  linux: "Linux machine",
  windows: "Windows machine",
  macos: "Mac",
  other: "Machine",
};

/** The discovery message of a thing. Pure: the same thing in the same surroundings makes the same message, to the byte. */
export function configOf(thing: DiscoveredThing, around: Surroundings): DiscoveryConfig {
  switch (thing.type) {
    case "hub":
      return hubConfig(thing, around);
    case "device":
      return deviceConfig(thing, around);
    case "cluster":
      return clusterConfig(thing, around);
    case "agent":
      return agentConfig(thing, around);
  }
}

function hubConfig(hub: DiscoveredHub, around: Surroundings): DiscoveryConfig {
  return {
    device: {
      identifiers: [objectIdOf(hub)],
      name: hub.name,
      model: "Hub",
      sw_version: hub.version,
      ...pageOf("/", around),
    },
    origin: originOf(around),
    components: componentsOf(hub, "powerbeacon", hubComponents, around),
    availability: [hubStatus(around)],
    qos: 1,
  };
}

function deviceConfig(device: DiscoveredDevice, around: Surroundings): DiscoveryConfig {
  return {
    device: {
      identifiers: [objectIdOf(device)],
      // the machine's own; Home Assistant joins devices with one MAC address, so its agent must not name it too
      connections: [["mac", device.mac]],
      name: device.name,
      model: MODELS[device.os],
      ...(device.area !== null && { suggested_area: device.area }),
      ...pageOf(`/devices/${device.key}`, around),
      via_device: objectIdOf(around.hub),
    },
    origin: originOf(around),
    components: componentsOf(device, device.key, deviceComponents, around),
    availability: [hubStatus(around)],
    qos: 1,
  };
}

function clusterConfig(cluster: DiscoveredCluster, around: Surroundings): DiscoveryConfig {
  return {
    device: {
      identifiers: [objectIdOf(cluster)],
      name: cluster.name,
      model: "Cluster",
      ...pageOf(`/clusters/${cluster.key}`, around),
      via_device: objectIdOf(around.hub),
    },
    origin: originOf(around),
    components: componentsOf(cluster, cluster.key, clusterComponents, around),
    availability: [hubStatus(around)],
    qos: 1,
  };
}

function agentConfig(agent: DiscoveredAgent, around: Surroundings): DiscoveryConfig {
  const { key, machineId } = agent;
  return {
    device: {
      identifiers: [objectIdOf(agent)],
      name: agent.name,
      model: "Agent",
      sw_version: agent.version,
      ...pageOf(`/agents/${key}`, around),
      via_device: objectIdOf(machineId === null ? around.hub : { type: "device", id: machineId }),
    },
    origin: originOf(around),
    components: componentsOf(agent, key, agentComponents, around),
    availability: [hubStatus(around), { topic: around.fullName(topics.agentStatus.for(key)) }],
    availability_mode: "all",
    qos: 1,
  };
}

/** Lists everywhere: `availability_topic` beside a list would take the entity away. */
function hubStatus({ fullName }: Surroundings): { topic: string } {
  return { topic: fullName(topics.hubStatus.name) };
}

function originOf({ version, pageAddress }: Surroundings): DiscoveryConfig["origin"] {
  return { name: ORIGIN, sw_version: version, ...(pageAddress !== null && { support_url: `${pageAddress}/api/docs` }) };
}

function pageOf(path: string, { pageAddress }: Surroundings): { configuration_url?: string } {
  return pageAddress === null ? {} : { configuration_url: pageAddress + path };
}

function componentsOf<Thing extends DiscoveredThing>(
  thing: Thing,
  key: string,
  components: Components<Thing>,
  { fullName }: Surroundings,
): DiscoveryConfig["components"] {
  const word = key.replaceAll("-", "_");
  const entries = Object.entries(components).map(([component, describe]) => {
    const { platform, name, ...options } = describe(thing, fullName);
    const ids = {
      unique_id: uniqueIdOf(thing, component),
      // what bears the thing's own name is called after the thing alone
      default_entity_id: `${platform}.${name === null ? word : `${word}_${component}`}`,
    };
    return [component, { platform, ...ids, name, ...options }];
  });
  return Object.fromEntries(entries);
}
