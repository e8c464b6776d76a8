import { defineEntity, p } from "@mikro-orm/core";
import type { MqttPermission } from "#contracts/principal.ts";
import { siteFilter, sitePolicies } from "../kernel/site-filter.ts";
import { Site } from "../sites/site.entity.ts";

/** A named MQTT credential of an integration, such as Home Assistant. Its password is a high-entropy token, kept as SHA-256. */
const MqttClientSchema = defineEntity({
  name: "MqttClient",
  tableName: "mqtt_client",
  properties: {
    id: p.uuid().primary(),
    site: () => p.manyToOne(Site).ref(),
    name: p.string().length(80),
    username: p.string().length(63).unique(),
    passwordHash: p.string().length(64).hidden(),
    /** The password as Mosquitto keeps it (`$7$…`), for a broker of the operator's own. Null where it is older than that. */
    mosquittoHash: p.string().length(200).nullable().hidden(),
    permissions: p.array().$type<MqttPermission[]>().columnType("text[]"),
    /** null = every cluster of the site. The id of a deleted cluster may stay: it gives no right. */
    clusterIds: p.array().columnType("uuid[]").nullable(),
    lastSeenAt: p.datetime().nullable(),
    lastAddress: p.string().length(64).nullable(),
    /** As the client gave it: the client's own words, cut to this length. */
    lastClientId: p.string().length(200).nullable(),
    /** 3 = MQTT 3.1, 4 = 3.1.1, 5 = 5. */
    lastProtocolVersion: p.smallint().$type<3 | 4 | 5>().nullable(),
    createdAt: p.datetime(),
    updatedAt: p.datetime(),
  },
  filters: siteFilter,
  ...sitePolicies("mqtt_client"),
  indexes: [{ properties: ["site", "name"] }],
});

export class MqttClient extends MqttClientSchema.class {}
MqttClientSchema.setClass(MqttClient);
