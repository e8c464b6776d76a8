import { defineEntity, p } from "@mikro-orm/core";
import type { ReadyCheck } from "#contracts/needs.ts";
import { Cluster } from "../clusters/cluster.entity.ts";
import { Device } from "../devices/device.entity.ts";
import { sameSite, siteFilter, sitePolicies } from "../kernel/site-filter.ts";
import { Site } from "../sites/site.entity.ts";

/** This device needs that one: it is woken after it, and goes down before it. */
const DeviceNeedSchema = defineEntity({
  name: "DeviceNeed",
  tableName: "device_need",
  properties: {
    device: () => p.manyToOne(Device).primary().ref().deleteRule("cascade"),
    needs: () => p.manyToOne(Device).primary().ref().deleteRule("cascade").index(),
    site: () => p.manyToOne(Site).ref().index(),
    ready: p.json<ReadyCheck>(),
  },
  filters: siteFilter,
  ...sitePolicies("device_need"),
  triggers: [sameSite("device_need", { device_id: "device", needs_id: "device" })],
});

export class DeviceNeed extends DeviceNeedSchema.class {}
DeviceNeedSchema.setClass(DeviceNeed);

/** Every device of this cluster needs that one, which may be a member itself. */
const ClusterNeedSchema = defineEntity({
  name: "ClusterNeed",
  tableName: "cluster_need",
  properties: {
    cluster: () => p.manyToOne(Cluster).primary().ref().deleteRule("cascade"),
    needs: () => p.manyToOne(Device).primary().ref().deleteRule("cascade").index(),
    site: () => p.manyToOne(Site).ref().index(),
    ready: p.json<ReadyCheck>(),
  },
  filters: siteFilter,
  ...sitePolicies("cluster_need"),
  triggers: [sameSite("cluster_need", { cluster_id: "cluster", needs_id: "device" })],
});

export class ClusterNeed extends ClusterNeedSchema.class {}
ClusterNeedSchema.setClass(ClusterNeed);
