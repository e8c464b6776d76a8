import { createSocket } from "node:dgram";
import { setTimeout as sleep } from "node:timers/promises";
import { generate } from "mqtt-packet";
import { task, tell } from "./child.ts";
import { heartbeatPayload } from "./heartbeat-payload.ts";
import { LIGHT_TOKEN, type LightAgent } from "./population.ts";
import { publishPacket, RawClient } from "./raw-client.ts";

/**
 * Many agents in one process, as light as the network allows: each has its own connection, says that it is online,
 * publishes heartbeats, and tells by one datagram that a signed order has reached it. They check no signature:
 * a hundred real agents do that on a hundred machines.
 */
export interface LightAgentsTask {
  readonly mqttPort: number;
  readonly baseTopic: string;
  readonly agents: readonly LightAgent[];
  /** Where orders are told of; null = nowhere. */
  readonly udpPort: number | null;
  /** Null = none. */
  readonly heartbeatSeconds: number | null;
  /** Connect again after the connection broke. */
  readonly reconnect: boolean;
}

export type LightAgentsNews = { type: "connected" } | { type: "reconnected"; seconds: number };

const AT_ONCE = 32;
const KEEPALIVE_SECONDS = 60;
const ORDER_BEGIN = Buffer.from("eyJ");

const work = (await task()) as LightAgentsTask; // as startChild was given it
const udp = createSocket("udp4");
let connected = 0;
let brokenAtMs: number | null = null;
let waiting = [...work.agents];

async function connectWaiting(): Promise<void> {
  while (waiting.length > 0) {
    const batch = waiting.slice(0, AT_ONCE);
    const results = await Promise.allSettled(batch.map(connectAgent));
    waiting = [...waiting.slice(AT_ONCE), ...batch.filter((_agent, index) => results[index]?.status === "rejected")];
    if (results.some(({ status }) => status === "rejected")) await sleep(100);
  }
}

async function connectAgent(agent: LightAgent): Promise<void> {
  const client = new RawClient(work.mqttPort);
  const topic = (name: string) => `${work.baseTopic}/agent/${agent.key}/${name}`;
  await client.connect({
    port: work.mqttPort,
    clientId: agent.id,
    username: agent.id,
    password: LIGHT_TOKEN,
    keepalive: KEEPALIVE_SECONDS,
  });
  client.onPublish = (payload) => {
    if (work.udpPort !== null && payload.subarray(0, 3).equals(ORDER_BEGIN))
      udp.send(agent.key, work.udpPort, "127.0.0.1");
  };
  await client.subscribe([`${work.baseTopic}/cluster/+/wake`, topic("order"), topic("watch")], 1);
  client.socket.write(publishPacket(topic("status"), "online", { qos: 1, retain: true }));
  connected++;
  const stopBeating = beat(client, topic("heartbeat"));
  client.socket.once("close", () => {
    connected--;
    stopBeating();
    if (!work.reconnect) return;
    brokenAtMs ??= performance.now();
    if (waiting.push(agent) === 1) setTimeout(() => void comeBack(), 100);
  });
}

async function comeBack(): Promise<void> {
  await connectWaiting();
  if (connected < work.agents.length || brokenAtMs === null) return;
  tell({ type: "reconnected", seconds: (performance.now() - brokenAtMs) / 1_000 });
  brokenAtMs = null;
}

/** Heartbeats as a real agent sends them, spread over the interval. Returns how to end them. */
function beat({ socket }: RawClient, topic: string): () => void {
  const { heartbeatSeconds } = work;
  if (heartbeatSeconds === null) {
    const ping = setInterval(() => socket.write(generate({ cmd: "pingreq" })), (KEEPALIVE_SECONDS * 1_000) / 2);
    return () => clearInterval(ping);
  }
  let sequence = 0;
  const send = () => socket.write(publishPacket(topic, heartbeatPayload(++sequence), { qos: 0, retain: true }));
  let timer = setTimeout(
    () => {
      send();
      timer = setInterval(send, heartbeatSeconds * 1_000);
    },
    Math.random() * heartbeatSeconds * 1_000,
  );
  return () => clearTimeout(timer);
}

await connectWaiting();
tell({ type: "connected" });
