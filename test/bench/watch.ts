import { setTimeout as sleep } from "node:timers/promises";
import { connectAsync, type MqttClient } from "mqtt";
import type { Cleanup } from "./cleanup.ts";
import { type HubProcess, startHubProcess } from "./hub-process.ts";
import type { Part } from "./part.ts";
import { cpuMs, residentMiB } from "./process-figures.ts";
import { openPopulation } from "./population.ts";
import { bundledAgent, startRealAgent } from "./real-agent.ts";
import type { Report } from "./report.ts";
import { percentile } from "./statistics.ts";
import { watchManyPart } from "./watch-many.ts";
import {
  hearNeighbours,
  type LanMachine,
  openWatchNetwork,
  type WatchNetwork,
  whyNoWatchNetwork,
} from "./watch-network.ts";

/** What most of the time is between two machines that come up. */
const PAUSE_MS = 250;
const PATIENCE_MS = 30_000;
/** Until every device that is off was looked at as seldom as it will be. */
const SETTLE_MS = 90_000;

/** From the first ARP of a machine to the state of its device on MQTT; what an agent costs that watches 1,000; a hub with 10,000. */
export const watchPart: Part = async (options) => {
  const obstacle = whyNoWatchNetwork();
  if (obstacle) options.report.note(`watch: nothing on a real Ethernet, since ${obstacle}`);
  else await onEthernet(options);
  await watchManyPart(options);
};

const onEthernet: Part = async ({ report, cleanup, quick }) => {
  const [each, devices, seconds] = quick ? [10, 1_000, 20] : [30, 1_000, 60];
  const network = await openWatchNetwork(2 * each, cleanup);
  const hub = await startHubProcess(cleanup, { HTTP_HOST: "0.0.0.0", MQTT_HOST: "0.0.0.0" });
  const { body: cluster } = await hub.api.post("/clusters", { name: "Lan" });
  const file = bundledAgent(cleanup);
  const place = { namespace: network.agentNamespace, hubUrl: `http://${network.hubAddress}:${hub.httpPort}` };
  const agent = await startRealAgent(hub, { name: "Agent", clusterId: cluster.id, file, ...place }, cleanup);
  const client = await listen(hub, cleanup);

  const byName = await addMachines(hub, cluster.id, network.machines);
  await untilAll(hub, cluster.id, { off: network.machines.length });
  const byItself = network.machines.slice(0, each);
  const woken = network.machines.slice(each);
  const heard = hearNeighbours(network, cleanup);
  const lan = { network, heard, client };
  const first = await measure(byItself, lan, (key) => ({
    topic: `powerbeacon/device/${key}/state`,
    means: (text) => text === "ON",
  }));
  reportTimes(report, "watch.first-arp-to-on", first);
  for (const { name } of woken) await hub.api.post(`/devices/${byName.get(name)}/wake`, {});
  const awake = await measure(woken, lan, (key) => ({
    topic: "powerbeacon/cluster/lan/wake/result",
    means: (text) => text.includes(`"${key}"`) && text.includes('"awake"'),
  }));
  reportTimes(report, "watch.first-arp-to-awake", awake);

  await addEmpty(hub, cluster.id, network, devices - network.machines.length);
  await hub.restart();
  await untilAll(hub, cluster.id, { off: devices - network.machines.length });
  await sleep(quick ? SETTLE_MS / 3 : SETTLE_MS);
  await reportCost(report, agent.pid, seconds);
};

async function reportCost(report: Report, pid: number, seconds: number): Promise<void> {
  const before = { cpuMs: cpuMs(pid, { children: true }), atMs: performance.now() };
  await sleep(seconds * 1_000);
  const share = (cpuMs(pid, { children: true }) - before.cpuMs) / (performance.now() - before.atMs);
  report.add({ name: "watch.agent-of-1000.cpu", value: share * 100, unit: "% of a core" });
  report.add({ name: "watch.agent-of-1000.memory", value: residentMiB(pid), unit: "MiB" });
}

