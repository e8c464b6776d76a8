import { chmodSync, chownSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import pino from "pino";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type Api, createApi } from "#test/fixtures/api.ts";
import { makeDataFolder } from "#test/fixtures/data-folder.ts";
import { createEmptyDatabase, query } from "#test/fixtures/database.ts";
import { startTestHub } from "#test/fixtures/hub.ts";
import { readConfig } from "#core/config.ts";
import { startHub as startHubHere } from "#core/hub.ts";
import { powerbeacon } from "#core/powerbeacon.ts";
import { freePort, startProcess } from "#test/fixtures/process.ts";

/** The command `powerbeacon`, as an operator runs it beside a hub. */

// each starts several processes, which take their time on a busy machine
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const ADMIN = { username: "admin", password: "correct horse battery" };
const NOBODY = { uid: 65_534, gid: 65_534 };
const isRoot = process.getuid?.() === 0;

const folders: string[] = [];
function folder(mode = 0o755): string {
  const path = mkdtempSync(join(tmpdir(), "powerbeacon-command-"));
  chmodSync(path, mode);
  folders.push(path);
  return path;
}

afterAll(() => {
  for (const path of folders) rmSync(path, { recursive: true, force: true });
});

type Env = Record<string, string>;

async function hubEnv(dataDir = join(folder(), "data")): Promise<Env> {
  const ports = { HTTP_PORT: String(await freePort()), MQTT_PORT: String(await freePort()) };
  return { DATA_DIR: dataDir, HTTP_HOST: "127.0.0.1", MQTT_HOST: "127.0.0.1", SETUP_CODE: "for this test", ...ports };
}

interface Started {
  end(): Promise<unknown>;
}

/** In this process, as commands are; as somebody else only a process can. */
async function startHub(env: Env, identity?: object): Promise<Started> {
  if (!identity) {
    const hub = await startHubHere(readConfig(env), { log: pino({ level: "silent" }) });
    return { end: () => hub.close() };
  }
  const hub = startProcess("core/main.ts", [], env, identity);
  await hub.line(/is ready/);
  return { end: () => hub.end("SIGTERM") };
}

type Told = { code: number | null; text: string };

/** In this process, which costs a fraction of one of its own; as somebody else only a process can. */
async function run(args: string, env: Env, identity?: object): Promise<Told> {
  if (identity) return await runProcess(args, env, identity);
  let text = "";
  const keep = (more: string) => void (text += more);
  const isFine = await powerbeacon(args.split(" "), env, { out: keep, err: keep });
  return { code: isFine ? 0 : 1, text: text.trimEnd() };
}

/** As an operator runs it, perhaps as somebody else. */
async function runProcess(args: string, env: Env, identity = {}): Promise<Told> {
  const command = startProcess("core/powerbeacon.ts", args.split(" "), env, identity);
  const code = await command.exit;
  return { code, text: command.lines.join("\n") };
}

/** Runs `recover` and reads what it prints. */
async function recover(env: Env, identity?: object): Promise<typeof ADMIN> {
  const { code, text } = await run("recover", env, identity);
  expect({ code, text }).toMatchObject({ code: 0 });
  const [, username = "", password = ""] = /user name {2}(\S+)\n {2}password {3}(\S+)/.exec(text) ?? [];
  return { username, password };
}

const apiOf = (env: Env) => createApi(`http://127.0.0.1:${env["HTTP_PORT"]}`);

async function setUp(env: Env): Promise<Api> {
  await apiOf(env).post("/setup/init", { ...ADMIN, setupCode: env["SETUP_CODE"] });
  return await apiOf(env).logIn(ADMIN);
}

/** The embedded Postgres as its owner sees it. */
function postgresOf({ DATA_DIR = "" }: Env): { url: string; isRunning: boolean } {
  const file = join(DATA_DIR, "postgres/postmaster.pid");
  const port = existsSync(file) ? readFileSync(file, "utf8").split("\n")[3] : undefined;
  const password = readFileSync(join(DATA_DIR, "secrets/postgres-password"), "utf8");
  return { url: `postgres://powerbeacon:${password}@127.0.0.1:${port}/powerbeacon`, isRunning: port !== undefined };
}

