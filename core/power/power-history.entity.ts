import { defineEntity, p } from "@mikro-orm/core";
import type { Evidence, PowerState } from "#contracts/power.ts";
import { Device } from "../devices/device.entity.ts";
import { siteFilter, sitePolicies } from "../kernel/site-filter.ts";
import { Site } from "../sites/site.entity.ts";

/** A device came into a power state. Written behind the change. */
const PowerHistorySchema = defineEntity({
  name: "PowerHistory",
  tableName: "power_history",
  properties: {
    id: p.uuid().primary(),
    site: () => p.manyToOne(Site).ref().index(),
    device: () => p.manyToOne(Device).ref().deleteRule("cascade"),
    at: p.datetime(),
    power: p.string().length(16).$type<PowerState>(),
    because: p.string().length(40),
    evidence: p.json<Evidence>().nullable(),
  },
  filters: siteFilter,
  ...sitePolicies("power_history"),
  indexes: [{ properties: ["device", "at"] }, { properties: ["at"] }],
});

export class PowerHistory extends PowerHistorySchema.class {}
PowerHistorySchema.setClass(PowerHistory);

/** One day (UTC) of a device, kept when its single states are gone. */
const PowerDaySchema = defineEntity({
  name: "PowerDay",
  tableName: "power_day",
  properties: {
    device: () => p.manyToOne(Device).primary().ref().deleteRule("cascade"),
    day: p.date().primary(),
    site: () => p.manyToOne(Site).ref().index(),
    onSeconds: p.integer(),
    offSeconds: p.integer(),
    unknownSeconds: p.integer(),
    wakes: p.integer(),
  },
  filters: siteFilter,
  ...sitePolicies("power_day"),
});

export class PowerDay extends PowerDaySchema.class {}
PowerDaySchema.setClass(PowerDay);
