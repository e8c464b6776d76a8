import { spawn } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type Api, createApi } from "#test/fixtures/api.ts";
import { COMPILED_ONCE } from "#test/fixtures/compile-cache.ts";
import { type RunningProcess, freePort, startProcess } from "#test/fixtures/process.ts";
import { type SimulatedMachine, startSimulatedMachine } from "#test/fixtures/simulated-machine.ts";

/** Hub and agent as people run them: processes, with their own Postgres, started, ended and killed. */

// each starts several processes, which take their time on a busy machine
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const ADMIN = { username: "admin", password: "correct horse battery" };

const folders: string[] = [];
function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "powerbeacon-process-"));
  chmodSync(path, 0o755);
  folders.push(path);
  return path;
}

afterAll(() => {
  for (const path of folders) rmSync(path, { recursive: true, force: true });
});

async function hubEnv(): Promise<Record<string, string>> {
  return {
    DATA_DIR: join(folder(), "data"),
    HTTP_HOST: "127.0.0.1",
    MQTT_HOST: "127.0.0.1",
    HTTP_PORT: String(await freePort()),
    MQTT_PORT: String(await freePort()),
  };
}

const READY = /is ready: (http\S+)/;
const SETUP_CODE = /set-up code is (\w+)/;

async function failure(env: Record<string, string>): Promise<string> {
  const hub = startProcess("core/main.ts", [], env);
  expect(await hub.exit).toBe(1);
  return hub.lines.map((line) => JSON.parse(line).msg).join("\n");
}

describe("a start that cannot go on ends with one clear sentence", () => {
  test("that names every wrong setting at once", async () => {
    const message = await failure({
      HTTP_PORT: "banana",
      DATABASE_URL: "mysql://x",
      JWT_SECRET: "secret",
      TLS_CERT_FILE: "/nowhere",
    });
    for (const name of ["HTTP_PORT", "DATABASE_URL", "JWT_SECRET", "TLS_KEY_FILE"]) expect(message).toContain(name);
  });

  test("when the database does not answer", async () => {
    const port = await freePort();
    const env = { ...(await hubEnv()), DATABASE_URL: `postgres://nobody:secret@127.0.0.1:${port}/none` };
    const message = await failure(env);
    expect(message).toMatch(/^The database at 127\.0\.0\.1:\d+ does not answer: .*ECONNREFUSED/);
    expect(message).not.toContain("secret");
  });

  test("when the data folder cannot be written", async () => {
    const file = join(folder(), "a-file");
    const { writeFileSync } = await import("node:fs");
    writeFileSync(file, "");
    expect(await failure({ ...(await hubEnv()), DATA_DIR: join(file, "data") })).toMatch(
      /^The data folder \S+ cannot be written \(ENOTDIR\)/,
    );
  });
});

