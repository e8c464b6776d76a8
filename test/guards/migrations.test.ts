import { MikroORM } from "@mikro-orm/postgresql";
import { afterAll, beforeAll, expect, test } from "vitest";
import config from "../../mikro-orm.config.ts";
import { createDatabase, query } from "#test/fixtures/database.ts";

let url: string;
let orm: MikroORM;

beforeAll(async () => {
  url = await createDatabase();
  orm = new MikroORM({ ...config, clientUrl: url, logger: () => {} });
  await orm.connect();
  await orm.migrator.up();
});

afterAll(() => orm.close(true));

test("the migrations make exactly the schema that the entities describe", async () => {
  const difference = await orm.schema.getUpdateSchemaSQL({ wrap: false });
  expect(difference.trim()).toBe("");
});

/** Rows of the hub itself. `audit` and its chains hold both: a row without a site is the hub's, which no site sees. */
const OF_THE_HUB = ["audit", "audit_chain", "identity", "migration", "provider", "session", "site", "user"];

test("every table but those of the hub itself carries its site", async () => {
  const rows = await query(
    url,
    `select table_name from information_schema.tables t where table_schema = 'public' and not exists (
      select from information_schema.columns c where c.table_name = t.table_name and c.column_name = 'site_id' and c.is_nullable = 'NO') order by 1`,
  );
  expect(rows.map((row) => row["table_name"])).toEqual(OF_THE_HUB);
});
