import type { DiscoveredSchedule } from "#contracts/discovery.ts";
import { topics } from "#contracts/topics.ts";
import type { Components } from "./component.ts";

export const scheduleComponents: Components<DiscoveredSchedule> = {
  enabled: {
    platform: "switch",
    name: null,
    options: ({ key }, fullName) => ({
      state_topic: fullName(topics.scheduleState.for(key)),
      command_topic: fullName(topics.scheduleSet.for(key)),
      payload_on: "ON",
      payload_off: "OFF",
      optimistic: false,
      retain: false,
    }),
  },
  next: {
    platform: "sensor",
    name: "Next",
    options: ({ key }, fullName) => ({
      device_class: "timestamp",
      state_topic: fullName(topics.scheduleInfo.for(key)),
      value_template: "{{ value_json.nextAt or 'None' }}",
    }),
  },
};
