import { defineEntity, p } from "@mikro-orm/core";
import type { StoredProperties } from "#contracts/broker-store.ts";
import { siteFilter, sitePolicies } from "../kernel/site-filter.ts";
import { Site } from "../sites/site.entity.ts";
import { MqttSession } from "./mqtt-session.entity.ts";

/** A message that waits for a client of the broker, or for its acknowledgement. */
const MqttQueuedSchema = defineEntity({
  name: "MqttQueued",
  tableName: "mqtt_queued",
  properties: {
    session: () => p.manyToOne(MqttSession).ref().deleteRule("cascade").primary(),
    /** Rises from message to message. */
    number: p.bigint("number").primary(),
    site: () => p.manyToOne(Site).ref().deleteRule("cascade"),
    /** 0 = it was not sent yet. */
    packetId: p.integer(),
    topic: p.text(),
    payload: p.blob(),
    properties: p.json<StoredProperties>().nullable(),
    retain: p.boolean(),
    /** Subscription Identifiers. */
    identifiers: p.json<number[]>(),
    /** The site that the message says it is about. */
    aboutSiteId: p.text().nullable(),
    expiresAt: p.datetime(3).nullable(),
  },
  filters: siteFilter,
  ...sitePolicies("mqtt_queued"),
  indexes: [{ properties: ["site"] }],
});

export class MqttQueued extends MqttQueuedSchema.class {}
MqttQueuedSchema.setClass(MqttQueued);