/** Nobody comes into the table of users before a hub holds its lock: so a command takes as long as the hub's start. */
const WAIT_FOR_HUB = `
  create function wait_for_hub() returns trigger language plpgsql as $$ begin
    while not exists (select from pg_locks where locktype = 'advisory') loop perform pg_sleep(0.05); end loop;
    return new;
  end $$;
  create trigger wait_for_hub before insert on "user" for each row execute function wait_for_hub()`;

/** One for several parts, as it takes longer than they do. */
let env: Env;
let hub: Started;

beforeAll(async () => {
  env = await hubEnv();
  makeDataFolder(env["DATA_DIR"] ?? "");
  hub = await startHub(env);
});

afterAll(() => hub.end());

describe("beside a hub that runs", () => {
  let api: Api;

  beforeAll(async () => {
    api = await setUp(env);
  });

  test("recover makes a superuser who may log in at once, and has to choose another password first", async () => {
    const account = await recover(env);
    expect(account).toEqual({ username: "recovery-1", password: expect.stringMatching(/^[a-z2-7]{26}$/) });
    const recovered = await apiOf(env).logIn(account);
    expect(await recovered.get("/users")).toMatchObject({ status: 403, body: { code: "PASSWORD_CHANGE_REQUIRED" } });
    const change = { password: "another horse battery", currentPassword: account.password };
    expect((await recovered.patch("/auth/me", change)).status).toBe(200);
    expect((await recovered.get("/auth/me")).body).toMatchObject({ role: "superuser", mustChangePassword: false });
    expect((await recovered.get("/users")).status).toBe(200);
    expect((await api.get("/audit?scope=hub&action=hub.recover")).body.items).toMatchObject([
      {
        actor: { type: "system", name: "powerbeacon recover" },
        target: { type: "user", name: "recovery-1" },
        result: "ok",
        details: null,
      },
    ]);
  });

  test("recover takes the next free name, or the one that it is given", async () => {
    expect((await recover(env)).username).toBe("recovery-2");
    expect((await runProcess("recover --username Grace", env)).text).toContain("user name  Grace\n");
    expect(await run("recover --username grace", env)).toEqual({
      code: 1,
      text: "The user name grace is taken; choose another",
    });
    expect(await run("recover --username x", env)).toEqual({
      code: 1,
      text: "The user name is shorter than 3 characters",
    });
  });

  test("doctor tells why a device would not wake, and hints at the one that was meant", async () => {
    await api.post("/devices", { name: "NAS", mac: "00:11:32:00:00:01" });
    const { code, text } = await run("doctor nas", env);
    expect(code).toBe(1);
    expect(text).toMatch(/^NAS cannot be woken like this\. It is in no cluster/);
    expect(text).toMatch(
      /^1\. Problem: It is in no cluster, and no agent is outside of clusters\n {3}Move the device/m,
    );
    const unknown = { code: 1, text: 'There is no device "nsa". Did you mean nas?' };
    expect(await run("doctor nsa", env)).toEqual(unknown);
  });

  test("rotate-secrets encrypts what is kept for devices with a new key, beside a hub that goes on reading it", async () => {
    const { body: device } = await api.post("/devices", { name: "Box", mac: "00:11:32:00:00:02" });
    const ssh = { type: "ssh", host: null, username: "root", hostKey: null, commands: { shutdown: "poweroff" } };
    const { body: before } = await api.put(`/devices/${device.id}/power-method`, { method: ssh });
    const sealed = async () => {
      const [row] = await query(postgresOf(env).url, "select sealed from power_method");
      return String(row?.["sealed"]);
    };
    const first = await sealed();
    const { code, text } = await run("rotate-secrets", env);
    expect({ code, text }).toEqual({
      code: 0,
      text: "A new key is in use; the secrets of 1 device were encrypted with it.",
    });
    expect(await sealed()).not.toBe(first);
    expect((await api.get(`/devices/${device.id}/power-method`)).body.publicKey).toBe(before.publicKey);
    await api.delete(`/devices/${device.id}`);
  });

  test("audit verify tells of each chain, and fails when somebody changed one", async () => {
    await api.post("/clusters", { name: "Lab" });
    const whole = await run("audit verify", env);
    expect(whole.code).toBe(0);
    expect(whole.text).toMatch(/^site default: [\d,]+ rows?, whole, ends with [0-9a-f]{64}$/m);
    expect(whole.text).toMatch(/^hub: [\d,]+ rows?, whole, ends with [0-9a-f]{64}$/m);

    const { url } = postgresOf(env);
    const first = "seq = 1 and site_id is null";
    const name = async (literal: string) =>
      await query(
        url,
        `set session_replication_role = replica; update audit set actor_name = ${literal} where ${first}`,
      );
    const [row] = await query(url, `select quote_nullable(actor_name) as name from audit where ${first}`);
    await name("'mallory'");
    const broken = await run("audit verify", env);
    expect(broken.code).toBe(1);
    expect(broken.text).toMatch(/^hub: NOT whole: row 1 was changed$/m);
    expect(broken.text).toMatch(/^site default: [\d,]+ rows?, whole/m);
    await name(String(row?.["name"]));
  });

  test.runIf(isRoot)("tells another user than the hub's who has to run it", async ({ skip }) => {
    skip(!isOpenToAll(import.meta.dirname), "the project lies in a folder that only its owner may enter");
    for (const args of ["recover", "audit verify", "rotate-keys"])
      expect(await run(args, env, NOBODY)).toEqual({
        code: 1,
        text: `There is no hub in the data folder ${env["DATA_DIR"]}, or it is another user's: run this with the hub's DATA_DIR, as its user.`,
      });
  });

  test("leaves the hub's Postgres to the hub", async () => {
    expect((await api.get("/devices")).status).toBe(200);
    expect(postgresOf(env).isRunning).toBe(true);
  });
});

