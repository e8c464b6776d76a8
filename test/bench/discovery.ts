import { setTimeout as sleep } from "node:timers/promises";
import { connectAsync } from "mqtt";
import type { Cleanup } from "./cleanup.ts";
import { type HubProcess, startHubProcess } from "./hub-process.ts";
import { mosquittoVersion, startMosquitto } from "./mosquitto.ts";
import type { Part } from "./part.ts";
import { openPopulation } from "./population.ts";
import { cpuMs } from "./process-figures.ts";
import { median, times } from "./statistics.ts";

const DEVICES = 1_000;
/** A thing is published at most once in five seconds. */
const PACE_MS = 5_500;
/** The hub waits for half a second of silence, then publishes what is missing. */
const SETTLED_MS = 3_000;

interface Cost {
  readonly messages: number;
  readonly bytes: number;
  readonly ms: number;
  /** Of the hub, broker and all. */
  readonly cpuMs: number;
}

/** What Home Assistant is told of 1,000 devices: one message each beside one for every entity, and a restart. */
export const discoveryPart: Part = async (options) => {
  const { report, cleanup } = options;
  const single = await costOf("single", options);
  await cleanup.run();
  const device = await costOf("device", options);
  await cleanup.run();
  report.add({ name: "discovery.messages", value: device.messages, floor: single.messages, unit: "messages" });
  report.add({ name: "discovery.bytes", value: device.bytes / 1024, floor: single.bytes / 1024, unit: "KiB" });
  report.add({ name: "discovery.send-all", value: device.ms, floor: single.ms, unit: "ms" });
  report.add({
    name: "discovery.send-all.cpu",
    value: device.cpuMs,
    floor: single.cpuMs,
    unit: "ms",
    ratio: { atMost: 1 },
  });
  if (mosquittoVersion() === null)
    return report.note("discovery.restart: SKIPPED, there is no Mosquitto on this machine");
  report.add({
    name: "discovery.restart.configs",
    value: await configsOfARestart(cleanup),
    unit: "messages",
    bound: { atMost: 0 },
  });
};

/** From the request to send all again until Home Assistant has the last one. */
async function costOf(format: string, { cleanup, quick }: Parameters<Part>[0]): Promise<Cost> {
  const hub = await startHubProcess(cleanup, { HA_DISCOVERY_FORMAT: format });
  await furnish(hub);
  const { body } = await hub.api.post("/mqtt-clients", { name: "Bench", permissions: ["read", "discovery"] });
  const url = `mqtt://127.0.0.1:${hub.mqttPort}`;
  const reader = await readConfigs(url, { username: body.username, password: body.password }, cleanup);
  const all = reader.messages(); // as they were retained
  const rounds = await times(quick ? 1 : 5, async () => {
    await sleep(PACE_MS);
    reader.forget();
    const [startedMs, spentMs] = [performance.now(), cpuMs(hub.pid)];
    await hub.api.post("/home-assistant/send", {});
    while (reader.messages() < all) await sleep(1);
    return {
      messages: reader.messages(),
      bytes: reader.bytes(),
      ms: reader.lastMs() - startedMs,
      cpuMs: cpuMs(hub.pid) - spentMs,
    };
  });
  const { messages = 0, bytes = 0 } = rounds.at(-1) ?? {};
  const [ms, spent] = [median(rounds.map(({ ms }) => ms)), median(rounds.map(({ cpuMs }) => cpuMs))];
  return { messages, bytes, ms, cpuMs: spent };
}

/** The configs that a hub publishes which starts again on a broker that kept them. */
async function configsOfARestart(cleanup: Cleanup): Promise<number> {
  const { port } = await startMosquitto(cleanup);
  const url = `mqtt://127.0.0.1:${port}`;
  const hub = await startHubProcess(cleanup, { MQTT_URL: url });
  await furnish(hub);
  const reader = await readConfigs(url, {}, cleanup);
  while (reader.messages() < DEVICES + 2) await sleep(50);
  await sleep(SETTLED_MS);
  reader.forget();
  await hub.restart();
  await sleep(SETTLED_MS);
  return reader.messages();
}

async function furnish(hub: HubProcess): Promise<void> {
  const { body: cluster } = await hub.api.post("/clusters", { name: "Hall" });
  const population = await openPopulation(await hub.databaseUrl());
  await population.addDevices({ clusterId: cluster.id, from: 0, count: DEVICES, udpPort: 9, windowSeconds: 120 });
  await population.close();
  await hub.restart();
  const all = DEVICES + 2; // the cluster and the hub
  while ((await hub.api.get("/home-assistant")).body.counts.published < all) await sleep(100);
}

/** Counts what comes on the topics of configs; what was retained counts too, until it is forgotten. */
async function readConfigs(url: string, credential: object, cleanup: Cleanup) {
  const client = await connectAsync(url, { protocolVersion: 5, ...credential });
  cleanup.add(() => client.endAsync(true));
  let [messages, bytes, lastMs] = [0, 0, 0];
  client.on("message", (topic, payload) => {
    if (!topic.endsWith("/config") || payload.length === 0) return;
    messages++;
    bytes += topic.length + payload.length;
    lastMs = performance.now();
  });
  await client.subscribeAsync("homeassistant/#", { qos: 1 });
  await sleep(SETTLED_MS);
  return {
    messages: () => messages,
    bytes: () => bytes,
    lastMs: () => lastMs,
    forget: () => {
      [messages, bytes, lastMs] = [0, 0, 0];
    },
  };
}
