import { once } from "node:events";
import { type AddressInfo } from "node:net";
import { createServer, type IncomingMessage } from "node:http";
import ssh2 from "ssh2";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { query } from "#test/fixtures/database.ts";
import { type TestHub, startTestHub } from "#test/fixtures/hub.ts";
import { connectMqtt, type TestMqttClient } from "#test/fixtures/mqtt.ts";
import { type PlainBroker, startPlainBroker } from "#test/fixtures/plain-broker.ts";
import { freshMac, freshName } from "#test/fixtures/scripted-agent.ts";
import { addPerson, firstSite } from "#test/fixtures/people.ts";
import { fingerprintOf } from "./ssh.ts";

/** Machines without an agent: real SSH, real HTTP, a plug on a real broker. */

let broker: PlainBroker;
let hub: TestHub;

beforeAll(async () => {
  broker = await startPlainBroker();
  // loopback is forbidden to the hub unless its operator says otherwise
  hub = await startTestHub({ MQTT_URL: broker.url, OUTBOUND_ALLOWED: "127.0.0.1" });
});
afterAll(async () => {
  await hub.close();
  await broker.stop();
});

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

async function addDevice(fields: object = {}): Promise<string> {
  const { body } = await hub.api.post("/devices", { name: freshName("Box"), mac: freshMac(), ...fields });
  return body.id;
}

const methodOf = (id: string) => `/devices/${id}/power-method`;
/** In spite of nobody who could wake it. */
const powerOff = (id: string, action = "shutdown") => hub.api.post(`/devices/${id}/power`, { action, force: true });
const lastOf = async (id: string) => (await hub.api.get(`/devices/${id}/power-offs`)).body.items[0]?.stages.at(-1);

const until = (id: string, stage: object) =>
  vi.waitFor(async () => expect(await lastOf(id)).toMatchObject(stage), { timeout: 10_000 });

