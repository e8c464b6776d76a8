import { setTimeout as sleep } from "node:timers/promises";
import { type HubProcess, startHubProcess } from "./hub-process.ts";
import type { PartOptions } from "./part.ts";
import { type Population, openPopulation } from "./population.ts";
import { times } from "./statistics.ts";

/** A person's calls are limited to 600 a minute. */
const REQUESTS = 100;
/** Postgres tells its figures up to ten seconds late. */
const FIGURES_SETTLE_MS = 11_000;

/** How many transactions a request takes: none for what the hub holds in memory, one for what it reads or changes. */
export async function measureTransactions({ report, cleanup, quick }: PartOptions): Promise<void> {
  const hub = await startHubProcess(cleanup);
  const { body: device } = await hub.api.post("/devices", { name: "NAS", mac: "02:00:00:00:00:01" });
  const watcher = await openPopulation(await hub.databaseUrl());
  cleanup.add(() => watcher.close().catch(() => {})); // the hub's end may have closed it already
  await sleep(FIGURES_SETTLE_MS);
  const idle = await transactionsOf(watcher, async () => sleep(1_000));

  const kinds = requestsOf(hub, device.id);
  for (const [name, request] of quick ? kinds.slice(0, 2) : kinds) {
    const { count, seconds } = await transactionsOf(watcher, () => times(REQUESTS, request));
    // what the hub does by itself goes on meanwhile, and so does Postgres' housekeeping, which begins when it likes
    const each = Math.max(0, (count - (idle.count / idle.seconds) * seconds) / REQUESTS);
    report.add({ name: `accounts.transactions.${name}`, value: each, unit: "each", bound: { atMost: 1.5 } });
  }
  await watcher.close();
}

function requestsOf({ api }: HubProcess, deviceId: string): [name: string, request: (n: number) => Promise<unknown>][] {
  return [
    ["change", (n) => api.patch(`/devices/${deviceId}`, { description: `the ${n}th` })],
    ["list", () => api.get("/devices?limit=200")],
    ["history", () => api.get("/wakes?limit=200")],
    ["tokens", () => api.get("/tokens")],
    ["audit", () => api.get("/audit")],
  ];
}

/** Transactions that the database finished while some work went on, and until its figures have settled. */
async function transactionsOf(
  watcher: Population,
  work: () => Promise<unknown>,
): Promise<{ count: number; seconds: number }> {
  const sql =
    "select sum(xact_commit + xact_rollback)::int as count from pg_stat_database where datname = current_database()";
  const count = async () => Number((await watcher.query(sql))[0]?.["count"]);
  const before = await count();
  const startedMs = performance.now();
  await work();
  await sleep(FIGURES_SETTLE_MS);
  return { count: (await count()) - before, seconds: (performance.now() - startedMs) / 1_000 };
}
