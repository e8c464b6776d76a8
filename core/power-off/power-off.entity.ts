import { defineEntity, p } from "@mikro-orm/core";
import type { PowerOffAction } from "#contracts/power-action.ts";
import type { PowerOffStage, PowerOffStageRecord, PowerOffWay } from "#contracts/power-off.ts";
import { Device } from "../devices/device.entity.ts";
import { siteFilter, sitePolicies } from "../kernel/site-filter.ts";
import { Site } from "../sites/site.entity.ts";

/** The history of one power-off of one device, with everything that happened in it. Written behind it, never on its way. */
const PowerOffSchema = defineEntity({
  name: "PowerOff",
  tableName: "power_off",
  properties: {
    id: p.uuid().primary(),
    site: () => p.manyToOne(Site).ref(),
    device: () => p.manyToOne(Device).ref().deleteRule("cascade"),
    action: p.string().length(16).$type<PowerOffAction>(),
    way: p.string().length(16).$type<PowerOffWay>(),
    force: p.boolean(),
    requestedAt: p.datetime(),
    requestedBy: p.string().length(80),
    stage: p.string().length(16).$type<PowerOffStage>(),
    finishedAt: p.datetime().nullable(),
    seconds: p.float().columnType("double precision").nullable(),
    stages: p.json<PowerOffStageRecord[]>(),
  },
  filters: siteFilter,
  ...sitePolicies("power_off"),
  indexes: [
    { properties: ["site", "requestedAt"] },
    { properties: ["device", "requestedAt"] },
    {
      name: "power_off_open_index",
      expression: 'create index "power_off_open_index" on "power_off" ("id") where "finished_at" is null',
    },
  ],
});

export class PowerOff extends PowerOffSchema.class {}
PowerOffSchema.setClass(PowerOff);
