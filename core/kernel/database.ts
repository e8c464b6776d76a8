import type { EntityManager, Options } from "@mikro-orm/postgresql";
import { MikroORM } from "@mikro-orm/postgresql";
import { randomUUID } from "node:crypto";
import { Client } from "pg";
import type { Logger } from "pino";
import { ensureRoles } from "./database-roles.ts";
import { REQUEST_ROLE, SITE_SETTING } from "./site-filter.ts";
import { StartError } from "./start-error.ts";

/**
 * The link to Postgres: the ORM, the lock that only one hub holds, and whether the database answers now.
 */
export interface Database {
  /** A fresh entity manager of the hub itself, which sees every site. */
  fork(): EntityManager;
  /**
   * A fresh entity manager for somebody in one site. Each of its transactions takes the role for requests and names the
   * site, so that Postgres itself shows no row of another.
   */
  bound(siteId: string): EntityManager;
  /** One statement outside any unit of work, for the batched writers. */
  execute(sql: string, parameters: readonly unknown[]): Promise<Record<string, unknown>[]>;
  isUp(): boolean;
  /** Asks the database itself. */
  ping(): Promise<boolean>;
  close(): Promise<void>;
}

/** Any number will do; every hub must use the same one. */
const LOCK_KEY = 0x50_42_48_42;
/** A killed hub's lock goes with its connection; Postgres notices within moments. */
const LOCK_PATIENCE_MS = 3_000;
const CHECK_INTERVAL_MS = 2_000;
const ANSWER_PATIENCE_MS = 5_000;

export interface DatabaseOptions {
  readonly url: string;
  readonly orm: Options;
  /** What two hubs cannot share, for the sentence that refuses the second: `the data folder /data`. */
  readonly owner: string;
  readonly log: Logger;
  /** The database answers again, or does not any more. */
  readonly onChange: (up: boolean) => void;
  /** Brings an embedded server back that died. */
  readonly revive?: () => Promise<void>;
  /** The lock was lost to another hub: this one must not go on. */
  readonly onLockLost: () => void;
}

/** @throws StartError when the database does not answer, is too old, belongs to another hub or cannot be migrated. */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const name = `powerbeacon ${randomUUID()}`; // tells the connections of this hub from those of another
  const lock = await acquireLock(options, name);
  const orm = new MikroORM({ ...options.orm, clientUrl: options.url, logger: (line) => options.log.debug(line) });
  try {
    await ensureRoles(lock);
    await orm.connect();
    await orm.migrator.up();
  } catch (error) {
    await orm.close(true);
    await lock.end();
    if (error instanceof StartError) throw error;
    throw new StartError(`The database could not be brought up to date: ${(error as Error).message}`, { cause: error });
  }
  const watch = watchDatabase(options, name, lock);
  return {
    fork: () => orm.em.fork(),
    bound: (siteId) => {
      const em = orm.em.fork();
      em.setFilterParams("site", { siteId });
      // `role` as a setting is SET LOCAL ROLE, and shares one round trip with the site
      em.setSessionContext({ variables: { role: REQUEST_ROLE, [SITE_SETTING]: siteId } });
      return em;
    },
    execute: (sql, parameters) => orm.em.getConnection().execute(sql, [...parameters], "all"),
    isUp: watch.isUp,
    ping: watch.check,
    close: async () => {
      await watch.close();
      await orm.close(true);
    },
  };
}

/** Whether a hub runs on this database. */
export async function isHeldByHub(client: Client): Promise<boolean> {
  const { rowCount } = await client.query(
    `select from pg_locks join pg_database on pg_database.oid = pg_locks.database
     where locktype = 'advisory' and objid = $1 and granted and datname = current_database()`,
    [LOCK_KEY],
  );
  return rowCount !== null && rowCount > 0;
}

