import { setTimeout as sleep } from "node:timers/promises";
import { connectAsync } from "mqtt";
import { startChild } from "./child.ts";
import type { Cleanup } from "./cleanup.ts";
import { type HubProcess, startHubProcess } from "./hub-process.ts";
import type { LightAgentsNews, LightAgentsTask } from "./light-agents.ts";
import type { Part } from "./part.ts";
import { deviceKey, type LightAgent, LIGHT_TOKEN, openPopulation } from "./population.ts";
import { cpuMs, residentMiB } from "./process-figures.ts";
import { connectRaw } from "./raw-client.ts";
import { percentile } from "./statistics.ts";

const BASE_TOPIC = "powerbeacon";
const HEARTBEAT_SECONDS = 30;
/** So short that a device is free again before its next turn. */
const WINDOW_SECONDS = 1;
const DEVICES_OF_A_CLUSTER = 100;
const PAUSE_MS = 20;
const WARM_UP = 20;

/** A hub with ten thousand agents and a hundred thousand devices: what it costs at rest, and how fast it still wakes. */
export const manyAgentsPart: Part = async ({ report, cleanup, quick }) => {
  const size = quick
    ? { clusters: 100, agents: 10, seconds: 10, wakes: 50 }
    : { clusters: 1_000, agents: 10, seconds: 60, wakes: 200 };
  const hub = await startHubProcess(cleanup);
  const { agents, listener } = await populate(hub, size);
  await hub.restart();
  report.add({ name: "many-agents.warm-start", value: hub.startMs / 1_000, unit: "s" });
  report.add({ name: "many-agents.count", value: agents.length, unit: "agents" });

  const crowd: LightAgentsTask = {
    mqttPort: hub.mqttPort,
    baseTopic: BASE_TOPIC,
    agents,
    udpPort: null,
    heartbeatSeconds: HEARTBEAT_SECONDS,
    reconnect: true,
  };
  const child = startChild<LightAgentsNews>("light-agents.ts", crowd, cleanup);
  const startedMs = performance.now();
  await child.next("connected");
  report.add({ name: "many-agents.connecting", value: (performance.now() - startedMs) / 1_000, unit: "s" });
  report.add({ name: "many-agents.settling", value: await secondsUntilQuiet(hub.pid), unit: "s" });

  report.add({
    name: "many-agents.cpu",
    value: await loadPercent(hub.pid, size.seconds),
    unit: "% of a core",
    bound: { atMost: 12 },
  });
  const hop = await measureHop(size.wakes, cleanup);
  const wakes = await measureWakes(hub, listener, size.wakes, cleanup);
  const unit = "ms";
  const floor = percentile(hop, 0.5);
  report.add({ name: "many-agents.wake.p50", value: percentile(wakes, 0.5), unit, floor, bound: { atMost: 0.5 } });
  report.add({ name: "many-agents.wake.p99", value: percentile(wakes, 0.99), unit, floor: percentile(hop, 0.99) });
  report.add({ name: "many-agents.memory", value: residentMiB(hub.pid), unit: "MiB", bound: { atMost: 700 } });

  const back = child.next("reconnected");
  await hub.restart();
  const { seconds } = await back;
  report.add({ name: "many-agents.all-back-after-restart", value: seconds, unit: "s", bound: { atMost: 15 } });
};

/** Rows for so many clusters with their agents and devices. One agent of the first cluster stays out of the crowd. */
async function populate(
  hub: HubProcess,
  size: { clusters: number; agents: number },
): Promise<{ agents: LightAgent[]; listener: LightAgent }> {
  const population = await openPopulation(await hub.databaseUrl());
  const agents: LightAgent[] = [];
  const clusters = await population.addClusters(size.clusters);
  for (const [index, { id: clusterId }] of clusters.entries()) {
    agents.push(...(await population.addAgents({ clusterId, from: index * size.agents, count: size.agents })));
    const devices = { clusterId, from: index * DEVICES_OF_A_CLUSTER, count: DEVICES_OF_A_CLUSTER };
    await population.addDevices({ ...devices, udpPort: 9, windowSeconds: WINDOW_SECONDS });
  }
  await population.close();
  const [listener, ...others] = agents;
  if (!listener) throw new Error("there is an agent");
  return { agents: others, listener };
}

/** Waits until the hub has worked off what so many new agents mean to it. */
async function secondsUntilQuiet(pid: number): Promise<number> {
  const startedMs = performance.now();
  for (let tries = 0; tries < 60; tries++) if ((await loadPercent(pid, 1)) < 30) break;
  return (performance.now() - startedMs) / 1_000 - 1;
}

async function loadPercent(pid: number, seconds: number): Promise<number> {
  const before = { cpuMs: cpuMs(pid), atMs: performance.now() };
  await sleep(seconds * 1_000);
  return ((cpuMs(pid) - before.cpuMs) / (performance.now() - before.atMs)) * 100;
}

/** From the request to the signed order at an agent. Milliseconds each. */
async function measureWakes(hub: HubProcess, { id }: LightAgent, count: number, cleanup: Cleanup): Promise<number[]> {
  const { body } = await hub.api.post("/mqtt-clients", { name: "Bench", permissions: ["wake"] });
  return measureMessages(count, cleanup, {
    port: hub.mqttPort,
    reader: { clientId: id, username: id, password: LIGHT_TOKEN },
    writer: { username: body.username, password: body.password },
    filter: `${BASE_TOPIC}/cluster/+/wake`,
    topic: `${BASE_TOPIC}/cluster/cluster-0/wake`,
  });
}

/** One publish through a bare broker that has nothing else to do. */
async function measureHop(count: number, cleanup: Cleanup): Promise<number[]> {
  const broker = startChild<{ type: "listening"; port: number }>("bare-aedes.ts", {}, cleanup);
  const { port } = await broker.next("listening");
  const reader = { clientId: "reader" };
  const times = await measureMessages(count, cleanup, { port, reader, writer: {}, filter: "hop", topic: "hop" });
  await broker.kill();
  return times;
}

async function measureMessages(
  count: number,
  cleanup: Cleanup,
  way: {
    readonly port: number;
    readonly reader: { clientId: string; username?: string; password?: string };
    readonly writer: { username?: string; password?: string };
    readonly filter: string;
    readonly topic: string;
  },
): Promise<number[]> {
  const reader = await connectRaw({ port: way.port, ...way.reader });
  cleanup.add(() => void reader.socket.destroy());
  await reader.subscribe([way.filter], 1);
  const writer = await connectAsync(`mqtt://127.0.0.1:${way.port}`, way.writer);
  cleanup.add(() => writer.endAsync(true));
  const times: number[] = [];
  for (let sample = 0; sample < count + WARM_UP; sample++) {
    const arrived = new Promise<number>((resolve) => (reader.onPublish = () => resolve(performance.now())));
    const startedMs = performance.now();
    writer.publish(way.topic, deviceKey(sample % DEVICES_OF_A_CLUSTER), { qos: 1 });
    const atMs = await arrived;
    if (sample >= WARM_UP) times.push(atMs - startedMs);
    await sleep(PAUSE_MS);
  }
  return times;
}
