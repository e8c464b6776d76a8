import { MikroORM } from "@mikro-orm/postgresql";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import config from "../mikro-orm.config.ts";
import { ROLES } from "#core/kernel/database-roles.ts";
import { startEmbeddedPostgres } from "#core/kernel/embedded-postgres.ts";

/**
 * `npm run migration [name]`: writes the migration from what the migrations make to what the entities describe.
 * It compares on a Postgres of its own, so no database of anybody's is touched.
 */
const dataDir = mkdtempSync(join(tmpdir(), "powerbeacon-migration-"));
chmodSync(dataDir, 0o711);
const postgres = await startEmbeddedPostgres({ dataDir, password: "for-a-moment", settings: { fsync: "off" } });
const orm = new MikroORM({ ...config, clientUrl: postgres.url });
try {
  await orm.connect();
  await orm.em.execute(ROLES);
  await orm.migrator.up();
  const { fileName } = await orm.migrator.create(undefined, false, false, process.argv[2]);
  process.stdout.write(fileName ? `core/migrations/${fileName}\n` : "Entities and migrations agree already.\n");
} finally {
  await orm.close(true);
  await postgres.close();
  rmSync(dataDir, { recursive: true, force: true });
}
