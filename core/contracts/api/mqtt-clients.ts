import { z } from "zod";
import { Instant } from "../instant.ts";
import { MQTT_PERMISSIONS } from "../principal.ts";
import { Name, page } from "./common.ts";

const fields = {
  name: Name,
  permissions: z
    .array(z.enum(MQTT_PERMISSIONS))
    .min(1)
    .overwrite((permissions) => [...new Set(permissions)]),
  clusterIds: z.array(z.uuid()).max(1_000).nullable().describe("null = every cluster of the site"),
};

export const MqttClientCreate = z.object(fields).partial({ clusterIds: true }).strict();
export type MqttClientCreate = z.infer<typeof MqttClientCreate>;

export const MqttClientChange = z.object(fields).partial().strict();
export type MqttClientChange = z.infer<typeof MqttClientChange>;

export const MqttClientAnswer = z.object({
  id: z.uuid(),
  name: z.string(),
  username: z.string(),
  permissions: z.array(z.enum(MQTT_PERMISSIONS)),
  clusterIds: z.array(z.uuid()).nullable(),
  connections: z.int().describe("how many are open now"),
  lastSeenAt: Instant.nullable().describe("when it connected last, or now while it is connected"),
  lastAddress: z.string().nullable(),
  lastClientId: z.string().nullable(),
  lastProtocol: z.enum(["3.1", "3.1.1", "5"]).nullable().describe("the version of MQTT"),
  createdAt: Instant,
  updatedAt: Instant,
});
export type MqttClientAnswer = z.infer<typeof MqttClientAnswer>;

export const MqttClientCreated = MqttClientAnswer.extend({
  password: z.string().describe("shown this once"),
  mqttUrl: z.string().describe("where the client finds the broker"),
  baseTopic: z.string().describe("what all topics begin with, those of Home Assistant's discovery excepted"),
});
export type MqttClientCreated = z.infer<typeof MqttClientCreated>;

export const MqttClientList = page(MqttClientAnswer);
