import type { Heartbeat } from "#contracts/agent.ts";
import type { DiscoveredAgent } from "#contracts/discovery.ts";
import { topics } from "#contracts/topics.ts";
import { CONNECTIVITY, type Component, type Components, DIAGNOSTIC } from "./component.ts";

/** Three heartbeats that did not come. Seconds. */
const EXPIRE_AFTER = 90;

const PERCENT = { unit_of_measurement: "%", state_class: "measurement" };

export const agentComponents: Components<DiscoveredAgent> = {
  connection: {
    platform: "binary_sensor",
    name: "Connection",
    options: ({ key }, fullName) => ({
      ...CONNECTIVITY,
      ...DIAGNOSTIC,
      state_topic: fullName(topics.agentStatus.for(key)),
      // the root also asks for the agent, so this would never say that it is gone
      availability: [{ topic: fullName(topics.hubStatus.name) }],
    }),
  },
  started: figure("Started", "startedAt", { device_class: "timestamp" }),
  load: figure("Load", "load1", { state_class: "measurement" }),
  memory: figure("Memory used", "memoryUsedPercent", PERCENT),
  disk: figure("Disk used", "diskUsedPercent", PERCENT),
  temperature: figure("Temperature", "temperatureC", {
    device_class: "temperature",
    unit_of_measurement: "°C",
    state_class: "measurement",
  }),
  clock_offset: figure("Clock offset", "clockOffsetMs", {
    device_class: "duration",
    unit_of_measurement: "ms",
    state_class: "measurement",
  }),
  update: {
    platform: "update",
    name: "Update",
    // without a command topic: it is told of, and made by whoever runs the agent
    options: ({ key }, fullName) => ({ ...DIAGNOSTIC, state_topic: fullName(topics.agentUpdate.for(key)) }),
  },
};

/** A figure of the heartbeat; `null` there becomes `None`, which is Home Assistant's word for unknown. */
function figure(name: string, field: keyof Heartbeat, options: object): Component<DiscoveredAgent> {
  return {
    platform: "sensor",
    name,
    options: ({ key }, fullName) => ({
      ...options,
      ...DIAGNOSTIC,
      state_topic: fullName(topics.agentHeartbeat.for(key)),
      value_template: `{{ value_json.${field} }}`,
      expire_after: EXPIRE_AFTER,
    }),
  };
}
