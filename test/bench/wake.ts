import http from "node:http";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { connectAsync } from "mqtt";
import { startChild } from "./child.ts";
import type { Cleanup } from "./cleanup.ts";
import { type HubProcess, startHubProcess } from "./hub-process.ts";
import type { LightAgentsNews, LightAgentsTask } from "./light-agents.ts";
import { openPacketReceiver, type PacketReceiver } from "./packets.ts";
import type { Part } from "./part.ts";
import { deviceKey, deviceMac, openPopulation } from "./population.ts";
import { startRealAgent } from "./real-agent.ts";
import { median, percentile, times } from "./statistics.ts";

/** Each way of asking has devices of its own, woken in turn, so that no request meets a wake that still runs. */
const DEVICES = 60;
/** So short that no packet is sent again: what is measured is the first one. Seconds. */
const WINDOW_SECONDS = 1;
/** Between two samples of a way; a person's calls are limited to 600 a minute. Milliseconds. */
const PAUSE_MS = 30;
const CROWD = 100;
const FLOOR_TOPIC = "floor/wake";

/** From the request to the first magic packet, beside the least that a broker and an agent could take. */
export const wakePart: Part = async ({ report, cleanup, quick }) => {
  const packets = await openPacketReceiver(cleanup);
  const setup = await prepareHub(packets, cleanup);
  const floor = await openFloor(packets, cleanup);
  const byMqtt = await openMqtt(setup.hub, packets, cleanup);
  const byHttp = await openHttp(setup.hub, packets, cleanup);
  const [rounds, samples] = quick ? [1, 60] : [3, 200];

  const alone = await measureInTurn(rounds, samples, [
    floor,
    async (sample) => byMqtt("solo", sample % DEVICES),
    async (sample) => byHttp(DEVICES + (sample % DEVICES)),
  ]);
  const [floorFigures, mqtt, overHttp] = alone;
  if (!floorFigures || !mqtt || !overHttp) throw new Error("three ways were measured");
  const { p50, p99 } = floorFigures;
  report.add({ name: "wake.floor.p50", value: p50, unit: "ms" });
  report.add({ name: "wake.floor.p99", value: p99, unit: "ms" });
  report.add({ name: "wake.mqtt.p50", value: mqtt.p50, unit: "ms", floor: p50, ratio: { atMost: 2.5 } });
  report.add({ name: "wake.mqtt.p99", value: mqtt.p99, unit: "ms", floor: p99, ratio: { atMost: 4 } });
  report.add({ name: "wake.http.p50", value: overHttp.p50, unit: "ms", floor: p50, ratio: { atMost: 4 } });
  report.add({ name: "wake.http.p99", value: overHttp.p99, unit: "ms", floor: p99 });

  await joinCrowd(setup, packets, cleanup);
  const last: number[] = [];
  const crowded = await measureInTurn(rounds, samples, [
    floor,
    async (sample) => {
      const { firstMs, lastMs } = await byMqttToAll(byMqtt, packets, 2 * DEVICES + (sample % DEVICES));
      last.push(lastMs);
      return firstMs;
    },
  ]);
  const [crowdFloor, crowd] = crowded;
  if (!crowdFloor || !crowd) throw new Error("two ways were measured");
  const name = `wake.mqtt.of-${CROWD}-agents`;
  report.add({ name: `${name}.p50`, value: crowd.p50, unit: "ms", floor: crowdFloor.p50, ratio: { atMost: 2.5 } });
  report.add({ name: `${name}.p99`, value: crowd.p99, unit: "ms", floor: crowdFloor.p99, ratio: { atMost: 4 } });
  report.add({
    name: `${name}.last-agent.p50`,
    value: median(last),
    unit: "ms",
    floor: crowdFloor.p50,
    ratio: { atMost: 6 },
  });
};

interface Setup {
  readonly hub: HubProcess;
  readonly crowd: LightAgentsTask;
  readonly crowdClusterId: string;
}

async function prepareHub(packets: PacketReceiver, cleanup: Cleanup): Promise<Setup> {
  const hub = await startHubProcess(cleanup);
  const [solo, crowd] = await times(
    2,
    async (n) => (await hub.api.post("/clusters", { name: ["Solo", "Crowd"][n] })).body,
  );
  const population = await openPopulation(await hub.databaseUrl());
  const device = { count: DEVICES, udpPort: packets.port, windowSeconds: WINDOW_SECONDS };
  await population.addDevices({ ...device, clusterId: solo.id, from: 0, count: 2 * DEVICES });
  await population.addDevices({ ...device, clusterId: crowd.id, from: 2 * DEVICES });
  const agents = await population.addAgents({ clusterId: crowd.id, from: 0, count: CROWD - 1 });
  await population.close();
  await hub.restart();
  await startRealAgent(hub, { name: "Solo Agent", clusterId: solo.id }, cleanup);
  const crowdTask = {
    mqttPort: hub.mqttPort,
    baseTopic: "powerbeacon",
    agents,
    udpPort: packets.port,
    heartbeatSeconds: null,
    reconnect: false,
  };
  return { hub, crowd: crowdTask, crowdClusterId: crowd.id };
}

