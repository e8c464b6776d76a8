import { defineEntity, p } from "@mikro-orm/core";
import type { ShareLevel } from "#contracts/permissions.ts";
import { User } from "../auth/user.entity.ts";
import { Cluster } from "../clusters/cluster.entity.ts";
import { Device } from "../devices/device.entity.ts";
import { sameSite, siteFilter, sitePolicies } from "../kernel/site-filter.ts";
import { Site } from "../sites/site.entity.ts";

/** A device that somebody other than its owner may keep an eye on, or wake. */
const DeviceShareSchema = defineEntity({
  name: "DeviceShare",
  tableName: "device_share",
  properties: {
    device: () => p.manyToOne(Device).primary().ref().deleteRule("cascade"),
    user: () => p.manyToOne(User).primary().ref().deleteRule("cascade").index(),
    site: () => p.manyToOne(Site).ref().index(),
    level: p.string().length(8).$type<ShareLevel>(),
  },
  filters: siteFilter,
  ...sitePolicies("device_share"),
  triggers: [sameSite("device_share", { device_id: "device" })],
});

export class DeviceShare extends DeviceShareSchema.class {}
DeviceShareSchema.setClass(DeviceShare);

/** The same for a cluster, with all of its devices. */
const ClusterShareSchema = defineEntity({
  name: "ClusterShare",
  tableName: "cluster_share",
  properties: {
    cluster: () => p.manyToOne(Cluster).primary().ref().deleteRule("cascade"),
    user: () => p.manyToOne(User).primary().ref().deleteRule("cascade").index(),
    site: () => p.manyToOne(Site).ref().index(),
    level: p.string().length(8).$type<ShareLevel>(),
  },
  filters: siteFilter,
  ...sitePolicies("cluster_share"),
  triggers: [sameSite("cluster_share", { cluster_id: "cluster" })],
});

export class ClusterShare extends ClusterShareSchema.class {}
ClusterShareSchema.setClass(ClusterShare);
