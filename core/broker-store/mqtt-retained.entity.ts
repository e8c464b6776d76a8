import { defineEntity, p } from "@mikro-orm/core";
import type { StoredProperties } from "#contracts/broker-store.ts";
import { siteFilter, sitePolicies } from "../kernel/site-filter.ts";
import { Site } from "../sites/site.entity.ts";

/** A retained message. Most of the hub itself are published anew at its start, and not in here. */
const MqttRetainedSchema = defineEntity({
  name: "MqttRetained",
  tableName: "mqtt_retained",
  properties: {
    topic: p.text().primary(),
    site: () => p.manyToOne(Site).ref().deleteRule("cascade"),
    /** Who left it: an agent, a credential, a token, or `hub`. */
    principalId: p.text(),
    /** The site that the message is about, where it says so. */
    aboutSiteId: p.uuid().nullable(),
    payload: p.blob(),
    qos: p.smallint(),
    properties: p.json<StoredProperties>().nullable(),
    expiresAt: p.datetime(3).nullable(),
  },
  filters: siteFilter,
  ...sitePolicies("mqtt_retained"),
  indexes: [{ properties: ["site"] }],
});

export class MqttRetained extends MqttRetainedSchema.class {}
MqttRetainedSchema.setClass(MqttRetained);