async function joinCrowd({ hub, crowd, crowdClusterId }: Setup, _packets: PacketReceiver, cleanup: Cleanup) {
  await startRealAgent(hub, { name: "Crowd Agent", clusterId: crowdClusterId }, cleanup);
  await startChild<LightAgentsNews>("light-agents.ts", crowd, cleanup).next("connected");
  await sleep(1_000);
}

/** How long one sample takes. Milliseconds. */
type Way = (sample: number) => Promise<number>;

/** Takes one sample of each way in turn, so that whatever else this machine does meets all of them. Medians of the rounds. */
async function measureInTurn(rounds: number, samples: number, ways: readonly Way[]) {
  for (let sample = 0; sample < 20; sample++) await takeOne(ways, sample); // warm
  const perRound = await times(rounds, async () => {
    const taken = ways.map((): number[] => []);
    for (let sample = 20; sample < samples + 20; sample++) {
      const row = await takeOne(ways, sample);
      for (const [index, ms] of row.entries()) taken[index]?.push(ms);
    }
    return taken;
  });
  return ways.map((_way, index) => ({
    p50: median(perRound.map((taken) => percentile(taken[index] ?? [], 0.5))),
    p99: median(perRound.map((taken) => percentile(taken[index] ?? [], 0.99))),
  }));
}

async function takeOne(ways: readonly Way[], sample: number): Promise<number[]> {
  const row: number[] = [];
  for (const way of ways) {
    row.push(await way(sample));
    await sleep(PAUSE_MS);
  }
  return row;
}

/** One publish → bare Aedes → a subscriber that does nothing but send a datagram. */
async function openFloor(packets: PacketReceiver, cleanup: Cleanup): Promise<Way> {
  type BrokerNews = { type: "listening"; port: number };
  const { port } = await startChild<BrokerNews>("bare-aedes.ts", {}, cleanup).next("listening");
  const agentTask = { mqttPort: port, udpPort: packets.port, topic: FLOOR_TOPIC };
  await startChild<{ type: "ready" }>("bare-agent.ts", agentTask, cleanup).next("ready");
  const client = await connectAsync(`mqtt://127.0.0.1:${port}`);
  cleanup.add(() => client.endAsync(true));
  return async (sample) => {
    const mac = deviceMac(0xffff_0000 + sample);
    const arrived = packets.firstFor(mac);
    const payload = Buffer.alloc(102, 0xff).fill(Buffer.from(mac, "hex"), 6);
    const startedMs = performance.now();
    client.publish(FLOOR_TOPIC, payload, { qos: 1 });
    return (await arrived) - startedMs;
  };
}

async function openMqtt(hub: HubProcess, packets: PacketReceiver, cleanup: Cleanup) {
  const { body } = await hub.api.post("/mqtt-clients", { name: "Bench", permissions: ["read", "wake"] });
  const { username, password } = body;
  const client = await connectAsync(`mqtt://127.0.0.1:${hub.mqttPort}`, { username, password, protocolVersion: 5 });
  cleanup.add(() => client.endAsync(true));
  return async (cluster: "solo" | "crowd", device: number): Promise<number> => {
    const arrived = packets.firstFor(deviceMac(device));
    const startedMs = performance.now();
    client.publish(`powerbeacon/cluster/${cluster}/wake`, deviceKey(device), { qos: 1 });
    return (await arrived) - startedMs;
  };
}

/** The real agent's first magic packet, and the moment when the last agent of the cluster has told that the order reached it. */
async function byMqttToAll(
  byMqtt: (cluster: "crowd", device: number) => Promise<number>,
  packets: PacketReceiver,
  device: number,
): Promise<{ firstMs: number; lastMs: number }> {
  let heard = 0;
  let toldLast: (atMs: number) => void = () => {};
  const last = new Promise<number>((resolve) => (toldLast = resolve));
  packets.onPacket = (packet, atMs) => {
    if (packet.length < 102 && ++heard === CROWD - 1) toldLast(atMs);
  };
  const startedMs = performance.now();
  const [firstMs, lastAtMs] = await Promise.all([byMqtt("crowd", device), last]);
  packets.onPacket = () => {};
  return { firstMs, lastMs: Math.max(firstMs, lastAtMs - startedMs) };
}

/** Over one connection that stays open, as a program's does. */
async function openHttp(hub: HubProcess, packets: PacketReceiver, cleanup: Cleanup) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  cleanup.add(() => agent.destroy());
  const population = await openPopulation(await hub.databaseUrl());
  const rows = await population.query("select id, key from device");
  await population.close();
  const idOf = new Map(rows.map(({ id, key }) => [key, id]));
  return async (device: number): Promise<number> => {
    const arrived = packets.firstFor(deviceMac(device));
    const path = `/api/devices/${String(idOf.get(deviceKey(device)))}/wake`;
    const headers = { authorization: `Bearer ${hub.api.token}` };
    const startedMs = performance.now();
    const request = http.request({ agent, port: hub.httpPort, host: "127.0.0.1", method: "POST", path, headers }).end();
    const answered = once(request, "response").then(async ([response]: unknown[]) => {
      const answer = response as http.IncomingMessage;
      answer.resume();
      await once(answer, "end");
      if (answer.statusCode !== 202) throw new Error(`a wake by HTTP was answered with ${answer.statusCode}`);
    });
    const [atMs] = await Promise.all([arrived, answered]);
    return atMs - startedMs;
  };
}
