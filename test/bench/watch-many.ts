import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { PowerCounts } from "#contracts/power.ts";
import { Presence } from "#core/agents/presence.ts";
import { Directory, type DirectoryAgent } from "#core/members/directory.ts";
import { PowerStates } from "#core/power/power-states.ts";
import { CLUSTER_DEFAULTS, DEVICE_DEFAULTS } from "#test/fixtures/directory-rows.ts";
import { Key } from "#contracts/key.ts";
import { startChild } from "./child.ts";
import { startHubProcess } from "./hub-process.ts";
import type { LightWatchersNews, LightWatchersTask } from "./light-watchers.ts";
import type { Part } from "./part.ts";
import { openPopulation } from "./population.ts";
import { cpuMs, residentMiB } from "./process-figures.ts";
import { median, times } from "./statistics.ts";

const CLUSTERS = 10;
const AGENTS_OF_A_CLUSTER = 2;
const DEVICES_OF_A_CLUSTER = 1_000;

/** Ten thousand devices, each watched by two of twenty agents: what the hub needs for it. And the rules alone. */
export const watchManyPart: Part = async ({ report, cleanup, quick }) => {
  for (const [name, value] of Object.entries(await evaluated()))
    report.add({ name: `watch.evaluate-100000.${name}`, value, unit: "ms", bound: { atMost: 100 } });

  const hub = await startHubProcess(cleanup);
  const population = await openPopulation(await hub.databaseUrl());
  const agents = [];
  for (const [index, { id: clusterId }] of (await population.addClusters(CLUSTERS)).entries()) {
    const from = index * AGENTS_OF_A_CLUSTER;
    agents.push(...(await population.addAgents({ clusterId, from, count: AGENTS_OF_A_CLUSTER })));
    const devices = { clusterId, from: index * DEVICES_OF_A_CLUSTER, count: DEVICES_OF_A_CLUSTER };
    await population.addDevices({ ...devices, udpPort: 9, windowSeconds: 1 });
  }
  await population.close();
  await hub.restart();
  const idle = residentMiB(hub.pid);
  const work: LightWatchersTask = { mqttPort: hub.mqttPort, baseTopic: "powerbeacon", agents, changesPerSecond: 0.5 };
  const child = startChild<LightWatchersNews>("light-watchers.ts", work, cleanup);
  const startedMs = performance.now();
  const all = CLUSTERS * AGENTS_OF_A_CLUSTER * DEVICES_OF_A_CLUSTER;
  while ((await child.next("watching")).devices < all);
  let known = 0;
  while (known < CLUSTERS * DEVICES_OF_A_CLUSTER) {
    const { items } = (await hub.api.get("/clusters?limit=100")).body;
    known = items.reduce((sum: number, { devices }: { devices: PowerCounts }) => sum + devices.on + devices.off, 0);
    await sleep(100);
  }
  report.add({ name: "watch.10000.all-known", value: (performance.now() - startedMs) / 1_000, unit: "s" });
  await sleep(quick ? 5_000 : 15_000);
  const before = { cpuMs: cpuMs(hub.pid), atMs: performance.now() };
  await sleep(quick ? 15_000 : 60_000);
  const share = (cpuMs(hub.pid) - before.cpuMs) / (performance.now() - before.atMs);
  report.add({ name: "watch.10000.cpu", value: share * 100, unit: "% of a core" });
  report.add({ name: "watch.10000.memory", value: residentMiB(hub.pid), unit: "MiB" });
  report.add({ name: "watch.10000.memory-before", value: idle, unit: "MiB" });
  const after = await openPopulation(await hub.databaseUrl());
  const [rows] = await after.query("select count(*)::int as count from power_history");
  report.note(`${Number(rows?.["count"])} changes of state are in the history`);
  await after.close();
};

/** What the rules alone take for 100,000 devices. Milliseconds. */
export async function evaluated(): Promise<{ sighted: number; "agents-leave": number }> {
  const directory = new Directory();
  const presence = new Presence();
  const now = new Date();
  const agents: DirectoryAgent[] = [];
  for (let cluster = 0; cluster < 100; cluster++) agents.push(addCluster(directory, cluster));
  for (const { id } of agents) presence.setStatus(id, "online", now);
  const power = new PowerStates(directory, presence, { graceMs: 0 });
  const says = (up: boolean) => {
    const how = up ? ("arp" as const) : null;
    const nothing = { address: null, mac: null, takenBy: null };
    return agents.map((agent) =>
      directory.devicesOf(agent.clusterId).map(({ key }) => {
        return { device: Key.parse(key), up, how, at: now.toISOString(), ...nothing };
      }),
    );
  };
  const [up, down] = [says(true), says(false)];
  const taken = await times(5, async (turn) => {
    const startedMs = ownCpuMs();
    for (const [index, agent] of agents.entries())
      power.sighted(agent, (turn % 2 ? down : up)[index] ?? [], false, now);
    return ownCpuMs() - startedMs;
  });
  const startedMs = ownCpuMs();
  for (const { id } of agents) presence.setStatus(id, "offline", now);
  const left = ownCpuMs() - startedMs;
  power.close();
  return { sighted: median(taken), "agents-leave": left };
}

/** What this process computed, which others that run beside it do not change. */
function ownCpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

function addCluster(directory: Directory, number: number): DirectoryAgent {
  const [id, siteId, now] = [randomUUID(), randomUUID(), new Date()];
  const common = { siteId, showInHomeAssistant: true, createdAt: now, updatedAt: now };
  const owned = { description: null, tags: [], ownerId: null, shares: [] };
  directory.putCluster({
    id,
    key: `c${number}`,
    name: "C",
    unassigned: false,
    ...common,
    ...owned,
    ...CLUSTER_DEFAULTS,
  });
  for (let index = 0; index < 1_000; index++) {
    const n = (number * 1_000 + index).toString(16).padStart(10, "0");
    directory.putDevice({
      ...DEVICE_DEFAULTS,
      ...common,
      ...owned,
      id: randomUUID(),
      clusterId: id,
      key: `d${n}`,
      name: "D",
      mac: `02${n}`.replaceAll(/(..)(?!$)/g, "$1:"),
      address: null,
      os: "other",
      enabled: true,
      secureOn: null,
      wake: { addresses: [], ports: [9], windowSeconds: null },
      watch: { icmp: true, arp: true, tcpPorts: [], intervalSeconds: 15 },
      agentIds: [],
    });
  }
  const about = { hostname: "a", os: "linux" as const, arch: "x64", version: "1", interfaces: [], capabilities: [] };
  const agent = { ...common, ...about, id: randomUUID(), clusterId: id, key: `a${number}`, name: "A", machine: null };
  directory.putAgent(agent);
  return agent;
}
