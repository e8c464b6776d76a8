import type { Logger } from "pino";
import ormConfig from "../mikro-orm.config.ts";
import type { Config } from "./config.ts";
import { keptSecret } from "./kernel/data-folder.ts";
import { type Database, openDatabase } from "./kernel/database.ts";
import { startEmbeddedPostgres } from "./kernel/embedded-postgres.ts";

export interface HubDatabaseOptions {
  /** Settings of the embedded Postgres, for tests. */
  readonly postgresSettings?: Readonly<Record<string, string>>;
  /** The database answers again, or does not any more. */
  readonly onChange: (up: boolean) => void;
  /** The hub must not go on, with a sentence why. */
  readonly onFatal: (reason: string) => void;
  /** Gets what ends each part again, the last one first. */
  readonly closers: (() => Promise<void> | void)[];
  readonly log: Logger;
}

/**
 * The hub's database: one of its own where the settings name no other.
 *
 * @throws StartError with one sentence for the operator.
 */
export async function openHubDatabase(config: Config, options: HubDatabaseOptions): Promise<Database> {
  const { postgresSettings: settings, onChange, onFatal, closers, log } = options;
  const { dataDir, databaseUrl } = config;
  const password = () => keptSecret(dataDir, "postgres-password");
  const postgres =
    databaseUrl === null
      ? await startEmbeddedPostgres({ dataDir, password: password(), ...(settings && { settings }) })
      : null;
  if (postgres && !postgres.dataDir.startsWith(dataDir)) log.info(`Postgres keeps its data in ${postgres.dataDir}`);
  // a Postgres that runs already may be another hub's: it is ours to end only once we hold the lock
  if (postgres?.launched) closers.push(() => postgres.close());
  const database = await openDatabase({
    url: databaseUrl ?? postgres?.url ?? "",
    orm: ormConfig,
    owner: databaseUrl === null ? `the data folder ${dataDir}` : "this database",
    log,
    onChange: (up) => {
      if (up) log.info("the database answers again");
      else log.error("the database does not answer; waking goes on, changes and history wait");
      onChange(up);
    },
    ...(postgres && { revive: () => postgres.revive() }),
    onLockLost: () => onFatal("Another hub took over the database; this one ends."),
  });
  if (postgres && !postgres.launched) closers.push(() => postgres.close());
  closers.push(() => database.close());
  return database;
}
