import type { DiscoveredDevice } from "#contracts/discovery.ts";
import { DeviceEventType } from "#contracts/event.ts";
import type { PowerOffAction } from "#contracts/power-action.ts";
import { PowerState } from "#contracts/power.ts";
import { topics } from "#contracts/topics.ts";
import { type Component, type Components, DIAGNOSTIC, DISABLED } from "./component.ts";

/** `unknown` is Home Assistant's own word for a sensor whose state is `None`. */
const PHASES = PowerState.exclude(["unknown"]).options;

export const deviceComponents: Components<DiscoveredDevice> = {
  power: {
    platform: "switch",
    name: null,
    options: ({ key }, fullName) => ({
      state_topic: fullName(topics.deviceState.for(key)),
      command_topic: fullName(topics.deviceSet.for(key)),
      payload_on: "ON",
      payload_off: "OFF",
      optimistic: false,
      retain: false,
      json_attributes_topic: fullName(topics.deviceInfo.for(key)),
      // every sighting and every watt would otherwise be a row in the recorder
      json_attributes_template:
        "{{ dict(value_json, evidence=none, reachable=none, watts=none, energyKwh=none) | to_json }}",
      availability: [
        { topic: fullName(topics.hubStatus.name) },
        { topic: fullName(topics.deviceAvailability.for(key)) },
      ],
      availability_mode: "all",
    }),
  },
  reachable: {
    platform: "binary_sensor",
    name: "Reachable",
    options: ({ key }, fullName) => ({
      device_class: "connectivity",
      state_topic: fullName(topics.deviceInfo.for(key)),
      value_template: "{{ iif(value_json.reachable, 'ON', 'OFF', 'None') }}",
    }),
  },
  phase: {
    platform: "sensor",
    name: "Power state",
    options: ({ key }, fullName) => ({
      device_class: "enum",
      options: PHASES,
      state_topic: fullName(topics.deviceInfo.for(key)),
      value_template: "{{ 'None' if value_json.power == 'unknown' else value_json.power }}",
    }),
  },
  wake: {
    platform: "button",
    name: "Wake",
    options: ({ key }, fullName) => ({
      command_topic: fullName(topics.deviceSet.for(key)),
      payload_press: "WAKE",
      retain: false,
    }),
  },
  shutdown: powerOffButton("Shut down", "shutdown"),
  sleep: powerOffButton("Sleep", "sleep", DISABLED),
  reboot: powerOffButton("Reboot", "reboot", { device_class: "restart" }),
  seen: {
    platform: "sensor",
    name: "Last seen",
    options: ({ key }, fullName) => ({
      device_class: "timestamp",
      ...DIAGNOSTIC,
      ...DISABLED,
      state_topic: fullName(topics.deviceInfo.for(key)),
      value_template: "{{ value_json.evidence.at if value_json.evidence else 'None' }}",
    }),
  },
  wake_time: {
    platform: "sensor",
    name: "Wake time",
    options: ({ key }, fullName) => ({
      device_class: "duration",
      unit_of_measurement: "s",
      state_class: "measurement",
      ...DIAGNOSTIC,
      state_topic: fullName(topics.deviceInfo.for(key)),
      value_template:
        "{{ value_json.lastWake.seconds if value_json.lastWake and value_json.lastWake.outcome == 'awake' else 'None' }}",
    }),
  },
  armed: {
    platform: "binary_sensor",
    name: "Armed",
    options: ({ key }, fullName) => ({
      ...DIAGNOSTIC,
      state_topic: fullName(topics.deviceInfo.for(key)),
      value_template: "{{ iif(value_json.armed, 'ON', 'OFF', 'None') }}",
    }),
  },
  watts: {
    platform: "sensor",
    name: "Power draw",
    isOffered: ({ tellsWatts }) => tellsWatts,
    options: ({ key }, fullName) => ({
      device_class: "power",
      unit_of_measurement: "W",
      state_class: "measurement",
      state_topic: fullName(topics.deviceInfo.for(key)),
      value_template: "{{ 'None' if value_json.watts is none else value_json.watts }}",
    }),
  },
  energy: {
    platform: "sensor",
    name: "Energy",
    isOffered: ({ tellsWatts }) => tellsWatts,
    options: ({ key }, fullName) => ({
      device_class: "energy",
      unit_of_measurement: "kWh",
      state_class: "total_increasing",
      state_topic: fullName(topics.deviceInfo.for(key)),
      value_template: "{{ 'None' if value_json.energyKwh is none else value_json.energyKwh }}",
    }),
  },
  activity: {
    platform: "event",
    name: "Activity",
    options: ({ key }, fullName) => ({
      state_topic: fullName(topics.deviceEvent.for(key)),
      event_types: DeviceEventType.options,
    }),
  },
};

/** There where the machine can go down in this way, and available while the agent that does it is. */
function powerOffButton(name: string, action: PowerOffAction, more: object = {}): Component<DiscoveredDevice> {
  const wayOf = ({ waysDown }: DiscoveredDevice) => waysDown.find((way) => way.action === action);
  return {
    platform: "button",
    name,
    isOffered: (device) => wayOf(device) !== undefined,
    options: (device, fullName) => {
      const agent = wayOf(device)?.agent ?? null;
      return {
        ...more,
        command_topic: fullName(topics.deviceSet.for(device.key)),
        payload_press: action.toUpperCase(),
        retain: false,
        availability: [
          { topic: fullName(topics.hubStatus.name) },
          ...(agent === null ? [] : [{ topic: fullName(topics.agentStatus.for(agent)) }]),
        ],
        availability_mode: "all",
      };
    },
  };
}
