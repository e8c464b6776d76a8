import { defineEntity, p } from "@mikro-orm/core";
import type { Evidence } from "#contracts/power.ts";
import type { WakeStage, WakeStageRecord } from "#contracts/wake.ts";
import { Device } from "../devices/device.entity.ts";
import { siteFilter, sitePolicies } from "../kernel/site-filter.ts";
import { Site } from "../sites/site.entity.ts";

/** The history of one wake of one device, with everything that happened in it. Written behind the wake, never on its way. */
const WakeSchema = defineEntity({
  name: "Wake",
  tableName: "wake",
  properties: {
    id: p.uuid().primary(),
    site: () => p.manyToOne(Site).ref(),
    device: () => p.manyToOne(Device).ref().deleteRule("cascade"),
    requestedAt: p.datetime(),
    requestedBy: p.string().length(80),
    stage: p.string().length(16).$type<WakeStage>(),
    finishedAt: p.datetime().nullable(),
    seconds: p.float().columnType("double precision").nullable(),
    evidence: p.json<Evidence>().nullable(),
    stages: p.json<WakeStageRecord[]>(),
  },
  filters: siteFilter,
  ...sitePolicies("wake"),
  indexes: [
    { properties: ["site", "requestedAt"] },
    { properties: ["device", "requestedAt"] },
    {
      name: "wake_open_index",
      expression: 'create index "wake_open_index" on "wake" ("id") where "finished_at" is null',
    },
  ],
});

export class Wake extends WakeSchema.class {}
WakeSchema.setClass(Wake);