/** An SSH server that knows one key and writes down what it is told to run. */
async function startSshServer({ exitCode = 0 }: { exitCode?: number } = {}) {
  const { private: hostKey } = ssh2.utils.generateKeyPairSync("ed25519");
  const parsed = ssh2.utils.parseKey(hostKey);
  if (parsed instanceof Error) throw parsed;
  const commands: string[] = [];
  const allowed = { line: "" };
  const server = new ssh2.Server({ hostKeys: [hostKey] }, (client) => {
    client.on("error", () => {}); // it went away
    client.on("authentication", (context) => {
      const shown = context.method === "publickey" ? context.key.data.toString("base64") : "";
      if (shown !== "" && allowed.line.includes(shown)) context.accept();
      else context.reject(["publickey"]);
    });
    client.on("session", (accept) => {
      accept().on("exec", (acceptExec, _reject, { command }) => {
        commands.push(command);
        const channel = acceptExec();
        channel.stderr.write("not today\n");
        channel.exit(exitCode);
        channel.end();
      });
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  closers.push(() => server.close());
  const { port } = server.address() as AddressInfo;
  return { port, commands, allowed, fingerprint: fingerprintOf(parsed.getPublicSSH()) };
}

describe("a machine that is powered off by SSH", () => {
  const ssh = (port: number, hostKey: string | null = null) => ({
    method: { type: "ssh", host: "127.0.0.1", port, username: "root", hostKey, commands: { shutdown: "poweroff" } },
  });

  test("gets a key of the hub's own, runs the command, and the host key it showed is pinned", async () => {
    const server = await startSshServer();
    const id = await addDevice();
    const { body } = await hub.api.put(methodOf(id), ssh(server.port));
    expect(body).toMatchObject({ secretsSet: ["privateKey"], publicKey: expect.stringMatching(/^ssh-ed25519 /) });
    server.allowed.line = body.publicKey;

    expect((await powerOff(id)).status).toBe(202);

    await until(id, { stage: "acknowledged" });
    expect(server.commands).toEqual(["poweroff"]);
    await vi.waitFor(async () => {
      expect((await hub.api.get(methodOf(id))).body.method.hostKey).toBe(server.fingerprint);
    });
  });

  test("is not told anything when it shows another host key than before", async () => {
    const server = await startSshServer();
    const id = await addDevice();
    const { body } = await hub.api.put(methodOf(id), ssh(server.port, `SHA256:${"a".repeat(43)}`));
    server.allowed.line = body.publicKey;
    await powerOff(id);
    await until(id, { stage: "failed", reason: expect.stringContaining("another host key") });
    expect(server.commands).toEqual([]);
  });

  test.each([
    ["does not know the key", { exitCode: 0 }, false, "does not let root in"],
    ["says no", { exitCode: 1 }, true, "ended with 1: not today"],
  ])("that %s fails with its words", async (_what, options, isAllowed, words) => {
    const server = await startSshServer(options);
    const id = await addDevice();
    const { body } = await hub.api.put(methodOf(id), ssh(server.port));
    if (isAllowed) server.allowed.line = body.publicKey;
    await powerOff(id);
    await until(id, { stage: "failed", reason: expect.stringContaining(words) });
  });

  test("keeps its key where it is not named, refuses what is none, and never shows it", async () => {
    const id = await addDevice();
    const first = await hub.api.put(methodOf(id), ssh(22));
    const again = await hub.api.put(methodOf(id), ssh(2222));
    expect(again.body.publicKey).toBe(first.body.publicKey);
    const bad = await hub.api.put(methodOf(id), { ...ssh(22), secrets: { privateKey: "top secret" } });
    expect(bad).toMatchObject({ status: 422, body: { errors: [{ path: "secrets.privateKey" }] } });
    const noHostKey = await hub.api.put(methodOf(id), ssh(22, "of-another-machine"));
    expect(noHostKey).toMatchObject({ status: 422, body: { errors: [{ path: "method.hostKey" }] } });
    const [row] = await query(hub.databaseUrl, "select sealed, method from power_method where device_id = $1", [id]);
    expect(String(row?.["sealed"])).toMatch(/^eyJ/);
    expect(JSON.stringify([row?.["method"], again.body])).not.toContain("PRIVATE KEY");
  });
});

describe("a machine that is powered off by an HTTP call", () => {
  async function startServer(status = 204) {
    const calls: { url: string; authorization: string | undefined; body: string }[] = [];
    const server = createServer((request: IncomingMessage, reply) => {
      let body = "";
      request.on("data", (chunk: Buffer) => (body += chunk.toString()));
      request.on("end", () => {
        calls.push({ url: request.url ?? "", authorization: request.headers.authorization, body });
        reply.writeHead(status).end();
      });
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    closers.push(() => server.close());
    return { calls, port: (server.address() as AddressInfo).port };
  }
  const http = (port: number, host = "127.0.0.1") => ({
    method: { type: "http", requests: { shutdown: { url: `http://${host}:${port}/off`, body: '{"on":false}' } } },
    secrets: { headers: { authorization: "Bearer abc" } },
  });

  test("gets the call with its secret header", async () => {
    const { port, calls } = await startServer();
    const id = await addDevice();
    const { body } = await hub.api.put(methodOf(id), http(port));
    expect(body).toMatchObject({ secretsSet: ["headers"] });
    await powerOff(id);
    await until(id, { stage: "acknowledged" });
    expect(calls).toEqual([{ url: "/off", authorization: "Bearer abc", body: '{"on":false}' }]);
  });

  test.each([
    ["answers with an error", 500, "127.0.0.1", "answered 500"],
    ["is the hub's own machine by another name", 204, "localhost", "loopback"],
    ["is where clouds keep their secrets", 204, "169.254.169.254", "metadata"],
  ])("that %s fails", async (_what, status, host, words) => {
    const { port, calls } = await startServer(status);
    const id = await addDevice();
    await hub.api.put(methodOf(id), http(port, host));
    await powerOff(id);
    await until(id, { stage: "failed", reason: expect.stringContaining(words) });
    expect(calls).toHaveLength(status === 500 ? 1 : 0);
  });
});

test.each([
  ["secrets.headers.a", { headers: { a: "b\r\nx: y" } }, {}],
  ["secrets.headers.a b", { headers: { "a b": "c" } }, {}],
  ["secrets.headers.Transfer-Encoding", { headers: { "Transfer-Encoding": "chunked" } }, {}],
  ["secrets.headers", { headers: Object.fromEntries(Array.from({ length: 51 }, (_, i) => [`x-${i}`, "y"])) }, {}],
  ["method.requests.shutdown.contentType", {}, { contentType: "text/plain\r\nx: y" }],
])("a call that no server could be made is refused, with its field: %s", async (path, secrets, request) => {
  const method = { type: "http", requests: { shutdown: { url: "http://192.0.2.1/off", ...request } } };
  const answer = await hub.api.put(methodOf(await addDevice()), { method, secrets });
  expect(answer).toMatchObject({ status: 422, body: { errors: [{ path }] } });
});

describe("a machine behind a smart plug", () => {
  let plug: TestMqttClient;
  const method = {
    type: "mqtt",
    topic: "cmnd/plug/POWER",
    payloads: { shutdown: "OFF" },
    stateTopic: "stat/plug/POWER",
    statePath: null,
    wattsTopic: "tele/plug/SENSOR",
    wattsPath: "ENERGY.Power",
    standbyWatts: 5,
  };
  const draws = (watts: number) =>
    plug.client.publishAsync("tele/plug/SENSOR", JSON.stringify({ ENERGY: { Power: watts } }));
  const nowOf = async (id: string) => (await hub.api.get(`/devices/${id}`)).body;

  beforeAll(async () => {
    plug = await connectMqtt(broker.url, {}, ["cmnd/#"]);
  });
  afterAll(() => plug.close());

  test("is on and off as the plug says, uses what it says, and is switched off through it", async () => {
    const id = await addDevice();
    await hub.api.put(methodOf(id), { method });
    await vi.waitFor(async () => {
      await draws(80);
      expect(await nowOf(id)).toMatchObject({ power: "on", watts: 80, evidence: { how: "plug", by: "hub" } });
    });
    expect((await nowOf(id)).energyKwh).toBeGreaterThanOrEqual(0);

    await powerOff(id);
    await vi.waitFor(() => expect(plug.on(/POWER$/).map(({ text }) => text)).toEqual(["OFF"]));
    await plug.client.publishAsync("stat/plug/POWER", "OFF");

    await until(id, { stage: "off" });
    expect(await nowOf(id)).toMatchObject({ power: "off" });
  });

  test("has nothing to say any more when its way is taken away", async () => {
    const id = await addDevice();
    await hub.api.put(methodOf(id), { method: { ...method, wattsTopic: "tele/other", wattsPath: null } });
    await vi.waitFor(async () => {
      await plug.client.publishAsync("tele/other", "80");
      expect(await nowOf(id)).toMatchObject({ power: "on" });
    });
    expect((await hub.api.delete(methodOf(id))).status).toBe(204);
    await vi.waitFor(async () => expect(await nowOf(id)).toMatchObject({ power: "unreachable", watts: null }));
    expect((await hub.api.get(methodOf(id))).body).toEqual({ method: null, secretsSet: [], publicKey: null });
  });

  test("needs no more said than what switches it", async () => {
    const said = { type: "mqtt", topic: "cmnd/plug/POWER", payloads: { shutdown: "OFF" } };
    const answer = await hub.api.put(methodOf(await addDevice()), { method: said });
    expect(answer).toMatchObject({ status: 200, body: { method: { ...said, stateTopic: null, standbyWatts: null } } });
  });

  test.each([
    ["topic", "powerbeacon/device/nas/set"],
    ["stateTopic", "homeassistant/status"],
  ])("may not have the hub's own topics as its %s", async (field, topic) => {
    const answer = await hub.api.put(methodOf(await addDevice()), { method: { ...method, [field]: topic } });
    expect(answer).toMatchObject({ status: 422, body: { errors: [{ path: `method.${field}` }] } });
  });

  test("has two words for on and off", async () => {
    const answer = await hub.api.put(methodOf(await addDevice()), { method: { ...method, stateOff: "on" } });
    expect(answer).toMatchObject({ status: 422, body: { errors: [{ path: "method.stateOff" }] } });
  });

  test("cannot be set by somebody who does not manage the site, nor by HTTP; by SSH it can", async () => {
    const { api: anna } = await addPerson(hub, await firstSite(hub), "user");
    const { body } = await anna.post("/devices", { name: freshName("Mine"), mac: freshMac() });
    expect(await anna.put(methodOf(body.id), { method })).toMatchObject({
      status: 403,
      body: { errors: [{ path: "method.type" }] },
    });
    const ssh = { type: "ssh", host: null, username: "root", hostKey: null, commands: { shutdown: "poweroff" } };
    expect((await anna.put(methodOf(body.id), { method: ssh })).status).toBe(200);
    expect((await anna.get(methodOf(await addDevice()))).status).toBe(403);
  });
});
