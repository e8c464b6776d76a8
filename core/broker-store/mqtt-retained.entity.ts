import { defineEntity, p } from "@mikro-orm/core";
import type { StoredProperties } from "#contracts/broker-store.ts";
import { siteFilter, sitePolicies } from "../kernel/site-filter.ts";
import { Site } from "../sites/site.entity.ts";

/** A message that a client of the broker left on a topic. Those of the hub itself are published anew at its start. */
const MqttRetainedSchema = defineEntity({
  name: "MqttRetained",
  tableName: "mqtt_retained",
  properties: {
    topic: p.text().primary(),
    site: () => p.manyToOne(Site).ref().deleteRule("cascade"),
    /** Who left it: an agent, a credential or a token. */
    principalId: p.text(),
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
