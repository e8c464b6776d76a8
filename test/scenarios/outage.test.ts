import { mkdtempSync, chmodSync, readFileSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Api, createApi } from "#test/fixtures/api.ts";
import { makeDataFolder } from "#test/fixtures/data-folder.ts";
import { ADMIN } from "#test/fixtures/hub.ts";
import { type RunningProcess, freePort, startProcess } from "#test/fixtures/process.ts";

/** What the hub does while something around it fails. */

let folder: string;
let hub: RunningProcess;
let url: string;
let api: Api;
let httpPort: number;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "powerbeacon-outage-"));
  chmodSync(folder, 0o755);
  makeDataFolder(join(folder, "data"));
  httpPort = await freePort();
  hub = startProcess("core/main.ts", [], {
    DATA_DIR: join(folder, "data"),
    HTTP_HOST: "127.0.0.1",
    MQTT_HOST: "127.0.0.1",
    HTTP_PORT: String(httpPort),
    MQTT_PORT: String(await freePort()),
    SETUP_CODE: "set-up-for-tests",
  });
  url = (await hub.line(/is ready: (http\S+)/))[1] ?? "";
  await createApi(url).post("/setup/init", { ...ADMIN, setupCode: "set-up-for-tests" });
  api = await createApi(url).logIn(ADMIN);
});

afterAll(async () => {
  await hub.end("SIGTERM");
  rmSync(folder, { recursive: true, force: true });
});

const ready = async () => (await fetch(`${url}/ready`)).status;
const postgresPid = () => Number(readFileSync(join(folder, "data/postgres/postmaster.pid"), "utf8").split("\n")[0]);

describe("an embedded Postgres that is killed", () => {
  test("is started again by the hub, and nothing that was acknowledged is lost", async () => {
    await api.post("/clusters", { name: "Kept" });
    const before = postgresPid();
    process.kill(before, "SIGKILL");
    await expect.poll(ready, { timeout: 15_000 }).toBe(503);
    expect((await fetch(`${url}/health`)).status).toBe(200);
    await expect.poll(ready, { timeout: 30_000 }).toBe(200);
    expect(postgresPid()).not.toBe(before);
    expect((await api.post("/clusters", { name: "After" })).status).toBe(201);
    expect((await api.get("/clusters")).body.items.map(({ name }: { name: string }) => name)).toEqual([
      "After",
      "Kept",
    ]);
  });
});

describe("a database that does not answer at all", () => {
  test("neither stops waking nor log-out; a log-out in that time lasts", async () => {
    const second = await createApi(url).logIn(ADMIN);
    const pid = postgresPid();
    process.kill(pid, "SIGKILL");
    await expect.poll(ready, { timeout: 15_000 }).toBe(503);
    expect((await second.post("/auth/logout")).status).toBe(200);
    expect((await second.get("/auth/me")).status).toBe(401);
    const device = "00000000-0000-4000-8000-000000000000";
    expect((await api.post(`/devices/${device}/wake`)).status).toBe(404); // answered from memory
    await expect.poll(ready, { timeout: 30_000 }).toBe(200);
    expect((await second.get("/auth/me")).status).toBe(401);
  });
});

describe("a client that breaks off", () => {
  test("in the middle of an upgrade does not end the hub", async () => {
    for (let i = 0; i < 30; i++) {
      const socket = connect(httpPort, "127.0.0.1");
      socket.on("error", () => {}); // reset on purpose
      await new Promise<void>((resolve) => socket.once("connect", () => resolve()));
      const key = "dGhlIHNhbXBsZSBub25jZQ==";
      socket.write(
        `GET /mqtt HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n`,
      );
      socket.resetAndDestroy();
    }
    await expect.poll(ready).toBe(200);
    expect(hub.child.exitCode).toBeNull();
  });
});
