import { createServer } from "node:net";
import { once } from "node:events";
import type { Cleanup } from "./cleanup.ts";
import { type HubProcess, startHubProcess } from "./hub-process.ts";
import { LossyWay, seeded } from "./loss.rules.ts";
import { macOf, openPacketReceiver, type PacketReceiver } from "./packets.ts";
import type { Part } from "./part.ts";
import { deviceMac, openPopulation } from "./population.ts";
import { startRealAgent } from "./real-agent.ts";

const LOSS = 0.3;
const SEED = 20_261_121;
/** From the packet to the moment when the machine answers. Milliseconds. */
const BOOT_MS = 500;
/** To one destination, as here. */
const PACKETS_IN_BURST = 3;
/** Where a machine that is up accepts connections: a port that nothing else uses on its address. */
const TCP_PORT = 22_022;

const WAYS = [
  { name: "each-by-itself", memoryMs: 0 },
  { name: "in-a-row", memoryMs: 1_000 },
] as const;

/** How many wakes succeed on a LAN that loses 30 % of all packets, beside what its first burst alone, or one packet, would do. */
export const lossPart: Part = async ({ report, cleanup, quick }) => {
  const [count, windowSeconds] = quick ? [60, 30] : [200, 60];
  const packets = await openPacketReceiver(cleanup);
  const hub = await startHubProcess(cleanup);
  const clusters = await prepare(hub, { count, windowSeconds, udpPort: packets.port });
  for (const [index, { name, memoryMs }] of WAYS.entries()) {
    const cluster = clusters[index];
    if (!cluster) throw new Error("each kind of loss has a cluster");
    await startRealAgent(hub, { name: `Agent ${index}`, clusterId: cluster.id }, cleanup);
    const machines = await openMachines({ from: index * count, count, memoryMs, packets }, cleanup);
    const { body } = await hub.api.post(`/clusters/${cluster.id}/wake?wait=${windowSeconds + 10}`);
    const stages = (body.wakes as { stage: string }[]).map(({ stage }) => stage);
    const share = (done: number) => (done / count) * 100;
    const awake = share(stages.filter((stage) => stage === "awake").length);
    const byBurst = share(machines.filter(({ byFirstBurst }) => byFirstBurst).length);
    const byPacket = share(machines.filter(({ byFirstPacket }) => byFirstPacket).length);
    report.add({ name: `loss.${name}.one-packet`, value: byPacket, unit: "% awake" });
    report.add({ name: `loss.${name}.one-burst`, value: byBurst, unit: "% awake" });
    report.add({ name: `loss.${name}.wake`, value: awake, unit: "% awake", floor: byBurst, ratio: { atLeast: 1 } });
  }
};

async function prepare(hub: HubProcess, options: { count: number; windowSeconds: number; udpPort: number }) {
  const { count, windowSeconds, udpPort } = options;
  const population = await openPopulation(await hub.databaseUrl());
  const clusters = await population.addClusters(WAYS.length);
  for (const [index, { id }] of clusters.entries())
    await population.addDevices({ clusterId: id, from: index * count, count, udpPort, windowSeconds });
  await population.query(
    `update device set address = '127.9.' || substr(key, 8)::int / 250 || '.' || substr(key, 8)::int % 250 + 1,
      watch_tcp_ports = array[$1::int], watch_interval_seconds = 1`,
    [TCP_PORT],
  );
  await population.close();
  await hub.restart();
  return clusters;
}

interface Machine {
  byFirstPacket: boolean;
  byFirstBurst: boolean;
  /** Packets sent to it so far, those lost included. */
  sent: number;
  isUp: boolean;
}

/** Machines whose network cards hear what the lossy way lets through, and that boot on the first magic packet. */
async function openMachines(
  { from, count, memoryMs, packets }: { from: number; count: number; memoryMs: number; packets: PacketReceiver },
  cleanup: Cleanup,
): Promise<Machine[]> {
  const chance = seeded(SEED + from);
  const machines = new Map<string, Machine & { readonly way: LossyWay; readonly host: string }>();
  for (let n = from; n < from + count; n++) {
    const way = new LossyWay({ loss: LOSS, memoryMs, chance: seeded(Math.floor(chance() * 2 ** 32)) });
    const host = `127.9.${Math.floor(n / 250)}.${(n % 250) + 1}`;
    machines.set(deviceMac(n), { way, host, byFirstPacket: false, byFirstBurst: false, sent: 0, isUp: false });
  }
  packets.onPacket = (packet, atMs) => {
    const machine = machines.get(macOf(packet));
    if (!machine) return;
    machine.sent += 1;
    if (!machine.way.letsThrough(atMs)) return;
    if (machine.sent === 1) machine.byFirstPacket = true;
    if (machine.sent <= PACKETS_IN_BURST) machine.byFirstBurst = true;
    if (machine.isUp) return;
    machine.isUp = true;
    setTimeout(() => void comeUp(machine.host, cleanup), BOOT_MS);
  };
  return [...machines.values()];
}

async function comeUp(host: string, cleanup: Cleanup): Promise<void> {
  const server = createServer((connection) => connection.on("error", () => connection.destroy()));
  server.listen(TCP_PORT, host);
  await once(server, "listening");
  cleanup.add(() => void server.close());
}
