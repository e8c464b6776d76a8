import { defineEntity, p } from "@mikro-orm/core";
import { sitePolicies } from "../kernel/site-filter.ts";

/** A config that was published for Home Assistant, so that it can be taken back in a later run, under another prefix too. */
const DiscoveryConfigSchema = defineEntity({
  name: "DiscoveryConfig",
  tableName: "discovery_config",
  properties: {
    topic: p.text().primary(),
    siteId: p.uuid(),
    /** SHA-256 of the payload. null = a person deleted it in Home Assistant, and it stays away until it is asked for. */
    hash: p.string().length(64).nullable(),
    /** When the broker last took it; null in rows of former versions. */
    publishedAt: p.datetime().nullable(),
  },
  ...sitePolicies("discovery_config"),
  indexes: [{ properties: ["siteId"] }],
});

export class DiscoveryConfig extends DiscoveryConfigSchema.class {}
DiscoveryConfigSchema.setClass(DiscoveryConfig);
