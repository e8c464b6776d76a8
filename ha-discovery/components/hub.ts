import type { DiscoveredHub } from "#contracts/discovery.ts";
import { EventType } from "#contracts/event.ts";
import { topics } from "#contracts/topics.ts";
import { CONNECTIVITY, type Components, DIAGNOSTIC } from "./component.ts";

/** The verb of the hub's button, on `hub/request/<verb>`. */
export const SEND_DISCOVERY = "send-discovery";

export const hubComponents: Components<DiscoveredHub> = {
  connection: {
    platform: "binary_sensor",
    name: "Connection",
    options: (_hub, fullName) => ({
      ...CONNECTIVITY,
      state_topic: fullName(topics.hubStatus.name),
      availability: [],
    }),
  },
  devices_on: {
    platform: "sensor",
    name: "Devices on",
    options: (_hub, fullName) => ({
      state_class: "measurement",
      state_topic: fullName(topics.hubInfo.name),
      value_template: "{{ value_json.devices.on }}",
    }),
  },
  agents_online: {
    platform: "sensor",
    name: "Agents online",
    options: (_hub, fullName) => ({
      state_class: "measurement",
      state_topic: fullName(topics.hubInfo.name),
      value_template: "{{ value_json.agents.online }}",
    }),
  },
  activity: {
    platform: "event",
    name: "Activity",
    options: (_hub, fullName) => ({ state_topic: fullName(topics.event.name), event_types: EventType.options }),
  },
  republish: {
    platform: "button",
    name: "Send discovery again",
    options: (_hub, fullName) => ({
      command_topic: fullName(topics.hubRequest.for(SEND_DISCOVERY)),
      payload_press: "{}",
      retain: false,
    }),
  },
  update: {
    platform: "update",
    name: "Update",
    options: (_hub, fullName) => ({ ...DIAGNOSTIC, state_topic: fullName(topics.hubUpdate.name) }),
  },
};
