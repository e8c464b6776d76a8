import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { Client } from "pg";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import { POSTGRES_PASSWORD, layPostgresInto } from "#test/fixtures/data-folder.ts";
import { type EmbeddedPostgres, startEmbeddedPostgres } from "./embedded-postgres.ts";

const isRoot = process.getuid?.() === 0;
const ROOT_HOME = "/var/lib/powerbeacon";
/** Durability is another test's subject; here it only takes time. */
const settings = { fsync: "off" };

const folders: string[] = [];
const servers = new Set<EmbeddedPostgres>();

afterEach(async () => {
  for (const server of servers) await server.close();
  servers.clear();
});

afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** Where the server keeps its data. */
const placeOf = async ({ url }: EmbeddedPostgres) =>
  String(await ask(url, "select current_setting('data_directory') as answer"));

function makeFolder(mode = 0o711): string {
  const folder = mkdtempSync(join(tmpdir(), "powerbeacon-embedded-"));
  chmodSync(folder, mode);
  folders.push(folder);
  return folder;
}

/** A folder with a Postgres that has been set up. */
function furnishedFolder(): string {
  const folder = makeFolder();
  layPostgresInto(folder);
  return folder;
}

async function start(dataDir: string, password = POSTGRES_PASSWORD): Promise<EmbeddedPostgres> {
  const server = await startEmbeddedPostgres({ dataDir, password, settings });
  servers.add(server);
  return server;
}

async function ask(url: string, sql: string): Promise<unknown> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  client.on("error", () => {}); // a server that is killed under it
  await client.connect();
  try {
    const { rows } = await client.query<{ answer: unknown }>(sql);
    return rows[0]?.answer;
  } finally {
    await client.end();
  }
}

function pidOf(data: string): number {
  return Number(readFileSync(join(data, "postmaster.pid"), "utf8").split("\n")[0]);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false; // nobody has this number
  }
}

describe("an embedded Postgres", () => {
  test("starts from nothing, is adopted by a second start, and ends with close", async () => {
    const dataDir = makeFolder();
    const first = await start(dataDir, "p@ss/word");
    expect(first.launched).toBe(true);
    expect(await ask(first.url, "select current_setting('server_version_num')::int >= 180000 as answer")).toBe(true);

    const second = await start(dataDir, "p@ss/word");
    expect(second.launched).toBe(false);
    expect(second.url).toBe(first.url);

    const pid = pidOf(join(dataDir, "postgres"));
    await second.close();
    await expect.poll(() => isAlive(pid)).toBe(false); // the system takes a moment to clear it away
    await expect(ask(first.url, "select 1 as answer")).rejects.toThrow("ECONNREFUSED");
    await first.close(); // a second time does nothing
  });

  test("listens on loopback only, wants its password, and keeps its data to itself", async () => {
    const dataDir = furnishedFolder();
    const { url } = await start(dataDir);
    expect(await ask(url, "select current_setting('listen_addresses') as answer")).toBe("127.0.0.1");
    expect(await ask(url, "select current_setting('unix_socket_directories') as answer")).toBe("");
    await expect(ask(url.replace(POSTGRES_PASSWORD, "wrong"), "select 1")).rejects.toThrow(
      "password authentication failed",
    );
    expect(statSync(join(dataDir, "postgres")).mode & 0o777).toBe(0o700);
    expect(readdirSync(dataDir).toSorted()).toEqual(["postgres", "postgres.log"]);
  });

  test("compares letters of all scripts without regard to case", async () => {
    const { url } = await start(furnishedFolder());
    expect(await ask(url, "select lower('ÄRZTE Жук') = 'ärzte жук' as answer")).toBe(true);
  });

  test("keeps its data when it is killed and started again", async () => {
    const dataDir = furnishedFolder();
    const first = await start(dataDir);
    await ask(first.url, "create table kept as select 42 as answer");
    const pid = pidOf(join(dataDir, "postgres"));
    process.kill(pid, "SIGKILL");
    await expect.poll(() => isAlive(pid)).toBe(false);

    const second = await start(dataDir);
    expect(second.launched).toBe(true);
    expect(await ask(second.url, "select answer from kept")).toBe(42);
  });

  test("does not take another program for itself that got the number of its process", async () => {
    const dataDir = furnishedFolder();
    const first = await start(dataDir);
    const data = join(dataDir, "postgres");
    const content = readFileSync(join(data, "postmaster.pid"), "utf8");
    await first.close();
    // the number is in use again, by the same user and with "postgres" in its command line
    const { uid, gid } = statSync(data);
    const stranger = spawn("sleep", ["60"], { argv0: "postgres: idle", uid, gid });
    await once(stranger, "spawn");
    writeFileSync(join(data, "postmaster.pid"), content.replace(/^\d+/, String(stranger.pid)));
    chownSync(join(data, "postmaster.pid"), uid, gid);
    try {
      const second = await start(dataDir);
      expect(second.launched).toBe(true);
      expect(await ask(second.url, "select 1 as answer")).toBe(1);
    } finally {
      stranger.kill();
    }
  });

  test("of two starts at the same moment is one server", async () => {
    const dataDir = makeFolder();
    const both = await Promise.all([start(dataDir), start(dataDir)]);
    expect(both[0].url).toBe(both[1].url);
    expect(both.filter(({ launched }) => launched)).toHaveLength(1);
  });

  test("that cannot start says why, and where its log is", async () => {
    const dataDir = furnishedFolder();
    await (await start(dataDir)).close();
    const broken = startEmbeddedPostgres({
      dataDir,
      password: POSTGRES_PASSWORD,
      settings: { shared_buffers: "many" },
    });
    await expect(broken).rejects.toThrow(/does not start: .*shared_buffers.* Its log is .*postgres\.log/);
  });
});

