import { defineEntity, p } from "@mikro-orm/core";
import { Cluster } from "../clusters/cluster.entity.ts";
import { sameSite, siteFilter, sitePolicies } from "../kernel/site-filter.ts";
import { Site } from "../sites/site.entity.ts";

/** A join code: it lets as many agents in as it has uses left, until it expires. Its secret is kept as SHA-256. */
const EnrolmentSchema = defineEntity({
  name: "Enrolment",
  tableName: "enrolment",
  properties: {
    id: p.uuid().primary(),
    site: () => p.manyToOne(Site).ref(),
    cluster: () => p.manyToOne(Cluster).ref().deleteRule("cascade"),
    secretHash: p.string().length(64).unique().hidden(),
    usesLeft: p.integer(),
    expiresAt: p.datetime(),
    createdBy: p.string().length(80),
    createdAt: p.datetime(),
  },
  filters: siteFilter,
  ...sitePolicies("enrolment"),
  triggers: [sameSite("enrolment", { cluster_id: "cluster" })],
  indexes: [{ properties: ["site", "expiresAt"] }],
});

export class Enrolment extends EnrolmentSchema.class {
  isOpen(now: Date): boolean {
    return this.usesLeft > 0 && this.expiresAt > now;
  }
}
EnrolmentSchema.setClass(Enrolment);
