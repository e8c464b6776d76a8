import { z } from "zod";
import type { OperatingSystem } from "./agent.ts";
import type { PowerOffAction } from "./power-action.ts";
import { FixedTopic, KeyedTopic } from "./topics.ts";

/**
 * Home Assistant's MQTT discovery, as far as we speak it: its topics, the message, and what the hub tells of each thing.
 *
 * @see https://www.home-assistant.io/integrations/mqtt/#device-discovery-payload
 */

/** `device`: one message for a thing with all its components. `single`: one for each component, which older readers ask for. */
export const DiscoveryFormat = z.enum(["device", "single"]);
export type DiscoveryFormat = z.infer<typeof DiscoveryFormat>;

/** What Home Assistant is told of. */
export const ThingType = z.enum(["hub", "device", "cluster", "agent", "schedule"]);
export type ThingType = z.infer<typeof ThingType>;

/** `<prefix>/<platform>/<object_id>/<component>/config`: its key is three levels. */
export class ComponentTopic extends KeyedTopic {
  readonly #prefix: string;
  /** Home Assistant reads no other characters; below `device` the second level would begin an object id. */
  readonly #pattern: RegExp;

  constructor(prefix: string) {
    super(`${prefix}/+/config`, { qos: 1, retain: true });
    this.#prefix = prefix;
    const literal = prefix.replaceAll(/[^\w/]/g, String.raw`\$&`);
    this.#pattern = new RegExp(`^${literal}/((?!device/)[\\w-]+/[\\w-]+/[\\w-]+)/config$`);
  }

  override get filter(): string {
    return `${this.#prefix}/+/+/+/config`;
  }

  /** All components of one thing. */
  filterOf(objectId: string): string {
    return `${this.#prefix}/+/${objectId}/+/config`;
  }

  override for(key: string): string {
    const topic = `${this.#prefix}/${key}/config`;
    if (this.match(topic) === undefined) throw new RangeError(`"${key}" is no component of a thing`);
    return topic;
  }

  override match(name: string): string | undefined {
    return this.#pattern.exec(name)?.[1];
  }
}

/** Topics of Home Assistant. They stand under its discovery prefix, outside of our base. */
export function discoveryTopics(prefix: string) {
  return {
    /** Home Assistant → all: its birth message and its Will. */
    status: new FixedTopic(`${prefix}/status`, { qos: 0, retain: false }),
    /** The free level is the object id. An empty payload takes the thing away: ours when it is gone, Home Assistant's when a person deletes it there. */
    config: new KeyedTopic(`${prefix}/device/+/config`, { qos: 1, retain: true }),
    /** The same for one component. Its key is platform, object id and the component's key, with `/` between. */
    component: new ComponentTopic(prefix),
  } as const;
}

/** What `<prefix>/status` says when Home Assistant has started, unless a person changed it there. */
export const BIRTH = "online";

const AvailabilityTopics = z.array(z.object({ topic: z.string() }).strict());

/** One entity. Which other keys there are depends on the platform; Home Assistant drops those that it does not know. */
export const DiscoveryComponent = z.looseObject({
  platform: z.enum(["switch", "binary_sensor", "sensor", "button", "event", "update"]),
  unique_id: z.string(),
  default_entity_id: z.string(),
  name: z.string().nullable().describe("null: the name of the device itself"),
  availability: AvailabilityTopics.optional(),
  availability_mode: z.literal("all").optional(),
});
export type DiscoveryComponent = z.infer<typeof DiscoveryComponent>;

/** Takes a component out of Home Assistant. */
const RemovedComponent = DiscoveryComponent.pick({ platform: true }).strict();

/** `<prefix>/device/<object_id>/config`. The root, `device` and `origin` are closed: one unknown key drops the whole message. */
export const DiscoveryConfig = z
  .object({
    device: z
      .object({
        identifiers: z.array(z.string()),
        connections: z.array(z.tuple([z.literal("mac"), z.string()])).optional(),
        name: z.string(),
        model: z.string(),
        sw_version: z.string().optional(),
        suggested_area: z.string().optional(),
        configuration_url: z.url().optional(),
        via_device: z.string().optional(),
      })
      .strict(),
    origin: z.object({ name: z.string(), sw_version: z.string(), support_url: z.url().optional() }).strict(),
    components: z.record(z.string(), z.union([DiscoveryComponent, RemovedComponent])),
    availability: AvailabilityTopics,
    availability_mode: z.literal("all").optional(),
    qos: z.literal(1),
  })
  .strict();
export type DiscoveryConfig = z.infer<typeof DiscoveryConfig>;

/** `<prefix>/<platform>/<object_id>/<component>/config`: the component alone, with what it shares with the others. */
export const ComponentConfig = DiscoveryComponent.omit({ platform: true }).extend({
  device: DiscoveryConfig.shape.device,
  origin: DiscoveryConfig.shape.origin,
  availability: AvailabilityTopics,
  qos: z.literal(1),
});
export type ComponentConfig = z.infer<typeof ComponentConfig>;

/** On a config topic of the format that is left: Home Assistant lets go of the entities, and keeps what people set for them. */
export const MIGRATE_DISCOVERY = JSON.stringify({ migrate_discovery: true });

/** Names one thing for Home Assistant. Ids are those of the rows, so a rename changes nothing there. */
export interface DiscoveryRef {
  readonly type: ThingType;
  readonly id: string;
}

/** Where configs stand and in which form. */
export interface DiscoveryForm {
  readonly format: DiscoveryFormat;
  readonly prefix: string;
}

/** What the hub tells of a thing. */
export type DiscoveredThing =
  | DiscoveredHub
  | DiscoveredDevice
  | DiscoveredCluster
  | DiscoveredAgent
  | DiscoveredSchedule;

interface Discovered {
  readonly id: string;
  readonly siteId: string;
  readonly name: string;
}

export interface DiscoveredHub extends Discovered {
  readonly type: "hub";
  readonly version: string;
}

export interface DiscoveredDevice extends Discovered {
  readonly type: "device";
  readonly key: string;
  readonly mac: string;
  readonly os: OperatingSystem;
  /** The name of its cluster; null in none. */
  readonly area: string | null;
  /** What can take it down, with the key of the agent that does it; null where it does without one. */
  readonly waysDown: readonly { readonly action: PowerOffAction; readonly agent: string | null }[];
  /** Whether its plug tells what it draws. */
  readonly tellsWatts: boolean;
}

export interface DiscoveredCluster extends Discovered {
  readonly type: "cluster";
  readonly key: string;
  /** Its devices that Home Assistant is told of. */
  readonly deviceIds: readonly string[];
  /** Whether any of its devices can be powered off. */
  readonly canPowerOff: boolean;
}

export interface DiscoveredAgent extends Discovered {
  readonly type: "agent";
  readonly key: string;
  readonly version: string;
  /** The device that it runs on, where Home Assistant is told of it. */
  readonly machineId: string | null;
}

export interface DiscoveredSchedule extends Discovered {
  readonly type: "schedule";
  readonly key: string;
}
