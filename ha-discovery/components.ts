import type {
  DiscoveredAgent,
  DiscoveredCluster,
  DiscoveredDevice,
  DiscoveredHub,
  DiscoveryComponent,
} from "#contracts/discovery.ts";
import { PowerState } from "#contracts/power.ts";
import { topics } from "#contracts/topics.ts";
import { uniqueIdOf } from "./object-id.ts";

/**
 * The entities of each kind of thing, one entry each. The key is part of the unique_id, so it never changes; some readers of
 * discovery drop keys such as `restart`, `last_seen` and `*_address`.
 *
 * @see https://www.home-assistant.io/integrations/mqtt/ and the page of each platform, for the options
 */
export type Components<Thing> = Readonly<Record<string, (thing: Thing, fullName: FullName) => Entity>>;

/** The topic as others see it, with its base. */
export type FullName = (topic: string) => string;

/** What differs from one component to the next; the ids follow from the key. */
interface Entity extends Pick<DiscoveryComponent, "platform" | "name"> {
  readonly [option: string]: unknown;
}

/** What may happen to a device. Home Assistant ignores types that are not listed. */
const DEVICE_EVENTS = [
  "wake_requested",
  "wake_succeeded",
  "wake_failed",
  "wake_cancelled",
  "power_off_requested",
  "power_off_succeeded",
  "power_off_failed",
  "came_up_by_itself",
];

/** `unknown` is Home Assistant's own word for a sensor whose state is `None`. */
const PHASES = PowerState.exclude(["unknown"]).options;

/** A larger cluster names no members: they would not fit into a packet with the rest. */
const MAX_GROUP = 2_000;

const presence = { payload_on: "online", payload_off: "offline", device_class: "connectivity" };

export const deviceComponents: Components<DiscoveredDevice> = {
  power: ({ key }, fullName) => ({
    platform: "switch",
    name: null,
    state_topic: fullName(topics.deviceState.for(key)),
    command_topic: fullName(topics.deviceSet.for(key)),
    payload_on: "ON",
    payload_off: "OFF",
    optimistic: false,
    retain: false,
    json_attributes_topic: fullName(topics.deviceInfo.for(key)),
    // every sighting would otherwise be a row in the recorder
    json_attributes_template: "{{ dict(value_json, evidence=none, reachable=none) | to_json }}",
    availability: [{ topic: fullName(topics.hubStatus.name) }, { topic: fullName(topics.deviceAvailability.for(key)) }],
    availability_mode: "all",
  }),
  reachable: ({ key }, fullName) => ({
    platform: "binary_sensor",
    name: "Reachable",
    device_class: "connectivity",
    state_topic: fullName(topics.deviceInfo.for(key)),
    value_template: "{{ iif(value_json.reachable, 'ON', 'OFF', 'None') }}",
  }),
  phase: ({ key }, fullName) => ({
    platform: "sensor",
    name: "Power state",
    device_class: "enum",
    options: PHASES,
    state_topic: fullName(topics.deviceInfo.for(key)),
    value_template: "{{ 'None' if value_json.power == 'unknown' else value_json.power }}",
  }),
  wake: ({ key }, fullName) => ({
    platform: "button",
    name: "Wake",
    command_topic: fullName(topics.deviceSet.for(key)),
    payload_press: "WAKE",
    retain: false,
  }),
  activity: ({ key }, fullName) => ({
    platform: "event",
    name: "Activity",
    state_topic: fullName(topics.deviceEvent.for(key)),
    event_types: DEVICE_EVENTS,
  }),
};

export const clusterComponents: Components<DiscoveredCluster> = {
  power: ({ key, deviceIds }, fullName) => ({
    platform: "switch",
    name: null,
    state_topic: fullName(topics.clusterState.for(key)),
    command_topic: fullName(topics.clusterSet.for(key)),
    payload_on: "ON",
    payload_off: "OFF",
    optimistic: false,
    retain: false,
    ...(deviceIds.length <= MAX_GROUP && {
      group: deviceIds.map((id) => uniqueIdOf({ type: "device", id }, "power")),
    }),
  }),
  devices_on: ({ key }, fullName) => ({
    platform: "sensor",
    name: "Devices on",
    state_class: "measurement",
    state_topic: fullName(topics.clusterInfo.for(key)),
    value_template: "{{ value_json.devices.on }}",
  }),
};

export const agentComponents: Components<DiscoveredAgent> = {
  connection: ({ key }, fullName) => ({
    platform: "binary_sensor",
    name: "Connection",
    ...presence,
    entity_category: "diagnostic",
    state_topic: fullName(topics.agentStatus.for(key)),
    // the root also asks for the agent, so this would never say that it is gone
    availability: [{ topic: fullName(topics.hubStatus.name) }],
  }),
};

/** The verb of the hub's button, on `hub/request/<verb>`. */
export const SEND_DISCOVERY = "send-discovery";

export const hubComponents: Components<DiscoveredHub> = {
  connection: (_hub, fullName) => ({
    platform: "binary_sensor",
    name: "Connection",
    ...presence,
    state_topic: fullName(topics.hubStatus.name),
    availability: [],
  }),
  republish: (_hub, fullName) => ({
    platform: "button",
    name: "Send discovery again",
    command_topic: fullName(topics.hubRequest.for(SEND_DISCOVERY)),
    payload_press: "{}",
    retain: false,
  }),
};
