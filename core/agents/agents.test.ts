import { decodeJwt } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { query } from "#test/fixtures/database.ts";
import { type TestHub, startTestHub } from "#test/fixtures/hub.ts";
import { connectMqtt } from "#test/fixtures/mqtt.ts";
import {
  INVENTORY,
  type ScriptedAgent,
  enrolBody,
  freshMac,
  freshName,
  startScriptedAgent,
} from "#test/fixtures/scripted-agent.ts";

let hub: TestHub;
let home: { id: string; key: string };
let lab: { id: string; key: string };
const agents: ScriptedAgent[] = [];
let addresses = 0;

beforeAll(async () => {
  hub = await startTestHub({ TRUST_PROXY: "127.0.0.1" });
  home = (await hub.api.post("/clusters", { name: "Home" })).body;
  lab = (await hub.api.post("/clusters", { name: "Lab" })).body;
});

afterAll(async () => {
  for (const agent of agents) await agent.close();
  await hub.close();
});

const codeFor = async (fields: object = {}) => (await hub.api.post("/enrolments", fields)).body;
/** Each join comes from an address of its own, since guessing join codes is slowed down. */
const enrol = (body: object) => hub.api.post("/agents/enrol", body, { "x-forwarded-for": `10.1.0.${++addresses}` });
const get = async (id: string) => (await hub.api.get(`/agents/${id}`)).body;

async function start(options: Parameters<typeof startScriptedAgent>[1] = {}): Promise<ScriptedAgent> {
  const agent = await startScriptedAgent(hub, options);
  agents.push(agent);
  return agent;
}

const heartbeat = (fields: object = {}) => ({
  at: new Date().toISOString(),
  sequence: 1,
  startedAt: new Date().toISOString(),
  version: "1.0.0",
  load1: 0.5,
  memoryUsedPercent: 41,
  diskUsedPercent: 63,
  temperatureC: null,
  clockOffsetMs: 0,
  ...fields,
});

describe("a join code", () => {
  test("is shown once, with the line to paste, and listed while it is open", async () => {
    const { body } = await hub.api.post("/enrolments", { clusterId: home.id, uses: 2, expiresInMinutes: 5 });
    expect(body).toMatchObject({
      clusterId: home.id,
      usesLeft: 2,
      createdBy: "admin",
      code: expect.stringMatching(/^pbj_[a-z2-7]{26}_[\w-]{43}$/),
    });
    expect(body.command).toContain(`${hub.url} ${body.code}`);
    const { items } = (await hub.api.get("/enrolments")).body;
    const listed = items.find(({ id }: { id: string }) => id === body.id);
    expect(Object.keys(listed).toSorted()).toEqual([
      "clusterId",
      "createdAt",
      "createdBy",
      "expiresAt",
      "id",
      "usesLeft",
    ]);
    const rows = await query(hub.databaseUrl, "select secret_hash from enrolment where id = $1", [body.id]);
    expect(rows[0]?.["secret_hash"]).toMatch(/^[0-9a-f]{64}$/);
  });

  test.each([
    ["uses", { uses: 0 }],
    ["uses", { uses: 1_001 }],
    ["expiresInMinutes", { expiresInMinutes: 0 }],
    ["clusterId", { clusterId: "home" }],
    ["name", { name: "x" }],
  ])("with a wrong %s is refused naming it", async (path, fields) => {
    expect(await hub.api.post("/enrolments", fields)).toMatchObject({ status: 422, body: { errors: [{ path }] } });
  });

  test("for a cluster that is not there is refused", async () => {
    const clusterId = "6b1b36cb-3d6c-4b3c-a7a6-0a5b6d6f7c11";
    expect(await hub.api.post("/enrolments", { clusterId })).toMatchObject({
      status: 404,
      body: { errors: [{ path: "clusterId" }] },
    });
  });

  test("lets one agent in, and then nobody", async () => {
    const { code } = await codeFor();
    expect((await enrol(enrolBody(code))).status).toBe(201);
    expect(await enrol(enrolBody(code))).toMatchObject({ status: 403, body: { code: "BAD_JOIN_CODE" } });
  });

  test("of which one use is left lets one of five in that come at the same moment", async () => {
    const { code } = await codeFor({ uses: 2 });
    const answers = await Promise.all(Array.from({ length: 5 }, () => enrol(enrolBody(code))));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(2);
    expect(answers.filter(({ status }) => status === 403)).toHaveLength(3);
  });

  test("that has expired, was deleted or was never made lets nobody in, and tells no difference", async () => {
    const [expired, deleted] = [await codeFor(), await codeFor()];
    await query(hub.databaseUrl, "update enrolment set expires_at = now() where id = $1", [expired.id]);
    expect((await hub.api.delete(`/enrolments/${deleted.id}`)).status).toBe(204);
    expect(await hub.api.delete(`/enrolments/${deleted.id}`)).toMatchObject({
      status: 404,
      body: { code: "NOT_FOUND" },
    });
    const bodies = [
      enrolBody(expired.code),
      enrolBody(deleted.code),
      { ...enrolBody(deleted.code), secret: "a".repeat(26) },
    ];
    for (const body of bodies)
      expect(await enrol(body)).toMatchObject({
        status: 403,
        body: { code: "BAD_JOIN_CODE", detail: "This join code is unknown, used up or expired" },
      });
  });

  test("is not used up by a request that is malformed", async () => {
    const { code } = await codeFor();
    const body = enrolBody(code);
    for (const [path, wrong] of [
      ["secret", { ...body, secret: "x" }],
      ["nonce", { ...body, nonce: "short" }],
      ["name", { ...body, name: "\0" }],
      ["inventory.hostname", { ...body, inventory: { ...INVENTORY, hostname: "pi\0" } }],
      ["inventory.os", { ...body, inventory: { ...INVENTORY, os: "beos" } }],
      ["extra", { ...body, extra: 1 }],
    ] as const)
      expect(await enrol(wrong)).toMatchObject({ status: 422, body: { errors: [{ path }] } });
    expect((await enrol(body)).status).toBe(201);
  });

  test("makes a new agent with a new token each time, in the cluster of the code", async () => {
    const { code } = await codeFor({ uses: 2, clusterId: home.id });
    const [first, second] = [(await enrol(enrolBody(code))).body, (await enrol(enrolBody(code))).body];
    const grants = [decodeJwt(first.grant), decodeJwt(second.grant)];
    expect(new Set(grants.map((grant) => grant["agentId"])).size).toBe(2);
    expect(new Set(grants.map((grant) => grant["agent"])).size).toBe(2);
    expect(new Set(grants.map((grant) => grant["password"])).size).toBe(2);
    expect(await get(String(grants[0]?.["agentId"]))).toMatchObject({
      clusterId: home.id,
      name: "pi",
      status: "offline",
      showInHomeAssistant: true,
      lastSeenAt: null,
      hostname: "pi",
      os: "linux",
      interfaces: INVENTORY.interfaces,
    });
    const rows = await query(hub.databaseUrl, "select * from agent");
    expect(JSON.stringify(rows)).not.toContain(String(grants[0]?.["password"]));
  });
});