async function listen(hub: HubProcess, cleanup: Cleanup): Promise<MqttClient> {
  const { body } = await hub.api.post("/mqtt-clients", { name: "Bench", permissions: ["read"] });
  const { username, password } = body;
  const client = await connectAsync(`mqtt://127.0.0.1:${hub.mqttPort}`, { username, password });
  cleanup.add(() => client.endAsync(true));
  await client.subscribeAsync(["powerbeacon/device/+/state", "powerbeacon/cluster/+/wake/result"], { qos: 1 });
  return client;
}

/** @returns their devices' ids. */
async function addMachines(hub: HubProcess, clusterId: string, machines: readonly LanMachine[]) {
  const ids = new Map<string, string>();
  for (const { name, mac, address } of machines) {
    const { status, body } = await hub.api.post("/devices", { name, mac, address, clusterId });
    if (status !== 201) throw new Error(`the device was not made: ${JSON.stringify(body)}`);
    ids.set(name, body.id);
  }
  return ids;
}

/** Devices that are off and stay so, as rows that the hub reads at its next start: HTTP takes some calls a minute. */
async function addEmpty(hub: HubProcess, clusterId: string, network: WatchNetwork, count: number): Promise<void> {
  const population = await openPopulation(await hub.databaseUrl());
  await population.query(
    `insert into device (id, site_id, cluster_id, key, name, mac, address, os, enabled, tags, wake_addresses, wake_ports,
        watch_icmp, watch_arp, watch_tcp_ports, watch_interval_seconds, created_at, updated_at)
      select gen_random_uuid(), c.site_id, c.id, 'empty-' || n, 'Empty ' || n,
        '02:78:00:00:' || lpad(to_hex(n / 256), 2, '0') || ':' || lpad(to_hex(n % 256), 2, '0'), ($2::text[])[n], 'linux', true,
        '{}', '{}', '{9}', true, true, '{}', 15, now(), now()
      from cluster c, generate_series(1, $3::int) n where c.id = $1`,
    [clusterId, Array.from({ length: count }, (_, index) => network.emptyAddress(index)), count],
  );
  await population.close();
}

async function untilAll(hub: HubProcess, clusterId: string, { off }: { off: number }): Promise<void> {
  const deadline = performance.now() + 4 * PATIENCE_MS;
  while ((await hub.api.get(`/clusters/${clusterId}`)).body.devices.off < off) {
    if (performance.now() > deadline) throw new Error("the agent does not say that all machines are off");
    await sleep(1_000);
  }
}

function reportTimes(report: Report, name: string, times: readonly Times[]): void {
  for (const [share, bound] of [
    [0.5, {}],
    [0.95, { bound: { atMost: 1.5 } }],
  ] as const) {
    const value = percentile(
      times.map(({ told }) => told),
      share,
    );
    const floor = percentile(
      times.map(({ heard }) => heard),
      share,
    );
    report.add({ name: `${name}.p${share * 100}`, value, unit: "s", floor, ...bound });
  }
}

/** Seconds from the moment when a machine comes up. */
interface Times {
  /** Until it was told on MQTT. */
  readonly told: number;
  /** Until the system of the agent's machine knew of it: the floor. */
  readonly heard: number;
}

/** Brings one machine up after the other. */
async function measure(
  machines: readonly LanMachine[],
  { network, heard, client }: { network: WatchNetwork; heard: ReturnType<typeof hearNeighbours>; client: MqttClient },
  newsOf: (key: string) => { topic: string; means: (text: string) => boolean },
): Promise<Times[]> {
  const times: Times[] = [];
  for (const machine of machines) {
    const { topic, means } = newsOf(machine.name);
    const told = new Promise<number>((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`nobody told that ${machine.name} is up`)), PATIENCE_MS);
      const onMessage = (name: string, payload: Buffer) => {
        if (name !== topic || !means(payload.toString())) return;
        client.off("message", onMessage);
        clearTimeout(late);
        resolve(performance.now());
      };
      client.on("message", onMessage);
    });
    const beganMs = await network.bringUp(machine);
    const toldMs = await told;
    const heardMs = heard.firstHeardMs(machine.mac, beganMs);
    times.push({ told: (toldMs - beganMs) / 1_000, heard: (heardMs - beganMs) / 1_000 });
    await sleep(PAUSE_MS);
  }
  return times;
}
