import type { z } from "zod";
import type {
  MqttClientAnswer,
  MqttClientChange,
  MqttClientCreate,
  MqttClientCreated,
} from "#contracts/api/mqtt-clients.ts";
import { call } from "./call.ts";
import { wholeList } from "./whole-list.ts";

export async function mqttClients(): Promise<MqttClientAnswer[]> {
  return await wholeList<MqttClientAnswer>("/mqtt-clients");
}

/** @returns its password, too: this once. */
export async function createMqttClient(input: z.input<typeof MqttClientCreate>): Promise<MqttClientCreated> {
  return await call("POST", "/mqtt-clients", input);
}

export async function changeMqttClient(id: string, change: z.input<typeof MqttClientChange>): Promise<void> {
  await call("PATCH", `/mqtt-clients/${id}`, change);
}

/** Its connections end at once. */
export async function revokeMqttClient(id: string): Promise<void> {
  await call("DELETE", `/mqtt-clients/${id}`);
}
