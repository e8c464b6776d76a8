import { defineEntity, p } from "@mikro-orm/core";
import type { PowerMethod as Method } from "#contracts/api/power-methods.ts";
import { Device } from "../devices/device.entity.ts";
import { sameSite, siteFilter, sitePolicies } from "../kernel/site-filter.ts";
import { Site } from "../sites/site.entity.ts";

/** How a device is powered off where no agent runs on it. Its secrets are sealed with a key that is not in the database. */
const PowerMethodSchema = defineEntity({
  name: "PowerMethod",
  tableName: "power_method",
  properties: {
    device: () => p.manyToOne(Device).primary().ref().deleteRule("cascade"),
    site: () => p.manyToOne(Site).ref().index(),
    method: p.json<Method>(),
    /** A compact JWE; null = nothing is secret. */
    sealed: p.text().nullable().hidden(),
    updatedAt: p.datetime(),
  },
  filters: siteFilter,
  ...sitePolicies("power_method"),
  triggers: [sameSite("power_method", { device_id: "device" })],
});

export class PowerMethod extends PowerMethodSchema.class {}
PowerMethodSchema.setClass(PowerMethod);

/** What a device has used, as its plug tells. */
const DeviceEnergySchema = defineEntity({
  name: "DeviceEnergy",
  tableName: "device_energy",
  properties: {
    device: () => p.manyToOne(Device).primary().ref().deleteRule("cascade"),
    site: () => p.manyToOne(Site).ref().index(),
    wattHours: p.float().columnType("double precision"),
    updatedAt: p.datetime(),
  },
  filters: siteFilter,
  ...sitePolicies("device_energy"),
});

export class DeviceEnergy extends DeviceEnergySchema.class {}
DeviceEnergySchema.setClass(DeviceEnergy);
