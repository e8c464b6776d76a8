import type { DiscoveredCluster } from "#contracts/discovery.ts";
import { topics } from "#contracts/topics.ts";
import { uniqueIdOf } from "../object-id.ts";
import type { Components } from "./component.ts";

/** A larger cluster names no members: they would not fit into a packet with the rest. */
const MAX_GROUP = 2_000;

export const clusterComponents: Components<DiscoveredCluster> = {
  power: {
    platform: "switch",
    name: null,
    options: ({ key, deviceIds }, fullName) => ({
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
  },
  devices_on: {
    platform: "sensor",
    name: "Devices on",
    options: ({ key }, fullName) => ({
      state_class: "measurement",
      state_topic: fullName(topics.clusterInfo.for(key)),
      value_template: "{{ value_json.devices.on }}",
    }),
  },
  problem: {
    platform: "binary_sensor",
    name: "Problem",
    options: ({ key }, fullName) => ({
      device_class: "problem",
      state_topic: fullName(topics.clusterInfo.for(key)),
      value_template: "{{ iif(value_json.problem, 'ON', 'OFF', 'None') }}",
    }),
  },
  wake_all: {
    platform: "button",
    name: "Wake all",
    options: ({ key }, fullName) => ({
      command_topic: fullName(topics.clusterSet.for(key)),
      payload_press: "WAKE",
      retain: false,
    }),
  },
  shutdown_all: {
    platform: "button",
    name: "Shut down all",
    isOffered: ({ canPowerOff }) => canPowerOff,
    options: ({ key }, fullName) => ({
      command_topic: fullName(topics.clusterSet.for(key)),
      payload_press: "SHUTDOWN",
      retain: false,
    }),
  },
};