async function acquireLock({ url, owner }: DatabaseOptions, name: string): Promise<Client> {
  const client = await connect(url, name);
  const { rows } = await client.query<{ server_version_num: string }>("show server_version_num");
  const version = Math.floor(Number(rows[0]?.server_version_num) / 10_000);
  if (version < 15) {
    await client.end();
    throw new StartError(`The database is PostgreSQL ${version}; PowerBeacon needs 15 or newer.`);
  }
  for (const started = performance.now(); ;) {
    if (await tryLock(client)) return client;
    if (performance.now() - started > LOCK_PATIENCE_MS) break;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await client.end();
  throw new StartError(
    `Another hub already runs on ${owner}. Stop it first, or give this one its own DATA_DIR or DATABASE_URL.`,
  );
}

/** One connection. @throws StartError when the database does not answer. */
export async function connect(url: string, name: string): Promise<Client> {
  const client = new Client({
    connectionString: url,
    connectionTimeoutMillis: ANSWER_PATIENCE_MS,
    keepAlive: true,
    application_name: name,
  });
  client.on("error", () => {}); // its end is noticed by the check below
  try {
    await client.connect();
    return client;
  } catch (error) {
    const { host, port } = client;
    throw new StartError(`The database at ${host}:${port} does not answer: ${reasonOf(error)}. Check DATABASE_URL.`, {
      cause: error,
    });
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return reasonOf(error.errors[0]);
  return error instanceof Error ? error.message || error.name : String(error);
}

async function tryLock(client: Client): Promise<boolean> {
  const { rows } = await client.query<{ locked: boolean }>("select pg_try_advisory_lock($1) as locked", [LOCK_KEY]);
  return rows[0]?.locked === true;
}

/**
 * Ends what is left of a connection of ours that held the lock when the network broke: the server, which was told nothing,
 * would believe in it for hours. Returns false when the lock is another hub's.
 */
async function endOwnRemains(client: Client, name: string): Promise<boolean> {
  const { rowCount } = await client.query(
    `select pg_terminate_backend(pid) from pg_locks join pg_stat_activity using (pid)
     where locktype = 'advisory' and objid = $1 and datname = current_database() and application_name = $2`,
    [LOCK_KEY, name],
  );
  return rowCount !== null && rowCount > 0;
}

/** Asks again and again over the lock's own connection, and takes lock and connection anew after a break. */
function watchDatabase(options: DatabaseOptions, name: string, first: Client) {
  let lock: Client | undefined = first;
  let up = true;
  let checking: Promise<boolean> | undefined;

  async function ask(): Promise<boolean> {
    const client = lock ?? (await connect(options.url, name));
    try {
      if (client === lock) await withDeadline(client.query("select 1"));
      else if (await withDeadline(tryLock(client))) lock = client;
      else if (!(await withDeadline(endOwnRemains(client, name)))) options.onLockLost();
      return client === lock;
    } catch (error) {
      lock = undefined;
      throw error;
    } finally {
      if (client !== lock) client.end().catch(() => {}); // broken already, or of no use
    }
  }

  async function askQuietly(): Promise<boolean> {
    try {
      return await ask();
    } catch (error) {
      options.log.debug({ err: error }, "the database does not answer");
      await options
        .revive?.()
        .catch((cause: unknown) => options.log.error({ err: cause }, "the database could not be started again"));
      return false;
    }
  }

  async function check(): Promise<boolean> {
    checking ??= askQuietly().finally(() => (checking = undefined));
    const answer = await checking;
    if (answer !== up) {
      up = answer;
      options.onChange(up);
    }
    return answer;
  }

  const timer = setInterval(() => void check(), CHECK_INTERVAL_MS);
  return {
    isUp: () => up,
    check,
    close: async () => {
      clearInterval(timer);
      await checking;
      await lock?.end();
    },
  };
}

async function withDeadline<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ANSWER_PATIENCE_MS} ms`)), ANSWER_PATIENCE_MS);
  });
  try {
    return await Promise.race([work, deadline]);
  } finally {
    clearTimeout(timer);
  }
}
