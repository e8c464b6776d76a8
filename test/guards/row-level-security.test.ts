import { randomUUID } from "node:crypto";
import { type EntityManager, MikroORM } from "@mikro-orm/postgresql";
import { Client } from "pg";
import pino from "pino";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Device } from "#core/devices/device.entity.ts";
import { openDatabase } from "#core/kernel/database.ts";
import { REQUEST_ROLE } from "#core/kernel/site-filter.ts";
import config from "../../mikro-orm.config.ts";
import { createDatabase, superuserUrl } from "#test/fixtures/database.ts";
import { RowMaker, type SiteTable, insertion, problemsOf, siteTables } from "./row-level-security.ts";

/** What somebody's transaction may do with a table at all; with every table that is not named: everything. */
const GRANTED: Readonly<Record<string, readonly string[]>> = {
  site: ["SELECT"],
  membership: ["SELECT"],
  audit: ["SELECT"],
  audit_chain: [],
  discovery_config: [],
  mqtt_session: [],
  mqtt_queued: [],
  mqtt_retained: [],
};
const EVERYTHING = ["SELECT", "INSERT", "UPDATE", "DELETE"];
/** Rows that are of no site. */
const OF_THE_HUB = ["identity", "migration", "provider", "session", "user"];

/** What Postgres says to whoever may not (`insufficient_privilege`). */
const DENIED = "42501";
/** What it says where rows that a policy hides are missing (`check_violation`). */
const UNSEEN = "23514";

const url = await migratedDatabase();
/** As the hub: the plain login that owns the tables. */
const login = new Client({ connectionString: url });
/** As nobody that a policy binds. */
const beyond = new Client({ connectionString: superuserUrl(url) });
await Promise.all([login.connect(), beyond.connect()]);
const tables = await siteTables(beyond);
const [home, away] = [new RowMaker(beyond, randomUUID()), new RowMaker(beyond, randomUUID())];

beforeAll(async () => {
  for (const { siteId } of [home, away])
    await beyond.query("insert into site (id, key, name, created_at) values ($1, $2, 'A site', now())", [
      siteId,
      siteId.slice(0, 8),
    ]);
  for (const table of tables.filter(({ name }) => name !== "site"))
    for (const site of [home, away]) await site.add(table);
});

afterAll(() => Promise.all([login.end(), beyond.end()]));

async function migratedDatabase(): Promise<string> {
  const clientUrl = await createDatabase();
  const orm = new MikroORM({ ...config, clientUrl, logger: () => {} });
  await orm.connect();
  await orm.migrator.up();
  await orm.close(true);
  return clientUrl;
}

/** Runs statements in one transaction and takes them back. */
async function tried<Result>(client: Client, work: () => Promise<Result>): Promise<Result> {
  await client.query("begin");
  try {
    return await work();
  } finally {
    await client.query("rollback");
  }
}

/** One statement as a request does it. @returns how many rows it touched, or the code of the error. */
function asRequest(siteId: string | null, sql: string, values: unknown[] = []): Promise<number | string> {
  return tried(login, async () => {
    await login.query(`set local role ${REQUEST_ROLE}`);
    if (siteId !== null) await login.query("select set_config('powerbeacon.site', $1, true)", [siteId]);
    return await login.query(sql, values).then(
      ({ rowCount }) => rowCount ?? 0,
      (error: { code?: string }) => error.code ?? "no code",
    );
  });
}

async function rowsOf({ name, column }: SiteTable, siteId: string): Promise<unknown[]> {
  return (await beyond.query(`select to_jsonb(t) as row from "${name}" t where ${column} = $1 order by 1`, [siteId]))
    .rows;
}

/** How many devices something sees, the ORM's own filter left out; as whom and for which site. */
async function devicesSeenBy(em: EntityManager): Promise<unknown[]> {
  const [raw] = await em.execute("select count(*)::int as devices, current_user::text as role from device");
  return [await em.count(Device, {}, { filters: { site: false } }), raw];
}

test("what the hub does for somebody in a site runs as the role for requests, in a transaction or out of it", async () => {
  const never = () => expect.fail("nothing happens to the database");
  const orm = { url, orm: config, owner: "this database", log: pino({ level: "silent" }) };
  const database = await openDatabase({ ...orm, onChange: never, onLockLost: never });
  const of = async (siteId: string) => (await rowsOf({ name: "device", column: "site_id" }, siteId)).length;
  const [own, all] = [await of(home.siteId), (await of(home.siteId)) + (await of(away.siteId))];
  const bound = database.bound(home.siteId);
  const seen = [own, { devices: own, role: REQUEST_ROLE }];
  expect(await devicesSeenBy(bound)).toEqual(seen);
  expect(await bound.transactional(devicesSeenBy)).toEqual(seen);
  expect(await devicesSeenBy(database.bound(randomUUID()))).toEqual([0, { devices: 0, role: REQUEST_ROLE }]);
  expect(await devicesSeenBy(database.fork())).toEqual([all, { devices: all, role: new URL(url).username }]);
  await database.close();
});