describe("beside a hub that does not run", () => {
  const isLetIn = async (token: string | null) =>
    (await createApi(`http://127.0.0.1:${env["HTTP_PORT"]}`, token).get("/auth/me")).status === 200;

  test("leaves its Postgres to a hub that starts meanwhile", async () => {
    await query(postgresOf(env).url, WAIT_FOR_HUB);
    await hub.end();
    const command = startProcess("core/powerbeacon.ts", ["recover"], env);
    await expect.poll(() => postgresOf(env).isRunning, { timeout: 60_000 }).toBe(true);
    hub = await startHub(env);
    expect(await command.exit).toBe(0);
    expect((await fetch(`http://127.0.0.1:${env["HTTP_PORT"]}/ready`)).status).toBe(200);
    await query(postgresOf(env).url, "drop function wait_for_hub cascade");
  });

  test("recover and audit verify start its Postgres, and end it again; the doctor says that it asks a hub", async () => {
    await hub.end();
    expect(await run("doctor nas", env)).toMatchObject({ code: 1, text: expect.stringMatching(/^No hub runs on /) });
    const account = await recover(env);
    expect(postgresOf(env).isRunning).toBe(false);
    expect(await run("audit verify", env)).toMatchObject({
      code: 0,
      text: expect.stringMatching(/^hub: \d+ rows, whole/m),
    });
    expect(postgresOf(env).isRunning).toBe(false);
    hub = await startHub(env);
    expect((await apiOf(env).logIn(account)).token).toBeTruthy();
  });

  test("rotate-keys puts a new key before the one in use, so that sessions go on", async () => {
    const { token } = await apiOf(env).logIn(ADMIN);
    await hub.end();
    expect(await run("rotate-keys", env)).toMatchObject({ code: 0 });
    hub = await startHub(env);
    expect(await isLetIn(token)).toBe(true);
    await hub.end();
    await run("rotate-keys", env);
    hub = await startHub(env);
    expect(await isLetIn(token)).toBe(false);
    expect(statSync(join(env["DATA_DIR"] ?? "", "secrets/jwt-secret")).mode & 0o777).toBe(0o600);
  });
});

