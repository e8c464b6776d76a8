import { createServer, connect as connectTcp, type Server, type Socket } from "node:net";
import { once } from "node:events";
import { mkdtempSync, chmodSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pino from "pino";
import { afterEach, describe, expect, inject, test } from "vitest";
import { POSTGRES_PASSWORD as password, layPostgresInto } from "#test/fixtures/data-folder.ts";
import { createDatabase, query } from "#test/fixtures/database.ts";
import ormConfig from "../../mikro-orm.config.ts";
import { type Database, openDatabase } from "./database.ts";
import { startEmbeddedPostgres } from "./embedded-postgres.ts";
import { StartError } from "./start-error.ts";

const log = pino({ level: "silent" });
const closers: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

interface Opened {
  readonly database: Database;
  /** What was told: `true` when the database answers again, `false` when it does not. */
  readonly changes: boolean[];
  readonly lost: number[];
}

async function open(url: string): Promise<Opened> {
  const changes: boolean[] = [];
  const lost: number[] = [];
  const database = await openDatabase({
    url,
    orm: ormConfig,
    owner: "this database",
    log,
    onChange: (up) => changes.push(up),
    onLockLost: () => lost.push(1),
  });
  closers.push(() => database.close());
  return { database, changes, lost };
}

async function holderOf(url: string): Promise<number | undefined> {
  const [row] = await query(
    url,
    "select l.pid from pg_locks l join pg_database d on d.oid = l.database and d.datname = current_database() where l.locktype = 'advisory'",
  );
  return row?.["pid"] as number | undefined;
}

/** A way to the database that can be cut without either side noticing, as a firewall does it. */
async function startDetour(url: string): Promise<{ url: string; cut(): void; mend(): void }> {
  const target = new URL(url);
  const sockets = new Set<Socket>();
  const cutOff = new Set<Socket>();
  let isCut = false;
  const server: Server = createServer((client) => {
    const upstream = connectTcp(Number(target.port), target.hostname);
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from);
      if (isCut) cutOff.add(from);
      from.on("error", () => {});
      from.on("data", (chunk) => void (cutOff.has(from) || to.write(chunk)));
      from.on("close", () => void (cutOff.has(from) || to.destroy()));
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  closers.unshift(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  const detour = new URL(url);
  detour.port = String((server.address() as { port: number }).port);
  return {
    url: detour.toString(),
    cut: () => {
      isCut = true;
      for (const socket of sockets) cutOff.add(socket);
    },
    mend: () => {
      isCut = false;
    },
  };
}

describe("a database", () => {
  test("is brought up to date from nothing, and again without harm", async () => {
    const url = await createDatabase();
    const first = await open(url);
    expect(await first.database.execute("select count(*)::int as count from device", [])).toEqual([{ count: 0 }]);
    await first.database.close();
    const second = await open(url);
    expect(await second.database.ping()).toBe(true);
    expect(second.database.isUp()).toBe(true);
  });

  test("of one hub refuses a second one in a sentence, until the first has ended", async () => {
    const url = await createDatabase();
    const first = await open(url);
    await expect(open(url)).rejects.toThrow(
      new StartError(
        "Another hub already runs on this database. Stop it first, or give this one its own DATA_DIR or DATABASE_URL.",
      ),
    );
    await first.database.close();
    expect(await (await open(url)).database.ping()).toBe(true);
  });

  test("whose hub was killed a moment ago is free as soon as Postgres notices", async () => {
    const url = await createDatabase();
    await open(url);
    const second = open(url); // waits for the lock for some seconds
    await query(url, "select pg_terminate_backend($1)", [await holderOf(url)]);
    expect(await (await second).database.ping()).toBe(true);
  });

  test.each([
    [
      "nobody listens",
      "postgres://u:p@127.0.0.1:1/x",
      /^The database at 127\.0\.0\.1:1 does not answer: .*ECONNREFUSED/,
    ],
    [
      "its name is unknown",
      "postgres://u:p@nowhere.invalid/x",
      /^The database at nowhere\.invalid:5432 does not answer/,
    ],
  ])("where %s is answered in a sentence without the password", async (_what, url, message) => {
    const refused = open(url);
    await expect(refused).rejects.toThrow(StartError);
    await expect(refused).rejects.toThrow(message);
    await expect(refused).rejects.not.toThrow(/u:p/);
  });

  test("that takes the connection of the lock away gives it back", async () => {
    const url = await createDatabase();
    const { database, changes, lost } = await open(url);
    const holder = await holderOf(url);
    await query(url, "select pg_terminate_backend($1)", [holder]);
    await expect.poll(() => database.ping()).toBe(false);
    await expect.poll(() => database.ping()).toBe(true);
    expect(await holderOf(url)).toBeGreaterThan(0);
    expect(await holderOf(url)).not.toBe(holder);
    expect({ changes, lost }).toEqual({ changes: [false, true], lost: [] });
  });

  test("whose lock another hub took meanwhile says so", async () => {
    const url = await createDatabase();
    const first = await open(url);
    const second = open(url);
    await query(url, "select pg_terminate_backend($1)", [await holderOf(url)]);
    await second;
    await expect.poll(() => first.database.ping().then(() => first.lost.length)).toBe(1);
    expect(first.database.isUp()).toBe(false);
  });

  test("that is restarted is away and back, and work goes on", async () => {
    const dataDir = mkdtempSync(join(tmpdir(), "powerbeacon-restart-"));
    chmodSync(dataDir, 0o711);
    closers.push(() => rmSync(dataDir, { recursive: true, force: true }));
    const settings = { fsync: "off" };
    layPostgresInto(dataDir);
    const server = await startEmbeddedPostgres({ dataDir, password, settings });
    // the server comes back on another port, so the hub goes by a detour that stays where it is
    let port = Number(new URL(server.url).port);
    const detour = createServer((client) => {
      const upstream = connectTcp(port, "127.0.0.1");
      client.pipe(upstream).pipe(client);
      for (const socket of [client, upstream]) socket.on("error", () => [client, upstream].map((end) => end.destroy()));
    });
    await once(detour.listen(0, "127.0.0.1"), "listening");
    const url = new URL(server.url);
    url.port = String((detour.address() as { port: number }).port);
    const { database, changes } = await open(url.toString());
    closers.splice(-1, 0, () => void detour.close());

    await server.close();
    await expect.poll(() => database.ping()).toBe(false);
    expect(database.isUp()).toBe(false);
    await expect(database.execute("select 1", [])).rejects.toThrow();

    const again = await startEmbeddedPostgres({ dataDir, password, settings });
    closers.splice(-1, 0, () => again.close());
    port = Number(new URL(again.url).port);
    await expect.poll(() => database.ping()).toBe(true);
    expect(await database.execute("select 1 as one", [])).toEqual([{ one: 1 }]);
    expect(changes).toEqual([false, true]);
    await database.close();
  });

  test("that was cut off without a goodbye is the same hub's when it is back", async () => {
    const url = await createDatabase();
    const detour = await startDetour(url);
    const { database, changes, lost } = await open(detour.url);
    const holder = await holderOf(url);
    detour.cut();
    expect(await database.ping()).toBe(false);
    detour.mend(); // the server still believes in the old connection, and its lock
    expect(await holderOf(url)).toBe(holder);
    await expect.poll(() => database.ping(), { timeout: 10_000 }).toBe(true);
    expect({ changes, lost }).toEqual({ changes: [false, true], lost: [] });
    expect(await holderOf(url)).not.toBe(holder);
  });
});

describe("an entity manager that is bound to a site", () => {
  const WHO = "select current_user as role, current_setting('powerbeacon.site', true) as site";

  test("takes the role for requests and names the site in each transaction, and the connection forgets both", async () => {
    const { database } = await open(await createDatabase());
    const site = "11111111-1111-4111-8111-111111111111";
    const inside = await database.bound(site).transactional(async (em) => await em.execute(WHO));
    expect(inside).toEqual([{ role: "powerbeacon_request", site }]);
    for (let connection = 0; connection < 10; connection++)
      expect(await database.execute(WHO, [])).toMatchObject([{ role: "hub_login" }]);
    const sites = (siteId: string) =>
      database.bound(siteId).transactional(async (em) => await em.execute("select count(*)::int as count from site"));
    await expect(sites("x'; drop table site")).rejects.toThrow();
    expect(await sites(site)).toEqual([{ count: 0 }]);
  });

  test("is out of reach for a login that may not take the roles, who is told what to run", async () => {
    const url = new URL(await createDatabase());
    await query(inject("postgresUrl"), "create role plain_login login password 'x'");
    await query(inject("postgresUrl"), `alter database ${url.pathname.slice(1)} owner to plain_login`);
    [url.username, url.password] = ["plain_login", "x"];
    await expect(open(url.toString())).rejects.toThrow(/psql -v login=plain_login -f docs\/database-roles\.sql/);
  });
});