describe.runIf(isRoot)("an embedded Postgres that root starts", () => {
  test("runs as another user", async () => {
    const dataDir = furnishedFolder();
    await start(dataDir);
    expect(statSync(`/proc/${pidOf(join(dataDir, "postgres"))}`).uid).not.toBe(0);
  });

  test("lives elsewhere when its user could not reach the data folder, the same place at each start", async () => {
    const hidden = makeFolder(0o700);
    const dataDir = mkdtempSync(join(hidden, "data-"));
    const first = await start(dataDir);
    const place = await placeOf(first);
    expect(place).toMatch(new RegExp(`^${ROOT_HOME}/`));
    folders.push(place); // the copied binaries serve other data folders of this machine, so they stay
    await ask(first.url, "create table kept as select 42 as answer");
    await first.close();
    const second = await start(dataDir);
    expect(await ask(second.url, "select answer from kept")).toBe(42);
    expect(await placeOf(second)).toBe(place);
    expect(existsSync(join(dataDir, "postgres"))).toBe(false);
  });
});

describe.runIf(isRoot)("an embedded Postgres that an ordinary user starts", () => {
  test("runs as that user", async ({ skip }) => {
    skip(!isOpenToAll(import.meta.dirname), "the project lies in a folder that only its owner may enter");
    const dataDir = makeFolder(0o777);
    const nobody = 65_534;
    const script = `
      import { startEmbeddedPostgres } from ${JSON.stringify(join(import.meta.dirname, "embedded-postgres.ts"))};
      process.setgid(${nobody});
      process.setuid(${nobody});
      const server = await startEmbeddedPostgres(${JSON.stringify({ dataDir, password: POSTGRES_PASSWORD, settings })});
      console.log(server.url);
      process.stdin.once("data", async () => { await server.close(); process.exit(); });
    `;
    const child = spawn(process.execPath, ["--input-type=module-typescript", "--eval", script], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    const [url] = (await once(createInterface(child.stdout), "line")) as [string];
    expect(await ask(url, "select 42 as answer")).toBe(42);
    expect(statSync(`/proc/${pidOf(join(dataDir, "postgres"))}`).uid).toBe(nobody);
    child.stdin.write("end\n");
    await once(child, "exit");
    await expect(ask(url, "select 1")).rejects.toThrow("ECONNREFUSED");
  });
});

/** May any user go down to this folder? */
function isOpenToAll(path: string): boolean {
  for (let folder = path; ; folder = dirname(folder)) {
    if ((statSync(folder).mode & 0o001) === 0) return false;
    if (folder === dirname(folder)) return true;
  }
}
