import { MikroORM } from "@mikro-orm/postgresql";
import { afterAll, beforeAll, expect, test } from "vitest";
import config from "../../mikro-orm.config.ts";
import { createEmptyDatabase, query } from "#test/fixtures/database.ts";

let url: string;
let orm: MikroORM;

beforeAll(async () => {
  url = await createEmptyDatabase();
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

test("an older hub's accounts, sessions and things are all there after the migrations", async () => {
  const old = await createEmptyDatabase();
  const older = new MikroORM({ ...config, clientUrl: old, logger: () => {} });
  await older.connect();
  await older.migrator.up({ to: "Migration20261121122006_discovery_config" });
  await query(
    old,
    `with s as (insert into site values (gen_random_uuid(), 'default', 'Default', now()) returning id),
      u as (insert into "user" (id, username, role, password_hash, created_at)
        values (gen_random_uuid(), 'root', 'superuser', 'x', now()), (gen_random_uuid(), 'other', 'user', 'x', now()) returning id, username),
      e as (insert into session (id, user_id, created_at, expires_at) select gen_random_uuid(), id, '2026-01-01Z', now() from u)
      insert into cluster (id, site_id, key, name, tags, created_at, updated_at)
        select gen_random_uuid(), id, 'home', 'Home', '{}', now(), now() from s`,
  );
  await older.migrator.up();
  await older.close(true);
  expect(await query(old, 'select username, superuser, must_change_password from "user" order by 1')).toEqual([
    { username: "other", superuser: false, must_change_password: false },
    { username: "root", superuser: true, must_change_password: false },
  ]);
  expect(await query(old, "select distinct last_used_at, count(*)::int from session group by 1")).toEqual([
    { last_used_at: new Date("2026-01-01T00:00:00Z"), count: 2 },
  ]);
  expect(await query(old, "select key, owner_id from cluster")).toEqual([{ key: "home", owner_id: null }]);
});