describe("one data folder", () => {
  let env: Record<string, string>;
  let hub: RunningProcess;
  let agent: RunningProcess;
  let machine: SimulatedMachine;
  let api: Api;
  let deviceId: string;
  let agentId: string;
  let url: string;
  const stateDir = join(folder(), "agent");

  async function startHub(): Promise<void> {
    hub = startProcess("core/main.ts", [], env);
    url = (await hub.line(READY))[1] ?? "";
  }

  const startAgent = () => (agent = startProcess("agent/main.ts", ["run", "--state", stateDir], {}));
  const agentStatus = async () => (await api.get(`/agents/${agentId}`)).body.status;
  const power = async () => (await api.get(`/devices/${deviceId}`)).body.power;
  const wakeStage = async (id: string) => (await api.get(`/wakes/${id}`)).body.stage;

  beforeAll(async () => {
    env = await hubEnv();
    machine = await startSimulatedMachine({ mac: "02:00:00:00:0a:01", host: "127.0.3.1", bootMs: 1_000 });
  });

  afterAll(async () => {
    agent?.child.kill("SIGKILL");
    if (hub.child.exitCode === null) await hub.end("SIGTERM");
    await machine.close();
  });

  test.each(["HTTP_PORT", "MQTT_PORT"])(
    "is told when the port of %s is taken, and is left without a Postgres",
    async (name) => {
      const other = createServer().listen(Number(env[name]), "127.0.0.1");
      const message = await failure(env);
      other.close();
      expect(message).toMatch(new RegExp(`port ${env[name]} is taken by another program. Set ${name}`));
      expect(isPostgresRunning()).toBe(false);
    },
  );

  test("takes a newcomer from the printed set-up code to a machine that is awake", async () => {
    await startHub();
    const code = (await hub.line(SETUP_CODE))[1] ?? "";
    const stranger = createApi(url);
    expect((await stranger.get("/setup/status")).body).toEqual({ complete: false });
    expect((await stranger.post("/setup/init", { ...ADMIN, setupCode: code })).status).toBe(201);
    api = await stranger.logIn(ADMIN);
    const enrolment = (await api.post("/enrolments", {})).body;

    const join = startProcess("agent/main.ts", ["join", url, enrolment.code, "--state", stateDir, "--name", "Pi"], {});
    expect(await join.exit).toBe(0);
    startAgent();
    agentId = (await api.get("/agents")).body.items[0].id;
    await expect.poll(agentStatus, { timeout: 20_000 }).toBe("online");
    const { body } = await api.post("/devices", {
      name: "NAS",
      mac: machine.mac,
      address: machine.host,
      wake: { addresses: ["127.255.255.255"], ports: [machine.udpPort] },
      watch: { icmp: false, arp: false, tcpPorts: [machine.tcpPort], intervalSeconds: 1 },
    });
    deviceId = body.id;
    await expect.poll(power, { timeout: 20_000 }).toBe("off");
    expect((await api.post(`/devices/${deviceId}/wake?wait=10`)).body.stage).toBe("awake");
  });

  test("keeps its secrets to its owner", () => {
    for (const name of ["hub-key.json", "jwt-secret", "postgres-password"]) {
      expect(statSync(join(env["DATA_DIR"] ?? "", "secrets", name)).mode & 0o777).toBe(0o600);
    }
    expect(statSync(join(stateDir, "credential.json")).mode & 0o777).toBe(0o600);
  });

  test("refuses a second hub, which leaves the first one's Postgres alone", async () => {
    const second = startProcess("core/main.ts", [], {
      ...env,
      HTTP_PORT: String(await freePort()),
      MQTT_PORT: String(await freePort()),
    });
    expect(await second.exit).toBe(1);
    expect(second.lines.join()).toContain(`Another hub already runs on the data folder ${env["DATA_DIR"]}`);
    expect((await api.get("/devices")).body.total).toBe(1);
  });

  test("survives kill -9 of the hub in the middle of a wake: the session, the device and its history are there, the wake is over", async () => {
    await machine.powerOff();
    await expect.poll(power, { timeout: 30_000 }).toBe("off");
    const wake = (await api.post(`/devices/${deviceId}/wake`)).body.wake;
    await expect.poll(async () => (await api.get("/wakes")).body.items[0].id).toBe(wake); // written down
    await hub.end("SIGKILL");

    await startHub();

    await expect.poll(() => wakeStage(wake)).toBe("failed");
    expect((await api.get(`/wakes/${wake}`)).body.stages.at(-1)).toMatchObject({ code: "HUB_RESTARTED" });
    await expect.poll(agentStatus, { timeout: 30_000 }).toBe("online");
    await expect.poll(power, { timeout: 30_000 }).toBe("on"); // the magic packet had left
    expect((await api.get(`/devices/${deviceId}`)).body).toMatchObject({
      name: "NAS",
      lastWake: { outcome: "failed" },
    });
  });

  test("survives kill -9 of the agent in the middle of a wake: it is offline at once, and wakes again when it is back", async () => {
    await machine.powerOff();
    await expect.poll(power, { timeout: 30_000 }).toBe("off");
    agent.child.kill("SIGKILL");
    await expect.poll(agentStatus).toBe("offline");
    expect(await api.post(`/devices/${deviceId}/wake`)).toMatchObject({ status: 503, body: { code: "ALL_OFFLINE" } });

    startAgent();
    await expect.poll(agentStatus, { timeout: 20_000 }).toBe("online");
    expect((await api.post(`/devices/${deviceId}/wake?wait=10`)).body.stage).toBe("awake");
  });

  test("ends cleanly within 5 s on SIGTERM, with agents and live streams connected", async () => {
    const stream = await fetch(`${url}/api/events`, { headers: { authorization: `Bearer ${api.token}` } });
    const started = performance.now();
    expect(await hub.end("SIGTERM")).toBe(0);
    expect(performance.now() - started).toBeLessThan(5_000);
    await stream.body?.cancel().catch(() => {}); // the hub ended it
    expect(isPostgresRunning()).toBe(false);
  });

  test("ends when npm, which started it, is ended: npm's shell does not pass the signal on", async () => {
    const shell = spawn("sh", ["-c", `"${process.execPath}" core/main.ts; true`], {
      env: { PATH: process.env["PATH"], ...COMPILED_ONCE, ...env, npm_lifecycle_event: "start" },
      stdio: "ignore",
    });
    await expect.poll(isReady, { timeout: 20_000 }).toBe(true);
    await expect.poll(agentStatus, { timeout: 30_000 }).toBe("online");
    shell.kill("SIGTERM");
    await expect.poll(isReady, { timeout: 20_000 }).toBe(false);
    await startHub(); // its database and ports are free again
  });

  const isReady = async () => (await fetch(`${url}/ready`).catch(() => undefined))?.status === 200;

  function isPostgresRunning(): boolean {
    try {
      const [pid] = readFileSync(join(env["DATA_DIR"] ?? "", "postgres/postmaster.pid"), "utf8").split("\n");
      return process.kill(Number(pid), 0);
    } catch {
      return false; // no file, or no process
    }
  }
});
