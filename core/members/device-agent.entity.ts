import { defineEntity, p } from "@mikro-orm/core";
import { Agent } from "../agents/agent.entity.ts";
import { Device } from "../devices/device.entity.ts";
import { sameSite, siteFilter, sitePolicies } from "../kernel/site-filter.ts";
import { Site } from "../sites/site.entity.ts";

/**
 * This agent wakes and watches that device. A device without any link is served by all agents of its cluster.
 *
 * A device's agents are in the device's cluster, whichever side changes: the triggers here and on both tables hold that.
 * The row locks close the gap between a new link and a move of one side at the same moment.
 */
const DeviceAgentSchema = defineEntity({
  name: "DeviceAgent",
  tableName: "device_agent",
  properties: {
    device: () => p.manyToOne(Device).primary().ref().deleteRule("cascade"),
    agent: () => p.manyToOne(Agent).primary().ref().deleteRule("cascade").index(),
    site: () => p.manyToOne(Site).ref().index(),
  },
  filters: siteFilter,
  ...sitePolicies("device_agent"),
  triggers: [
    sameSite("device_agent", { device_id: "device", agent_id: "agent" }),
    {
      name: "device_agent_same_cluster",
      timing: "before",
      events: ["insert", "update"],
      forEach: "row",
      body: `perform 1 from device d join agent a on a.cluster_id = d.cluster_id where d.id = new.device_id and a.id = new.agent_id for share of d, a;
      if not found then raise exception 'a device''s agents are in the device''s cluster' using errcode = 'check_violation', constraint = 'same_cluster'; end if;
      return new;`,
    },
  ],
});

export class DeviceAgent extends DeviceAgentSchema.class {}
DeviceAgentSchema.setClass(DeviceAgent);