describe("an agent", () => {
  test("is online while it says so, and offline when its connection breaks", async () => {
    const agent = await start({ name: "Presence" });
    expect(await get(agent.id)).toMatchObject({ status: "online", statusSince: expect.any(String) });
    agent.mqtt.client.stream.destroy();
    await expect.poll(async () => (await get(agent.id)).status).toBe("offline");
  });

  test("shows its heartbeat, which is written to the database and outlives a restart", async () => {
    const agent = await start({ name: "Heart" });
    for (const load1 of [0.1, 0.2, 0.3]) await agent.publish("heartbeat", heartbeat({ load1 }), true);
    await expect.poll(async () => (await get(agent.id)).heartbeat?.load1).toBe(0.3);
    const row = async () =>
      (await query(hub.databaseUrl, "select heartbeat from agent_heartbeat where agent_id = $1", [agent.id]))[0];
    await expect.poll(row, { timeout: 3_000 }).toMatchObject({ heartbeat: { load1: 0.3 } });
    expect((await get(agent.id)).status).toBe("online");
  });

  test("that says what no database can keep does not stop the heartbeats of others", async () => {
    const [bad, good] = [await start({ name: "Bad" }), await start({ name: "Good" })];
    await bad.publish("heartbeat", heartbeat({ version: "\0" }));
    await bad.publish("heartbeat", heartbeat({ version: "\ud800" }));
    await bad.publish("heartbeat", heartbeat({ at: "0000-01-01T00:00:00Z" }));
    await good.publish("heartbeat", heartbeat({ load1: 7 }));
    const row = async () =>
      (await query(hub.databaseUrl, "select heartbeat from agent_heartbeat where agent_id = $1", [good.id]))[0];
    await expect.poll(row, { timeout: 3_000 }).toMatchObject({ heartbeat: { load1: 7 } });
    expect((await get(bad.id)).heartbeat).toBeNull();
  });

  test("shows its newest inventory, and stays untouched by the same one after a restart", async () => {
    const agent = await start({ name: "Inventory" });
    const nonce = "n".repeat(24);
    const interfaces = [{ name: "wlan0", mac: null, addresses: ["10.0.0.9/24"], broadcast: ["10.0.0.255"] }];
    await agent.publish("inventory", { ...INVENTORY, hostname: "moved", interfaces, nonce }, true);
    await expect.poll(async () => (await get(agent.id)).hostname).toBe("moved");
    const before = await get(agent.id);
    expect(before.interfaces).toMatchObject(interfaces);
    for (const other of agents.splice(0)) await other.close();
    await hub.restart();
    const { username, password } = agent;
    const again = await connectMqtt(hub.mqttUrl, { clientId: username, username, password, protocolVersion: 5 }, [
      `powerbeacon/agent/${agent.key}/order`,
    ]);
    const topic = `powerbeacon/agent/${agent.key}/inventory`;
    await again.client.publishAsync(topic, JSON.stringify({ ...INVENTORY, hostname: "moved", interfaces, nonce }), {
      qos: 1,
    });
    await expect
      .poll(() => decodeJwt(again.last(`powerbeacon/agent/${agent.key}/order`) ?? ""))
      .toMatchObject({
        type: "time",
        nonce,
      });
    // changes are made in turn, so one that follows comes after the inventory was looked at
    await hub.api.post("/clusters", { name: freshName("After") });
    expect((await get(agent.id)).updatedAt).toBe(before.updatedAt);
    await again.close();
  });

  test("is renamed and moved, and links that no longer fit are named", async () => {
    const agent = await start({ name: "Mover", clusterId: home.id });
    const { body: device } = await hub.api.post("/devices", {
      name: freshName("Box"),
      mac: freshMac(),
      clusterId: home.id,
      agentIds: [agent.id],
    });
    expect((await hub.api.patch(`/agents/${agent.id}`, { name: "Renamed" })).body).toMatchObject({
      key: "mover",
      name: "Renamed",
      droppedLinks: [],
      deviceIds: [device.id],
    });
    const { body } = await hub.api.patch(`/agents/${agent.id}`, { clusterId: lab.id, showInHomeAssistant: false });
    expect(body).toMatchObject({
      showInHomeAssistant: false,
      clusterId: lab.id,
      deviceIds: [],
      droppedLinks: [{ deviceId: device.id, agentId: agent.id }],
    });
    for (const [path, fields] of [
      ["name", { name: "" }],
      ["key", { key: "x" }],
      ["clusterId", { clusterId: 1 }],
    ] as const)
      expect(await hub.api.patch(`/agents/${agent.id}`, fields)).toMatchObject({
        status: 422,
        body: { errors: [{ path }] },
      });
  });

  test("hears the orders of its cluster, and of the other one from the moment that it moves", async () => {
    const agent = await start({ name: "Follower", clusterId: home.id });
    const addDevice = async (clusterId: string) =>
      (await hub.api.post("/devices", { name: freshName("Box"), mac: freshMac(), clusterId })).body;
    const [here, there] = [await addDevice(home.id), await addDevice(lab.id)];
    const heard = () => agent.orders().flatMap(({ targets }) => targets.map(({ device }) => device));
    const other = await start({ name: "Lab agent", clusterId: lab.id });
    await hub.api.post(`/devices/${there.id}/wake`);
    await hub.api.post(`/devices/${here.id}/wake`);
    await expect.poll(heard).toEqual([here.key]);
    await hub.api.patch(`/agents/${agent.id}`, { clusterId: lab.id });
    const next = await addDevice(lab.id);
    await hub.api.post(`/devices/${next.id}/wake`);
    await expect.poll(() => heard().includes(next.key)).toBe(true);
    expect(other.orders().length).toBeGreaterThan(0);
  });

  test("that is deleted is told, loses its connection and its credential, and leaves nothing behind", async () => {
    const agent = await start({ name: "Doomed", clusterId: home.id });
    const { body: device } = await hub.api.post("/devices", {
      name: freshName("Box"),
      mac: freshMac(),
      clusterId: home.id,
      agentIds: [agent.id],
    });
    await agent.publish("heartbeat", heartbeat(), true);
    const beats = () => query(hub.databaseUrl, "select 1 from agent_heartbeat where agent_id = $1", [agent.id]);
    await expect.poll(beats, { timeout: 3_000 }).toHaveLength(1);

    expect((await hub.api.delete(`/agents/${agent.id}`)).status).toBe(204);
    await expect.poll(() => agent.mqtt.client.connected).toBe(false);
    expect(decodeJwt(agent.mqtt.last(`powerbeacon/agent/${agent.key}/order`) ?? "")).toMatchObject({ type: "revoked" });
    const { username, password } = agent;
    await expect(connectMqtt(hub.mqttUrl, { username, password, protocolVersion: 5 })).rejects.toThrow();
    expect((await hub.api.get(`/agents/${agent.id}`)).status).toBe(404);
    expect((await hub.api.get(`/devices/${device.id}`)).body.agentIds).toEqual([]);
    await expect.poll(beats).toEqual([]);
    expect(await hub.api.delete(`/agents/${agent.id}`)).toMatchObject({ status: 404, body: { code: "NOT_FOUND" } });
  });
});

describe("the list of agents", () => {
  test("holds what fits", async () => {
    const online = await start({ name: "Zed online", clusterId: lab.id });
    const names = async (query: string) =>
      (await hub.api.get(`/agents?limit=200&${query}`)).body.items.map(({ name }: { name: string }) => name);
    expect(await names("cluster=lab&status=online")).toContain("Zed online");
    expect(await names(`cluster=${lab.id}`)).toContain("Zed online");
    expect(await names("cluster=none")).not.toContain("Zed online");
    expect(await names("status=offline")).not.toContain("Zed online");
    expect(await names("q=zed-ON")).toEqual(["Zed online"]);
    await online.says("offline");
    expect(await names("status=offline")).toContain("Zed online");
    expect(await hub.api.get("/agents?status=away")).toMatchObject({
      status: 422,
      body: { errors: [{ path: "status" }] },
    });
  });
});
