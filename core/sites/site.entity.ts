import { defineEntity, p } from "@mikro-orm/core";
import { sitePolicies } from "../kernel/site-filter.ts";

/** One household, office or customer: the border of isolation. A new hub has one, `default`. */
const SiteSchema = defineEntity({
  name: "Site",
  tableName: "site",
  properties: {
    id: p.uuid().primary(),
    key: p.string().length(63).unique(),
    name: p.string().length(80),
    createdAt: p.datetime(),
  },
  ...sitePolicies("site", "id"),
});

export class Site extends SiteSchema.class {}
SiteSchema.setClass(Site);
