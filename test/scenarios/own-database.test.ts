import { chmodSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type EmbeddedPostgres, startEmbeddedPostgres } from "#core/kernel/embedded-postgres.ts";
import { HUB_ROLE, REQUEST_ROLE } from "#core/kernel/site-filter.ts";
import { StartError } from "#core/kernel/start-error.ts";
import { POSTGRES_PASSWORD, layPostgresInto } from "#test/fixtures/data-folder.ts";
import { query } from "#test/fixtures/database.ts";
import { startTestHub } from "#test/fixtures/hub.ts";
import { FAST_AND_LOOSE } from "#test/fixtures/postgres-server.ts";

/** A server of its own, as roles are one server's and others of the run have them already. */
let server: EmbeddedPostgres;
let dataDir: string;

beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), "powerbeacon-own-postgres-"));
  chmodSync(dataDir, 0o711);
  layPostgresInto(dataDir);
  server = await startEmbeddedPostgres({ dataDir, password: POSTGRES_PASSWORD, settings: FAST_AND_LOOSE });
});

afterAll(async () => {
  await server.close();
  rmSync(dataDir, { recursive: true, force: true });
});

/** A login and a database that is its own. @returns the address. */
async function newDatabase(login: string, rights = ""): Promise<string> {
  await query(server.url, `create role "${login}" login password 'its own' ${rights}`);
  await query(server.url, `create database "${login}" owner "${login}"`);
  const url = new URL(server.url);
  [url.username, url.password, url.pathname] = [login, "its own", `/${login}`];
  return url.toString();
}

async function forget(login: string): Promise<void> {
  await query(server.url, `drop database "${login}"`);
  await query(server.url, `drop role if exists ${HUB_ROLE}, ${REQUEST_ROLE}, "${login}"`);
}

/** What `psql -v login=… -f docs/database-roles.sql` runs. */
async function runRolesFile(login: string): Promise<void> {
  const file = readFileSync(join(import.meta.dirname, "../../docs/database-roles.sql"), "utf8");
  await query(server.url, file.replaceAll(':"login"', `"${login}"`));
}

test("a plain login is told which file to run, and after that the hub runs as it", async () => {
  const login = "plain-login";
  const url = await newDatabase(login);
  const refusal = startTestHub({ DATABASE_URL: url });
  await expect(refusal).rejects.toBeInstanceOf(StartError);
  await expect(refusal).rejects.toThrow(`psql -v login=${login} -f docs/database-roles.sql`);

  await runRolesFile(login);
  await runRolesFile(login);
  const hub = await startTestHub({ DATABASE_URL: url });
  const { status, body } = await hub.api.post("/devices", { name: "NAS", mac: "02:00:00:00:00:01" });
  expect(status).toBe(201);
  expect((await hub.api.get("/wakes")).body).toMatchObject({ items: [], total: 0 });
  // not even the owner of the table, unless it is a member of the hub's role
  const asOwner = async () => (await query(url, "select id from device")).map(({ id }) => id);
  expect(await asOwner()).toEqual([body.id]);
  await query(server.url, `revoke ${HUB_ROLE} from "${login}"`);
  expect(await asOwner()).toEqual([]);
  await expect(hub.restart()).rejects.toBeInstanceOf(StartError);
  await hub.close();
  await forget(login);
});

test("a login that may make roles needs no file", async () => {
  const login = "maker";
  const hub = await startTestHub({ DATABASE_URL: await newDatabase(login, "createrole") });
  expect((await hub.api.get("/devices")).status).toBe(200);
  await hub.close();
  await forget(login);
});
