import { defineEntity, p } from "@mikro-orm/core";
import type { StoredSubscription, StoredWill } from "#contracts/broker-store.ts";
import { siteFilter, sitePolicies } from "../kernel/site-filter.ts";
import { Site } from "../sites/site.entity.ts";

/** What the broker keeps of a client that wants to come back, or that left a Will for the moment when it is gone. */
const MqttSessionSchema = defineEntity({
  name: "MqttSession",
  tableName: "mqtt_session",
  properties: {
    /** SHA-256 of the client id, which may be longer than an index holds. */
    id: p.string().length(64).primary(),
    /** The broker's internal one. */
    clientId: p.text(),
    site: () => p.manyToOne(Site).ref().deleteRule("cascade"),
    /** An agent, a credential or a token; the broker finds out who is still there. */
    principalId: p.text(),
    /** How long it lasts once the client is gone. */
    seconds: p.integer(),
    /** null = the client is there. */
    leftAt: p.datetime(3).nullable(),
    subscriptions: p.json<StoredSubscription[]>(),
    /** Packet identifiers of QoS 2 messages. */
    awaitingPubrel: p.json<number[]>(),
    will: p.json<StoredWill>().nullable(),
  },
  filters: siteFilter,
  ...sitePolicies("mqtt_session"),
  indexes: [{ properties: ["site"] }],
});

export class MqttSession extends MqttSessionSchema.class {}
MqttSessionSchema.setClass(MqttSession);
