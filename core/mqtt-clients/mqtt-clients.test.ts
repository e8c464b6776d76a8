import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { query } from "#test/fixtures/database.ts";
import { type TestHub, startTestHub } from "#test/fixtures/hub.ts";
import { type TestMqttClient, connectMqtt } from "#test/fixtures/mqtt.ts";
import { type ScriptedAgent, freshMac, freshName, startScriptedAgent } from "#test/fixtures/scripted-agent.ts";

let hub: TestHub;
let home: { id: string; key: string };
let lab: { id: string; key: string };
let pi: ScriptedAgent;
const clients: TestMqttClient[] = [];

beforeAll(async () => {
  hub = await startTestHub();
  home = (await hub.api.post("/clusters", { name: "Home" })).body;
  lab = (await hub.api.post("/clusters", { name: "Lab" })).body;
  pi = await startScriptedAgent(hub, { name: "Pi", clusterId: home.id });
});

afterAll(async () => {
  for (const client of clients) await client.close();
  await pi.close();
  await hub.close();
});

const create = (fields: object = {}) =>
  hub.api.post("/mqtt-clients", { name: freshName("Client"), permissions: ["read"], ...fields });
const createOne = async (fields: object = {}) => (await create(fields)).body;
const addDevice = async (clusterId: string) =>
  (await hub.api.post("/devices", { name: freshName("Box"), mac: freshMac(), clusterId })).body;

async function connect(
  { username, password }: { username: string; password: string },
  filters: string[] = [],
  protocolVersion: 4 | 5 = 5,
) {
  const client = await connectMqtt(hub.mqttUrl, { username, password, protocolVersion }, filters);
  clients.push(client);
  return client;
}

