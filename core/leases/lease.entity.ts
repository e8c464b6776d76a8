import { defineEntity, p } from "@mikro-orm/core";
import type { LeaseAnswer } from "#contracts/api/leases.ts";
import { Device } from "../devices/device.entity.ts";
import { sameSite, siteFilter, sitePolicies } from "../kernel/site-filter.ts";
import { Site } from "../sites/site.entity.ts";

/** Somebody wants a device to stay on. */
const LeaseSchema = defineEntity({
  name: "Lease",
  tableName: "lease",
  properties: {
    id: p.uuid().primary(),
    site: () => p.manyToOne(Site).ref(),
    device: () => p.manyToOne(Device).ref().deleteRule("cascade"),
    heldBy: p.string().length(80),
    holder: p.string().length(16).$type<LeaseAnswer["holder"]>(),
    reason: p.string().length(200).nullable(),
    since: p.datetime(),
    until: p.datetime().nullable(),
    endedAt: p.datetime().nullable(),
    endedBecause: p.string().length(16).$type<NonNullable<LeaseAnswer["endedBecause"]>>().nullable(),
  },
  filters: siteFilter,
  ...sitePolicies("lease"),
  indexes: [
    { properties: ["site"] },
    { properties: ["device", "since"] },
    {
      name: "lease_open_index",
      expression: 'create index "lease_open_index" on "lease" ("id") where "ended_at" is null',
    },
  ],
  triggers: [sameSite("lease", { device_id: "device" })],
});

export class Lease extends LeaseSchema.class {}
LeaseSchema.setClass(Lease);