describe("the catalogue", () => {
  test("keeps each table with rows of a site behind its policies, and has an index for them", async () => {
    expect(tables.length).toBeGreaterThanOrEqual(16);
    expect(await problemsOf(beyond)).toEqual([]);
  });

  test.each([
    ["drop policy device_of_site on device", "device: there is not exactly one policy for requests, on all commands"],
    ["drop policy token_of_hub on token", "token: there is no policy for the hub"],
    ["alter table wake no force row level security", "wake: row-level security is not forced on the owner"],
    ["alter table site disable row level security", "site: row-level security is off"],
    ["drop index device_share_site_id_index", "device_share: no index begins with the site"],
    ["alter policy agent_of_site on agent using (true)", "agent: the policy for requests does not compare the site"],
    [
      "alter policy agent_of_site on agent with check (true)",
      "agent: the policy for requests does not compare the site",
    ],
    ["create policy more on cluster to public using (true)", "cluster: a policy is for somebody else"],
    ["create table note (id uuid primary key, site_id uuid not null)", "note: row-level security is off"],
    ["create table log (device_id uuid references device)", "log: hangs on rows of a site without one"],
    ["create view everything as select * from device", "everything: a view"],
  ])("would not be taken for sound after: %s", async (change, problem) => {
    const problems = await tried(beyond, async () => {
      await beyond.query(change);
      return await problemsOf(beyond);
    });
    expect(problems).toContain(problem);
  });

  test("gives the roles no way around, and the hub's login none either", async () => {
    const { rows } = await beyond.query(
      `select rolname from pg_roles where (rolsuper or rolbypassrls or rolcreaterole or (rolcanlogin and rolname <> $1))
        and rolname in ('powerbeacon_request', 'powerbeacon_hub', $1)`,
      [new URL(url).username],
    );
    expect(rows).toEqual([]);
    const { rows: definers } = await beyond.query(
      "select proname as name from pg_proc where prosecdef and pronamespace = 'public'::regnamespace order by 1",
    );
    expect(definers).toEqual([{ name: "audit_append" }, { name: "audit_prune" }]);
  });
});

describe.each(tables)("a request meets the table $name and", (table) => {
  const { name, column } = table;
  const granted = GRANTED[name] ?? EVERYTHING;
  /** What an allowed command answers; a forbidden one is denied whatever it is about. */
  const when = (command: string, answer: number | string) => (granted.includes(command) ? answer : DENIED);
  const ofSite = `where ${column} = $1`;
  const rename = `update "${name}" set ${column} = ${column} ${ofSite}`;

  test("sees the rows of its own site alone, and without a site none", async () => {
    const own = (await rowsOf(table, home.siteId)).length;
    expect(own).toBeGreaterThan(0);
    const all = `select * from "${name}"`;
    expect(await asRequest(home.siteId, all)).toBe(when("SELECT", own));
    expect(await asRequest(home.siteId, `${all} ${ofSite}`, [away.siteId])).toBe(when("SELECT", 0));
    for (const nowhere of [null, "", randomUUID()]) expect(await asRequest(nowhere, all)).toBe(when("SELECT", 0));
  });

  test("adds rows to its own site alone", async () => {
    const own = await home.values(table);
    expect(await asRequest(home.siteId, ...insertion(name, own))).toBe(when("INSERT", 1));
    const foreign = await away.values(table);
    for (const siteId of [home.siteId, null, ""])
      expect([DENIED, UNSEEN]).toContain(await asRequest(siteId, ...insertion(name, foreign)));
  });

  test("changes and moves no row of another site", async () => {
    const before = await rowsOf(table, away.siteId);
    expect(await asRequest(home.siteId, rename, [home.siteId])).toBe(
      when("UPDATE", (await rowsOf(table, home.siteId)).length),
    );
    for (const siteId of [home.siteId, null, ""]) {
      expect(await asRequest(siteId, rename, [away.siteId])).toBe(when("UPDATE", 0));
      expect(await asRequest(siteId, `delete from "${name}" ${ofSite}`, [away.siteId])).toBe(when("DELETE", 0));
    }
    const give = `update "${name}" set ${column} = $2 ${ofSite}`;
    expect(await asRequest(home.siteId, give, [home.siteId, away.siteId])).toBe(DENIED);
    expect(await asRequest(home.siteId, give, [away.siteId, home.siteId])).toBe(when("UPDATE", 0));
    expect(await asRequest(home.siteId, `truncate "${name}" cascade`)).toBe(DENIED);
    expect(await rowsOf(table, away.siteId)).toEqual(before);
  });

  test("deletes rows of its own site alone", async () => {
    const deletion = `delete from "${name}" where ctid = $1`;
    const [own, foreign] = granted.includes("DELETE")
      ? [await home.add(table), await away.add(table)]
      : ["(0,1)", "(0,1)"];
    expect(await asRequest(home.siteId, deletion, [own])).toBe(when("DELETE", 1));
    expect(await asRequest(home.siteId, deletion, [foreign])).toBe(when("DELETE", 0));
  });
});

test.each(OF_THE_HUB)("a request may not touch the table %s of the hub at all", async (name) => {
  for (const sql of [`select * from "${name}"`, `delete from "${name}"`, `insert into "${name}" default values`])
    expect(await asRequest(home.siteId, sql)).toBe(DENIED);
});

test("what a request calls with its owner's rights writes to the log of its own site alone", async () => {
  const append = "select audit_append($1)";
  const row = { at: new Date(), actor_type: "user", action: "device.wake", result: "ok", body: "{}" };
  const entries = (siteId: string | null) => [JSON.stringify([{ ...row, site_id: siteId }])];
  expect(await asRequest(home.siteId, append, entries(home.siteId))).toBe(1);
  for (const siteId of [away.siteId, null]) expect(await asRequest(home.siteId, append, entries(siteId))).toBe(DENIED);
  expect(await asRequest(home.siteId, "select audit_prune(1, '2020-01-01')")).toBe(DENIED);
});

test("every table is one with rows of a site or one of the hub", async () => {
  const { rows } = await beyond.query<{ name: string }>(
    "select relname as name from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')",
  );
  expect(rows.map(({ name }) => name).toSorted()).toEqual(
    [...tables.map(({ name }) => name), ...OF_THE_HUB].toSorted(),
  );
});