describe("with a database of one's own", () => {
  test("recover makes the superuser there", async () => {
    const DATABASE_URL = await createEmptyDatabase();
    expect(await run("recover", { DATA_DIR: folder(), DATABASE_URL })).toEqual({
      code: 1,
      text: "The database is not the one of this version: start the hub once, then try again.",
    });
    const own = await startTestHub({ DATABASE_URL });
    const beside = { DATA_DIR: own.dataDir, DATABASE_URL };
    expect((await createApi(own.url).logIn(await recover(beside))).token).toBeTruthy();
    expect((await run("audit verify", beside)).code).toBe(0);
    await own.close();
  });
});

describe.runIf(isRoot)("beside a hub of an ordinary user", () => {
  test("root recovers it, and takes nothing from the hub's user", async ({ skip }) => {
    skip(!isOpenToAll(import.meta.dirname), "the project lies in a folder that only its owner may enter");
    const home = folder();
    chownSync(home, NOBODY.uid, NOBODY.gid);
    const env = await hubEnv(join(home, "data"));
    let hub = await startHub(env, NOBODY);
    await setUp(env);
    expect((await apiOf(env).logIn(await recover(env))).token).toBeTruthy();
    expect((await apiOf(env).logIn(await recover(env, NOBODY))).token).toBeTruthy();
    await hub.end();
    chmodSync(home, 0o700);
    expect((await recover(env)).username).toBe("recovery-3");
    expect((await recover(env, NOBODY)).username).toBe("recovery-4");
    await run("rotate-keys", env);
    hub = await startHub(env, NOBODY);
    await hub.end();
  });
});

describe("what cannot be done is told in one sentence", () => {
  test("where no hub has ever been, and nothing is made there", async () => {
    const env = { DATA_DIR: folder() };
    for (const args of ["recover", "audit verify", "rotate-keys"])
      expect(await run(args, env)).toMatchObject({
        code: 1,
        text: expect.stringMatching(/^There is no hub in the data folder .+\.$/),
      });
    expect(readdirSync(env.DATA_DIR)).toEqual([]);
    expect((await run("recover", { DATA_DIR: join(env.DATA_DIR, "none") })).text).toMatch(/^There is no hub/);
  });

  test("when the database does not answer", async () => {
    const env = { DATA_DIR: folder(), DATABASE_URL: `postgres://x:secret@127.0.0.1:${await freePort()}/x` };
    const { code, text } = await run("audit verify", env);
    expect({ code, text }).toEqual({
      code: 1,
      text: expect.stringMatching(/^The database at \S+ does not answer: .+$/),
    });
    expect(text).not.toContain("secret");
  });

  test.each([
    ["", "No command was given."],
    ["explode", 'There is no command "explode".'],
    ["audit", 'There is no command "audit".'],
    ["constructor", 'There is no command "constructor".'],
    ["audit verify --username ann", "--username belongs to recover."],
    ["recover --force", "Unknown option '--force'."],
  ])('for the arguments "%s"', async (args, sentence) => {
    const { code, text } = await run(args, { DATA_DIR: folder() });
    expect(code).toBe(1);
    expect(text.startsWith(sentence)).toBe(true);
    expect(text).toMatch(/Try: npm run powerbeacon -- --help$/);
  });

  test("with settings that are not right", async () => {
    expect(await run("recover", { DATABASE_URL: "mysql://x" })).toMatchObject({
      code: 1,
      text: expect.stringContaining("DATABASE_URL: is not a postgres:// address"),
    });
  });

  test("rotate-keys where the key stands in the settings", async () => {
    const env = { DATA_DIR: folder(), JWT_SECRET: "Jb3f9Vq0ZkP7tY2mWc8RsXa5LdHg1NuE" };
    expect((await run("rotate-keys", env)).text).toMatch(/^JWT_SECRET holds the key/);
  });

  test("--help says what there is", async () => {
    const { code, text } = await runProcess("--help", {});
    expect(code).toBe(0);
    for (const command of ["recover", "audit verify", "rotate-keys"])
      expect(text).toContain(`powerbeacon -- ${command}`);
  });
});

/** May others go down to this folder? */
function isOpenToAll(path: string): boolean {
  return (statSync(path).mode & 0o001) !== 0 && (path === dirname(path) || isOpenToAll(dirname(path)));
}
