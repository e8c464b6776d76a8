import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pino from "pino";
import { Device } from "#core/devices/device.entity.ts";
import { openDatabase } from "#core/kernel/database.ts";
import { startEmbeddedPostgres } from "#core/kernel/embedded-postgres.ts";
import { createSite, ensureDefaultSite } from "#core/sites/sites.service.ts";
import { Sites } from "#core/sites/sites.ts";
import ormConfig from "../../mikro-orm.config.ts";
import type { PartOptions } from "./part.ts";
import { openPopulation } from "./population.ts";
import { median, times } from "./statistics.ts";

const LIST = 200;
/** In each of two sites, so that there is something to leave out. */
const DEVICES = 1_000;

/**
 * A list of 200 rows as somebody in a site reads it: role, site and policy in one transaction. Beside it the same
 * transaction without them; and what both cost beside one statement alone.
 */
export async function measureLists({ report, cleanup, quick }: PartOptions): Promise<void> {
  const dataDir = mkdtempSync(join(tmpdir(), "powerbeacon-bench-"));
  chmodSync(dataDir, 0o711); // Postgres runs as another user where we are root
  cleanup.add(() => rmSync(dataDir, { recursive: true, force: true }));
  const postgres = await startEmbeddedPostgres({ dataDir, password: "bench-only" });
  cleanup.add(() => postgres.close());
  const never = () => {};
  const log = pino({ level: "silent" });
  const options = { url: postgres.url, orm: ormConfig, owner: "the benchmark", log };
  const database = await openDatabase({ ...options, onChange: never, onLockLost: never });
  cleanup.add(() => database.close());

  const site = await ensureDefaultSite(database.fork(), new Date());
  const trail = { write: async () => {}, note: never, in: () => trail };
  const context = { em: database.fork(), sites: new Sites(), trail };
  await createSite(context, { name: "Away" }, new Date());
  await populate(postgres.url);

  const order = { limit: LIST, orderBy: { name: "asc" }, disableIdentityMap: true } as const;
  const everything = { ...order, filters: { site: false } };
  const ways = [
    () => database.bound(site.id).transactional((em) => em.find(Device, {}, order)),
    () => database.fork().transactional((em) => em.find(Device, { site: site.id }, everything)),
    () => database.bound(site.id).find(Device, {}, order),
    () => database.fork().find(Device, { site: site.id }, everything),
  ];
  for (const read of ways) if ((await read()).length !== LIST) throw new Error(`there are not ${LIST} rows`);
  const rounds = await times(quick ? 100 : 500, () => takeTurns(ways));
  const [withPolicy = 0, without = 0, alone = 0, bare = 0] = medians(rounds.slice(rounds.length / 5)); // warm
  const name = `accounts.list-of-${LIST}.p50`;
  report.add({ name, value: withPolicy, unit: "ms", floor: without, ratio: { atMost: 1.6 } });
  report.add({ name: `accounts.list-of-${LIST}.beside-a-bare-statement.p50`, value: alone, unit: "ms", floor: bare });
}

/** Devices in the room for "in no cluster" of each site. */
async function populate(url: string): Promise<void> {
  const population = await openPopulation(url);
  const rooms = await population.query("select id, site_id from cluster");
  for (const [index, { id, site_id: siteId }] of rooms.entries())
    await population.addDevices({
      clusterId: String(id),
      siteId: String(siteId),
      from: index * DEVICES,
      count: DEVICES,
      udpPort: 9,
      windowSeconds: 120,
    });
  await population.query("analyze");
  await population.close();
}

/** How long each way takes, one after the other. */
async function takeTurns(ways: readonly (() => Promise<unknown>)[]): Promise<number[]> {
  return await times(ways.length, (index) => timeOf(ways[index] ?? (async () => {})));
}

function medians(rounds: readonly number[][]): number[] {
  return (rounds[0] ?? []).map((_, way) => median(rounds.map((taken) => taken[way] ?? 0)));
}

async function timeOf(work: () => Promise<unknown>): Promise<number> {
  const startedMs = performance.now();
  await work();
  return performance.now() - startedMs;
}
