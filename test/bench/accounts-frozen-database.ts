import { setTimeout as sleep } from "node:timers/promises";
import { connectAsync } from "mqtt";
import { startHubProcess } from "./hub-process.ts";
import { openPacketReceiver } from "./packets.ts";
import type { PartOptions } from "./part.ts";
import { type Population, deviceKey, deviceMac, openPopulation } from "./population.ts";
import { freezePostgres } from "./process-figures.ts";
import { startRealAgent } from "./real-agent.ts";
import { median, times } from "./statistics.ts";

const WAKES = 60;
/** So short that each is over before its row is counted. Seconds. */
const WINDOW_SECONDS = 5;
const PAUSE_MS = 30;
const PATIENCE_MS = 20_000;

/**
 * Wakes while every process of Postgres stands still, beside wakes while it runs: whoever asks is looked up in memory, so a
 * wake takes no longer, and its history and its row in the audit log are written when the database goes on.
 */
export async function measureFrozenDatabase({ report, cleanup }: PartOptions): Promise<void> {
  const packets = await openPacketReceiver(cleanup);
  const hub = await startHubProcess(cleanup);
  const { body: cluster } = await hub.api.post("/clusters", { name: "Hall" });
  const population = await openPopulation(await hub.databaseUrl());
  const devices = { clusterId: cluster.id, udpPort: packets.port, windowSeconds: WINDOW_SECONDS };
  await population.addDevices({ ...devices, from: 0, count: 2 * WAKES });
  await population.close();
  await hub.restart();
  await startRealAgent(hub, { name: "Agent", clusterId: cluster.id }, cleanup);
  const { body: me } = await hub.api.get("/auth/me");
  const { body: token } = await hub.api.post("/tokens", { name: "Bench", permissions: ["device:read", "device:wake"] });
  const credentials = { username: `~${me.username}`, password: token.token };
  const client = await connectAsync(`mqtt://127.0.0.1:${hub.mqttPort}`, credentials);
  cleanup.add(() => client.endAsync(true));

  const wake = async (device: number) => {
    const arrived = packets.firstFor(deviceMac(device));
    const startedMs = performance.now();
    client.publish("powerbeacon/cluster/hall/wake", deviceKey(device), { qos: 1 });
    const ms = (await arrived) - startedMs;
    await sleep(PAUSE_MS);
    return ms;
  };
  const running = await times(WAKES, (n) => wake(n));
  const watcher = await openPopulation(await hub.databaseUrl());
  const thaw = freezePostgres(await serverPid(watcher), cleanup);
  const frozen = await times(WAKES, (n) => wake(WAKES + n));
  thaw();

  report.add({ name: "accounts.wake.p50", value: median(running), unit: "ms" });
  report.add({
    name: "accounts.wake.database-frozen.p50",
    value: median(frozen),
    unit: "ms",
    floor: median(running),
    ratio: { atMost: 1.5 },
  });
  const written = await settled(async () => {
    const sql = `select (select count(*) from wake)::int as wakes, (select count(*) from audit where action = 'device.wake')::int as audited`;
    return (await watcher.query(sql))[0] ?? {};
  });
  await watcher.close();
  for (const [what, rows] of Object.entries(written))
    report.add({
      name: `accounts.wake.lost-${what}`,
      value: 2 * WAKES - Number(rows),
      unit: "rows",
      bound: { atMost: 0 },
    });
}

async function serverPid(population: Population): Promise<number> {
  const [row] = await population.query("select pg_read_file('postmaster.pid', 0, 20) as text");
  return Number.parseInt(String(row?.["text"]), 10);
}

/** The newest counts, once all are what they should be or the patience is over. */
async function settled(count: () => Promise<Record<string, unknown>>): Promise<Record<string, unknown>> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const counts = await count();
    const isWhole = Object.values(counts).every((rows) => Number(rows) >= 2 * WAKES);
    if (isWhole || performance.now() > deadline) return counts;
    await sleep(500);
  }
}
