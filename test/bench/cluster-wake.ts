import { setTimeout as sleep } from "node:timers/promises";
import { connectAsync } from "mqtt";
import { startHubProcess } from "./hub-process.ts";
import { macOf, openPacketReceiver } from "./packets.ts";
import type { Part } from "./part.ts";
import { LIGHT_TOKEN, openPopulation, type Population } from "./population.ts";
import { connectRaw } from "./raw-client.ts";
import { startRealAgent } from "./real-agent.ts";

const DEVICES = 1_000;
const PACKETS_EACH = 3;
/** The second burst begins two seconds after the first: what came by now belongs to the first. */
const FIRST_BURST_MS = 1_900;
/** Postgres tells its figures up to ten seconds late. */
const FIGURES_SETTLE_MS = 11_000;

/** One request that wakes a whole large cluster. */
export const clusterWakePart: Part = async ({ report, cleanup }) => {
  const packets = await openPacketReceiver(cleanup);
  const hub = await startHubProcess(cleanup);
  const { body: cluster } = await hub.api.post("/clusters", { name: "Hall" });
  const population = await openPopulation(await hub.databaseUrl());
  cleanup.add(() => population.close().catch(() => {})); // the hub's end may have closed it already
  const membership = { clusterId: cluster.id, from: 0 };
  await population.addDevices({ ...membership, count: DEVICES, udpPort: packets.port, windowSeconds: 120 });
  const [listener] = await population.addAgents({ ...membership, count: 1 });
  await population.close();
  await hub.restart();
  await startRealAgent(hub, { name: "Agent", clusterId: cluster.id }, cleanup);

  const orders: number[] = [];
  const reader = await connectRaw({
    port: hub.mqttPort,
    clientId: "reader",
    username: listener?.id ?? "",
    password: LIGHT_TOKEN,
  });
  cleanup.add(() => void reader.socket.destroy());
  reader.onPublish = () => void orders.push(performance.now());
  await reader.subscribe(["powerbeacon/cluster/hall/wake"], 1);

  const { body } = await hub.api.post("/mqtt-clients", { name: "Bench", permissions: ["wake"] });
  const { username, password } = body;
  const client = await connectAsync(`mqtt://127.0.0.1:${hub.mqttPort}`, { username, password });
  cleanup.add(() => client.endAsync(true));

  const watcher = await openPopulation(await hub.databaseUrl());
  const idle = await statements(watcher, async () => sleep(FIRST_BURST_MS));
  const arrivals: number[] = [];
  const machines = new Set<string>();
  const work = await statements(watcher, async () => {
    const startedMs = performance.now();
    packets.onPacket = (packet, atMs) => {
      arrivals.push(atMs - startedMs);
      machines.add(macOf(packet));
    };
    client.publish("powerbeacon/cluster/hall/wake", "*", { qos: 1 });
    await sleep(FIRST_BURST_MS);
    packets.onPacket = () => {};
    const inBurst = orders.filter((atMs) => atMs - startedMs < FIRST_BURST_MS).length;
    report.add({ name: "cluster-wake.orders", value: inBurst, unit: "orders", bound: { atMost: 5 } });
    const lastOrderMs = Math.max(...orders) - startedMs;
    report.add({ name: "cluster-wake.last-order", value: lastOrderMs, unit: "ms" });
  });
  await watcher.close();

  report.add({ name: "cluster-wake.machines", value: machines.size, unit: "machines", bound: { atLeast: DEVICES } });
  const expected = DEVICES * PACKETS_EACH;
  report.add({ name: "cluster-wake.packets", value: arrivals.length, unit: "packets", bound: { atLeast: expected } });
  report.add({
    name: "cluster-wake.last-packet",
    value: Math.max(...arrivals) / 1_000,
    unit: "s",
    bound: { atMost: 1.5 },
  });
  report.add({
    name: "cluster-wake.statements",
    value: work - idle,
    unit: "statements",
    bound: { atMost: DEVICES / 20 },
  });
};

/** Transactions that the database finished while some work went on, the history that follows it included. */
async function statements(population: Population, work: () => Promise<void>): Promise<number> {
  const count = async () => {
    await sleep(FIGURES_SETTLE_MS);
    const sql =
      "select sum(xact_commit + xact_rollback)::int as count from pg_stat_database where datname = current_database()";
    return Number((await population.query(sql))[0]?.["count"]);
  };
  const before = await count();
  await work();
  return (await count()) - before;
}
