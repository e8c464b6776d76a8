import { defineEntity, p } from "@mikro-orm/core";
import type { Role } from "#contracts/permissions.ts";
import { siteFilter, sitePolicies } from "../kernel/site-filter.ts";
import { Site } from "../sites/site.entity.ts";
import { User } from "./user.entity.ts";

/** What a user is in a site. A superuser needs none: it is one everywhere. */
const MembershipSchema = defineEntity({
  name: "Membership",
  tableName: "membership",
  properties: {
    site: () => p.manyToOne(Site).primary().ref().deleteRule("cascade"),
    user: () => p.manyToOne(User).primary().ref().deleteRule("cascade").index(),
    role: p.string().length(16).$type<Exclude<Role, "superuser">>(),
  },
  filters: siteFilter,
  ...sitePolicies("membership"),
});

export class Membership extends MembershipSchema.class {}
MembershipSchema.setClass(Membership);
