import { defineEntity, p } from "@mikro-orm/core";
import { siteFilter, sitePolicies } from "../kernel/site-filter.ts";
import { User } from "../auth/user.entity.ts";
import { Site } from "../sites/site.entity.ts";

/** Devices and agents grouped by a person. One row of each site, `unassigned`, stands for "in no cluster". */
const ClusterSchema = defineEntity({
  name: "Cluster",
  tableName: "cluster",
  properties: {
    id: p.uuid().primary(),
    site: () => p.manyToOne(Site).ref(),
    key: p.string().length(63).unique(),
    name: p.string().length(80),
    description: p.text().nullable(),
    tags: p.array().columnType("text[]"),
    unassigned: p.boolean().default(false),
    showInHomeAssistant: p.boolean().default(true),
    staggerMs: p.integer().default(0),
    /** So many devices are under way at a time; null = all. */
    atOnce: p.integer().nullable(),
    /** A user; null = nobody's. */
    owner: () => p.manyToOne(User).ref().nullable().deleteRule("set null").index(),
    createdAt: p.datetime(),
    updatedAt: p.datetime(),
  },
  filters: siteFilter,
  ...sitePolicies("cluster"),
  indexes: [{ properties: ["site", "name"] }],
});

export class Cluster extends ClusterSchema.class {}
ClusterSchema.setClass(Cluster);
