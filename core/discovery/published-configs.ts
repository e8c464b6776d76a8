import type { EntityManager } from "@mikro-orm/postgresql";
import type { Logger } from "pino";
import type { Database } from "../kernel/database.ts";
import { startWriteBehind } from "../kernel/write-behind.ts";
import { DiscoveryConfig } from "./discovery-config.entity.ts";

export interface PublishedConfig {
  readonly siteId: string;
  readonly hash: string | null;
  readonly publishedAt: Date | null;
}

const FLUSH_INTERVAL_MS = 500;
const MAX_WAITING = 50_000;

const WRITE = `with changed as (
    select * from jsonb_to_recordset(?::jsonb) as c (topic text, site_id uuid, hash varchar, published_at timestamptz, gone boolean)
  ), gone as (
    delete from discovery_config where topic in (select topic from changed where gone)
  )
  insert into discovery_config (topic, site_id, hash, published_at)
  select topic, site_id, hash, published_at from changed where not gone
  on conflict (topic) do update
  set site_id = excluded.site_id, hash = excluded.hash, published_at = excluded.published_at`;

/** What was published for Home Assistant, in memory; the table follows within half a second. */
export async function loadPublishedConfigs(em: EntityManager, database: Database, log: Logger) {
  const rows = await em.find(DiscoveryConfig, {}, { disableIdentityMap: true });
  const configs = new Map<string, PublishedConfig>(
    rows.map(({ topic, siteId, hash, publishedAt }) => [
      topic,
      { siteId, hash: hash ?? null, publishedAt: publishedAt ?? null },
    ]),
  );
  const behind = startWriteBehind<object>({
    what: "notes on what Home Assistant was told",
    intervalMs: FLUSH_INTERVAL_MS,
    maxWaiting: MAX_WAITING,
    write: (changes) => database.execute(WRITE, [JSON.stringify(changes)]),
    isUp: () => database.isUp(),
    log,
  });
  return {
    [Symbol.iterator]: () => configs.entries(),
    get size() {
      return configs.size;
    },
    get: (topic: string) => configs.get(topic),
    put: (topic: string, config: PublishedConfig): void => {
      configs.set(topic, config);
      const { siteId, hash, publishedAt } = config;
      behind.add(topic, { topic, site_id: siteId, hash, published_at: publishedAt, gone: false });
    },
    remove: (topic: string): void => {
      if (configs.delete(topic)) behind.add(topic, { topic, gone: true });
    },
    close: () => behind.close(),
  };
}