describe("an MQTT client", () => {
  test("that is made shows its password this once", async () => {
    const { status, body } = await create({ name: "Home Assistant", permissions: ["read", "wake", "read"] });
    expect(status).toBe(201);
    expect(body).toEqual({
      id: expect.any(String),
      name: "Home Assistant",
      username: "home-assistant",
      password: expect.stringMatching(/^pbm_[a-z2-7]{52}$/),
      mqttUrl: hub.mqttUrl,
      baseTopic: "powerbeacon",
      permissions: ["read", "wake"],
      clusterIds: null,
      connections: 0,
      lastSeenAt: null,
      lastAddress: null,
      lastClientId: null,
      lastProtocol: null,
      createdAt: expect.any(String),
      updatedAt: expect.any(String),
    });
    const { password, mqttUrl: _where, baseTopic: _base, ...rest } = body;
    expect((await hub.api.get(`/mqtt-clients/${body.id}`)).body).toEqual(rest);
    expect((await hub.api.get("/mqtt-clients")).body.items).toContainEqual(rest);
    expect(JSON.stringify(await query(hub.databaseUrl, "select * from mqtt_client"))).not.toContain(password);
    expect((await createOne({ name: "Home Assistant" })).username).toBe("home-assistant-2");
  });

  test.each([
    ["Hub", "hub-2"],
    ["mqtt", "mqtt-2"],
    ["~admin", "admin"],
  ])("that is called %s gets the user name %s, which is nobody else's", async (name, username) => {
    expect((await createOne({ name })).username).toBe(username);
  });

  test.each([
    ["name", { name: "" }],
    ["permissions", { permissions: [] }],
    ["permissions.0", { permissions: ["admin"] }],
    ["clusterIds.0", { clusterIds: ["home"] }],
    ["username", { username: "hub" }],
  ])("with a wrong %s is refused naming it", async (path, fields) => {
    expect(await create(fields)).toMatchObject({ status: 422, body: { code: "INVALID_INPUT", errors: [{ path }] } });
  });

  test("of a cluster that is not there, or that is not there itself, answers 404", async () => {
    const nowhere = "6b1b36cb-3d6c-4b3c-a7a6-0a5b6d6f7c11";
    expect(await create({ clusterIds: [nowhere] })).toMatchObject({
      status: 404,
      body: { errors: [{ path: "clusterIds" }] },
    });
    for (const answer of [
      await hub.api.get(`/mqtt-clients/${nowhere}`),
      await hub.api.patch(`/mqtt-clients/${nowhere}`, {}),
      await hub.api.delete(`/mqtt-clients/${nowhere}`),
    ])
      expect(answer).toMatchObject({ status: 404, body: { code: "NOT_FOUND" } });
  });

  test.each([[4], [5]] as const)(
    "connects with version %d of the protocol, and only with its password",
    async (version) => {
      const credential = await createOne();
      const client = await connect(credential, ["powerbeacon/hub/status"], version);
      await expect.poll(() => client.last("powerbeacon/hub/status")).toBe("online");
      expect((await hub.api.get(`/mqtt-clients/${credential.id}`)).body.connections).toBe(1);
      await client.close();
      await expect.poll(async () => (await hub.api.get(`/mqtt-clients/${credential.id}`)).body.connections).toBe(0);
      for (const wrong of [
        { ...credential, password: "wrong" },
        { ...credential, username: "nobody" },
      ])
        await expect(
          connectMqtt(hub.mqttUrl, { username: wrong.username, password: wrong.password, protocolVersion: version }),
        ).rejects.toThrow();
    },
  );

  test("stands in the audit log with what was done to it", async () => {
    const credential = await createOne({ clusterIds: [lab.id] });
    await hub.api.patch(`/mqtt-clients/${credential.id}`, { permissions: ["wake"] });
    await hub.api.delete(`/mqtt-clients/${credential.id}`);
    const sql = "select action, actor_name, details from audit where target_id = $1 order by seq";
    const rows = await query(hub.databaseUrl, sql, [credential.id]);
    expect(rows.map(({ action, actor_name }) => [action, actor_name])).toEqual([
      ["mqtt-client.create", "admin"],
      ["mqtt-client.change", "admin"],
      ["mqtt-client.delete", "admin"],
    ]);
    expect(rows.map(({ details }) => JSON.parse(String(details)))).toEqual([
      { permissions: ["read"], clusterIds: [lab.id] },
      { permissions: ["wake"] },
      null,
    ]);
    expect(JSON.stringify(rows)).not.toContain(credential.password);
  });

  test("that is deleted loses its connection and cannot come back", async () => {
    const credential = await createOne();
    const client = await connect(credential);
    expect((await hub.api.delete(`/mqtt-clients/${credential.id}`)).status).toBe(204);
    await expect.poll(() => client.client.connected).toBe(false);
    await expect(connect(credential)).rejects.toThrow();
  });

  test("gains and loses rights with the next message", async () => {
    const device = await addDevice(home.id);
    const topic = `powerbeacon/cluster/${home.key}/wake`;
    const credential = await createOne({ permissions: ["read"] });
    const client = await connect(credential);
    await expect(client.client.publishAsync(topic, device.key, { qos: 1 })).rejects.toThrow("Not authorized");
    await hub.api.patch(`/mqtt-clients/${credential.id}`, { permissions: ["read", "wake"] });
    await client.client.publishAsync(topic, device.key, { qos: 1 });
    await expect
      .poll(async () => (await hub.api.get(`/devices/${device.id}/wakes`)).body.items)
      .toMatchObject([{ requestedBy: credential.username }]);
    await hub.api.patch(`/mqtt-clients/${credential.id}`, { permissions: ["wake"], clusterIds: [lab.id] });
    await expect(client.client.publishAsync(topic, device.key, { qos: 1 })).rejects.toThrow("Not authorized");
    expect(client.client.connected).toBe(true);
  });

  test("of one cluster sees nothing of others", async () => {
    const [own, foreign] = [await addDevice(home.id), await addDevice(lab.id)];
    const credential = await createOne({ clusterIds: [home.id] });
    const client = await connect(credential, ["powerbeacon/#"]);
    await expect.poll(() => client.last(`powerbeacon/device/${own.key}/state`)).toBe("None");
    await expect.poll(() => client.last("powerbeacon/agent/pi/status")).toBe("online");
    await hub.api.patch(`/devices/${foreign.id}`, { name: "Changed" });
    await hub.api.patch(`/devices/${own.id}`, { name: "Changed" });
    await expect.poll(() => client.lastJson(`powerbeacon/device/${own.key}/info`)?.name).toBe("Changed");
    const topics = new Set(client.on(/./).map(({ topic }) => topic));
    expect([...topics].filter((topic) => topic.includes(foreign.key) || topic.includes(`cluster/${lab.key}/`))).toEqual(
      [],
    );
    expect(topics).toContain(`powerbeacon/cluster/${home.key}/info`);
    expect(topics).not.toContain("powerbeacon/event");

    await hub.api.patch(`/devices/${foreign.id}`, { clusterId: home.id });
    await expect.poll(() => client.lastJson(`powerbeacon/device/${foreign.key}/info`)?.cluster).toBe(home.key);
  });

  test("of a cluster that was deleted has no right on another one of the same key", async () => {
    const first = (await hub.api.post("/clusters", { name: "Phoenix" })).body;
    const credential = await createOne({ clusterIds: [first.id] });
    await hub.api.delete(`/clusters/${first.id}`);
    const second = (await hub.api.post("/clusters", { name: "Phoenix" })).body;
    expect(second.key).toBe(first.key);
    const device = await addDevice(second.id);
    const client = await connect(credential, ["powerbeacon/#"]);
    await expect.poll(() => client.last("powerbeacon/hub/status")).toBe("online");
    const all = await connect(await createOne(), [`powerbeacon/device/${device.key}/#`]);
    await expect.poll(() => all.last(`powerbeacon/device/${device.key}/state`)).toBe("None");
    expect(client.on(new RegExp(`${device.key}|phoenix`))).toEqual([]);
    expect((await hub.api.patch(`/mqtt-clients/${credential.id}`, { name: "Still there" })).status).toBe(200);
  });

  test("shows when, from where and as what it was connected, also after a restart", async () => {
    const credential = await createOne();
    const shown = async () => (await hub.api.get(`/mqtt-clients/${credential.id}`)).body;
    const { username, password } = credential;
    const tablet = await connectMqtt(hub.mqttUrl, { username, password, protocolVersion: 4, clientId: "tablet" });
    const { lastSeenAt } = await shown();
    expect(Date.now() - Date.parse(lastSeenAt)).toBeLessThan(10_000);
    expect(await shown()).toMatchObject({ lastAddress: "127.0.0.1", lastClientId: "tablet", lastProtocol: "3.1.1" });
    await expect.poll(async () => (await shown()).lastSeenAt).not.toBe(lastSeenAt);
    await tablet.close();
    await expect.poll(async () => (await shown()).connections).toBe(0);
    const left = await shown();
    expect(left).toEqual(await shown());

    const long = `${"ä".repeat(199)}😀`;
    const phone = await connectMqtt(hub.mqttUrl, { username, password, protocolVersion: 5, clientId: long });
    await phone.close();
    await hub.restart();
    expect(await shown()).toMatchObject({
      connections: 0,
      lastSeenAt: expect.any(String),
      lastClientId: `${"ä".repeat(199)}\uFFFD`,
      lastProtocol: "5",
    });
    expect((await shown()).lastSeenAt > left.lastSeenAt).toBe(true);
  });

  test("names to whoever looks who is still connected, and not who looked in last", async () => {
    const { name, username, password } = await createOne({ permissions: ["read", "discovery"] });
    const reader = { name, clientId: "home-assistant", since: expect.any(String) };
    const readers = async () =>
      (await hub.api.get("/home-assistant")).body.listening.clients.filter((each: typeof reader) => each.name === name);
    const stays = await connectMqtt(hub.mqttUrl, { username, password, clientId: "home-assistant" });
    const looksIn = await connectMqtt(hub.mqttUrl, { username, password, clientId: "a look" });
    await expect.poll(readers).toEqual([reader]);
    await looksIn.close();
    await expect.poll(readers).toEqual([reader]);
    await stays.close();
    await expect.poll(readers).toEqual([]);
  });

  test("keeps its rights after a restart of the hub", async () => {
    const credential = await createOne({ clusterIds: [home.id] });
    const device = await addDevice(lab.id);
    await hub.restart();
    const client = await connect(credential, ["powerbeacon/#"]);
    await expect.poll(() => client.last(`powerbeacon/cluster/${home.key}/state`)).toBe("OFF");
    expect(client.on(new RegExp(device.key))).toEqual([]);
  });
});

describe("two changes of one MQTT client at the same moment", () => {
  test("never bring a deleted credential back", async () => {
    for (let round = 0; round < 5; round++) {
      const client = await createOne();
      const name = freshName("Renamed");
      await Promise.all([
        hub.api.delete(`/mqtt-clients/${client.id}`),
        hub.api.patch(`/mqtt-clients/${client.id}`, { name }),
      ]);
      await expect(connect(client)).rejects.toThrow(/not authorized|bad user/i);
    }
  });

  test("never leave a right that one of them took away", async () => {
    for (let round = 0; round < 5; round++) {
      const client = await createOne({ permissions: ["read", "wake"] });
      await Promise.all([
        hub.api.patch(`/mqtt-clients/${client.id}`, { permissions: ["read"] }),
        hub.api.patch(`/mqtt-clients/${client.id}`, { name: freshName("Renamed") }),
      ]);
      const { client: mqtt } = await connect(client);
      const refused = mqtt.publishAsync(`powerbeacon/cluster/${home.key}/wake`, "*", { qos: 1 });
      await expect(refused).rejects.toThrow("Not authorized");
    }
  });
});
