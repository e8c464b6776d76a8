import type { EntityManager, Options } from "@mikro-orm/postgresql";
import { MikroORM } from "@mikro-orm/postgresql";
import type { Client } from "pg";
import { connect, isHeldByHub } from "./database.ts";
import { StartError } from "./start-error.ts";

/** The database of a hub, for a command beside it. Whether the hub runs or not: it takes no lock and changes no schema. */
export interface DatabaseVisit {
  /** Of the hub itself: it sees every site. */
  readonly em: EntityManager;
  /** Whether a hub runs on this database now. */
  isHubRunning(): Promise<boolean>;
  close(): Promise<void>;
}

/** @throws StartError when the database does not answer, or no hub of this version has been there. */
export async function visitDatabase(url: string, ormOptions: Options): Promise<DatabaseVisit> {
  const client = await connect(url, "powerbeacon command");
  const orm = new MikroORM({ ...ormOptions, clientUrl: url, logger: () => {} });
  const close = async () => {
    await orm.close(true);
    await client.end();
  };
  try {
    await orm.connect();
    await checkSchema(client, orm);
  } catch (error) {
    await close();
    throw error;
  }
  return { em: orm.em.fork(), isHubRunning: () => isHeldByHub(client), close };
}

async function checkSchema(client: Client, orm: MikroORM): Promise<void> {
  const { rows } = await client.query<{ name: string | null }>("select to_regclass('migration') as name");
  if (rows[0]?.name && (await orm.migrator.getPending()).length === 0) return;
  throw new StartError("The database is not the one of this version: start the hub once, then try again.");
}
