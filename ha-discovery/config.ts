import type { DiscoveredDevice, DiscoveredThing, DiscoveryConfig, DiscoveryRef } from "#contracts/discovery.ts";
import { topics } from "#contracts/topics.ts";
import { agentComponents } from "./components/agent.ts";
import { clusterComponents } from "./components/cluster.ts";
import type { Component, Components, FullName } from "./components/component.ts";
import { deviceComponents } from "./components/device.ts";
import { hubComponents } from "./components/hub.ts";
import { scheduleComponents } from "./components/schedule.ts";
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

/** The components of every kind of thing. */
export const COMPONENTS = {
  hub: hubComponents,
  device: deviceComponents,
  cluster: clusterComponents,
  agent: agentComponents,
  schedule: scheduleComponents,
} as const satisfies Readonly<Record<DiscoveryRef["type"], unknown>>;

const MODELS: Readonly<Record<DiscoveredDevice["os"], string>> = {
  linux: "Linux machine",
  windows: "Windows machine",
  macos: "Mac",
  other: "Machine",
};

/** One component as both formats have it: with its ids, and without its platform. */
export interface Entity {
  readonly platform: Component<never>["platform"];
  readonly fields: Readonly<Record<string, unknown>>;
}

/** The part of a config that all components of a thing share. */
export type Root = Omit<DiscoveryConfig, "components">;

/** The discovery message of a thing. Pure: the same thing in the same surroundings makes the same message, to the byte. */
export function configOf(thing: DiscoveredThing, around: Surroundings): DiscoveryConfig {
  const { device, origin, ...shared } = rootOf(thing, around);
  const components = Object.entries(tableOf(thing)).map(([key, component]) => {
    const entity = entityOf(thing, key, around);
    // the platform alone takes it out of Home Assistant, where it was there before
    return [key, { platform: component.platform, ...entity?.fields }];
  });
  return { device, origin, components: Object.fromEntries(components), ...shared };
}

/** Undefined for a component that is not offered, or not known. */
export function entityOf(thing: DiscoveredThing, key: string, { fullName }: Surroundings): Entity | undefined {
  const table = tableOf(thing);
  const component = Object.hasOwn(table, key) ? table[key] : undefined;
  if (!component || component.isOffered?.(thing) === false) return undefined;
  const { platform, name, options } = component;
  const word = wordOf(thing);
  const fields = {
    unique_id: uniqueIdOf(thing, key),
    // what bears the thing's own name is called after the thing alone
    default_entity_id: `${platform}.${name === null ? word : `${word}_${key}`}`,
    name,
    ...options(thing, fullName),
  };
  return { platform, fields };
}

export function rootOf(thing: DiscoveredThing, around: Surroundings): Root {
  return {
    device: { identifiers: [objectIdOf(thing)], ...deviceOf(thing, around) },
    origin: originOf(around),
    ...availabilityOf(thing, around),
    qos: 1,
  };
}

function deviceOf(thing: DiscoveredThing, around: Surroundings): Omit<DiscoveryConfig["device"], "identifiers"> {
  const { name } = thing;
  const via_device = objectIdOf(around.hub);
  switch (thing.type) {
    case "hub":
      return { name, model: "Hub", sw_version: thing.version, ...pageOf("/", around) };
    case "device":
      return {
        // the machine's own; Home Assistant joins devices with one MAC address, so its agent must not name it too
        connections: [["mac", thing.mac]],
        name,
        model: MODELS[thing.os],
        ...(thing.area !== null && { suggested_area: thing.area }),
        ...pageOf(`/devices/${thing.key}`, around),
        via_device,
      };
    case "cluster":
      return { name, model: "Cluster", ...pageOf(`/clusters/${thing.key}`, around), via_device };
    case "schedule":
      return { name, model: "Schedule", ...pageOf("/schedules", around), via_device };
    case "agent":
      return {
        name,
        model: "Agent",
        sw_version: thing.version,
        ...pageOf(`/agents/${thing.key}`, around),
        via_device: thing.machineId === null ? via_device : objectIdOf({ type: "device", id: thing.machineId }),
      };
  }
}

/** Lists everywhere: `availability_topic` beside a list would take the entity away. */
function availabilityOf(thing: DiscoveredThing, { fullName }: Surroundings): Omit<Root, "device" | "origin" | "qos"> {
  const hubStatus = { topic: fullName(topics.hubStatus.name) };
  if (thing.type !== "agent") return { availability: [hubStatus] };
  return {
    availability: [hubStatus, { topic: fullName(topics.agentStatus.for(thing.key)) }],
    availability_mode: "all",
  };
}

function originOf({ version, pageAddress }: Surroundings): DiscoveryConfig["origin"] {
  return { name: ORIGIN, sw_version: version, ...(pageAddress !== null && { support_url: `${pageAddress}/api/docs` }) };
}

function pageOf(path: string, { pageAddress }: Surroundings): { configuration_url?: string } {
  return pageAddress === null ? {} : { configuration_url: pageAddress + path };
}

/** How entity ids begin. */
function wordOf(thing: DiscoveredThing): string {
  // a device is often called after the same thing, and its switch keeps the short name
  if (thing.type === "schedule") return `schedule_${thing.key.replaceAll("-", "_")}`;
  return thing.type === "hub" ? "powerbeacon" : thing.key.replaceAll("-", "_");
}

function tableOf(thing: DiscoveredThing): Components<DiscoveredThing> {
  // the table of its own kind: no component is asked about a thing of another
  return COMPONENTS[thing.type] as unknown as Components<DiscoveredThing>;
}
