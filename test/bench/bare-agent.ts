import { createSocket } from "node:dgram";
import { connectAsync } from "mqtt";
import { task, tell } from "./child.ts";

/** The least that an agent could be: whatever comes by MQTT leaves by UDP at once. */
export interface BareAgentTask {
  readonly mqttPort: number;
  readonly udpPort: number;
  readonly topic: string;
}

const { mqttPort, udpPort, topic } = (await task()) as BareAgentTask; // as startChild was given it
const socket = createSocket("udp4");
const client = await connectAsync(`mqtt://127.0.0.1:${mqttPort}`);
client.on("message", (_topic, payload) => socket.send(payload, udpPort, "127.0.0.1"));
await client.subscribeAsync(topic, { qos: 1 });
tell({ type: "ready" });
