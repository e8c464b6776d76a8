import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connectMqtt } from "#test/fixtures/mqtt.ts";
import { query } from "#test/fixtures/database.ts";
import { type TestHub, startTestHub } from "#test/fixtures/hub.ts";
import { type ScriptedAgent, freshMac, freshName, startScriptedAgent } from "#test/fixtures/scripted-agent.ts";

let hub: TestHub;
let home: string;
let lab: string;
let pi: ScriptedAgent;

beforeAll(async () => {
  hub = await startTestHub();
  home = (await hub.api.post("/clusters", { name: "Home" })).body.id;
  lab = (await hub.api.post("/clusters", { name: "Lab" })).body.id;
  pi = await startScriptedAgent(hub, { name: "Pi", clusterId: home });
});

afterAll(async () => {
  await pi.close();
  await hub.close();
});

const create = (fields: object = {}) =>
  hub.api.post("/devices", { name: freshName("Box"), mac: freshMac(), ...fields });
const createOne = async (fields: object = {}) => {
  const { status, body } = await create(fields);
  expect({ status, body }).toMatchObject({ status: 201 });
  return body;
};
const namesOf = (body: { items: { name: string }[] }) => body.items.map(({ name }) => name);

describe("a device", () => {
  test("that is made shows all of its fields, with defaults, and no secret", async () => {
    const mac = freshMac();
    const body = await createOne({ name: "Büro-PC", mac: mac.toUpperCase().replaceAll(":", "-") });
    expect(body).toEqual({
      id: expect.any(String),
      key: "buero-pc",
      name: "Büro-PC",
      mac,
      address: null,
      os: "other",
      enabled: true,
      showInHomeAssistant: true,
      ownerId: expect.any(String),
      shares: [],
      description: null,
      tags: [],
      clusterId: null,
      agentIds: [],
      secureOnSet: false,
      wake: { addresses: [], ports: [9, 7], windowSeconds: null },
      watch: { icmp: true, arp: true, tcpPorts: [], intervalSeconds: 15 },
      powerSettings: {
        ownAgentId: null,
        off: "shutdown",
        countdownSeconds: 30,
        graceSeconds: null,
        offAfterLease: false,
      },
      dependsOn: [],
      powerMethod: null,
      power: "unknown",
      since: null,
      availability: "offline",
      reachable: null,
      evidence: null,
      lastWake: null,
      lastPowerOff: null,
      powerOff: null,
      typicalWakeSeconds: null,
      slowWakeSeconds: null,
      armed: null,
      canPowerOff: false,
      powerActions: [],
      whyNoPowerOff: expect.any(String),
      heldUntil: null,
      leases: 0,
      watts: null,
      energyKwh: null,
      createdAt: expect.any(String),
      updatedAt: body.createdAt,
    });
    expect((await hub.api.get(`/devices/${body.id}`)).body).toEqual(body);
    expect((await hub.api.get(`/devices/${body.id}/`)).body).toEqual(body);
  });

  test("never shows its SecureOn password, only that there is one", async () => {
    const device = await createOne({ secureOn: "01-02-03-04-05-06" });
    expect(device.secureOnSet).toBe(true);
    expect(JSON.stringify(device)).not.toMatch(/01.02.03.04.05.06/);
    const { body } = await hub.api.patch(`/devices/${device.id}`, { secureOn: null });
    expect(body.secureOnSet).toBe(false);
  });

  test("is changed field by field; null clears, and what is not named stays", async () => {
    const device = await createOne({
      address: "10.0.0.7",
      description: "first",
      tags: ["a", "b", "a"],
      os: "linux",
      wake: { addresses: ["10.0.0.255"], windowSeconds: 60 },
      watch: { tcpPorts: [22] },
    });
    expect(device.tags).toEqual(["a", "b"]);
    const { body } = await hub.api.patch(`/devices/${device.id}`, {
      name: "Renamed",
      address: null,
      description: null,
      showInHomeAssistant: false,
      wake: { windowSeconds: null },
      watch: { icmp: false },
    });
    const { droppedLinks, ...changed } = body;
    expect(droppedLinks).toEqual([]);
    expect(changed).toEqual({
      ...device,
      name: "Renamed",
      address: null,
      description: null,
      showInHomeAssistant: false,
      wake: { addresses: ["10.0.0.255"], ports: [9, 7], windowSeconds: null },
      watch: { icmp: false, arp: true, tcpPorts: [22], intervalSeconds: 15 },
      updatedAt: expect.any(String),
    });
  });

  test("is changed by PUT as by PATCH", async () => {
    const device = await createOne({ description: "stays" });
    const answer = await fetch(`${hub.url}/api/devices/${device.id}/`, {
      method: "PUT",
      headers: { authorization: `Bearer ${hub.api.token}`, "content-type": "application/json" },
      body: JSON.stringify({ enabled: false }),
    });
    expect(await answer.json()).toMatchObject({ enabled: false, description: "stays", droppedLinks: [] });
  });

  test.each([
    ["name", { name: "" }],
    ["name", { name: "x".repeat(81) }],
    ["name", { name: "line\nbreak" }],
    ["name", { name: "half \ud83d" }],
    ["mac", { mac: "aa:bb:cc" }],
    ["mac", { mac: "ff:ff:ff:ff:ff:ff" }],
    ["mac", { mac: null }],
    ["address", { address: "not an address" }],
    ["os", { os: "beos" }],
    ["clusterId", { clusterId: "home" }],
    ["agentIds.0", { agentIds: ["pi"] }],
    ["enabled", { enabled: "yes" }],
    ["description", { description: "x\0" }],
    ["tags", { tags: Array.from({ length: 21 }, (_, i) => String(i)) }],
    ["tags.0", { tags: ["x".repeat(41)] }],
    ["secureOn", { secureOn: "secret" }],
    ["wake.addresses.0", { wake: { addresses: ["nas.lan"] } }],
    ["wake.ports", { wake: { ports: [] } }],
    ["wake.ports.0", { wake: { ports: [0] } }],
    ["wake.windowSeconds", { wake: { windowSeconds: 4 } }],
    ["wake.retries", { wake: { retries: 3 } }],
    ["watch.tcpPorts.1", { watch: { tcpPorts: [22, 70_000] } }],
    ["watch.intervalSeconds", { watch: { intervalSeconds: 0 } }],
    ["colour", { colour: "red" }],
    ["id", { id: "6b1b36cb-3d6c-4b3c-a7a6-0a5b6d6f7c11" }],
    ["power", { power: "on" }],
    ["key", { key: "Not A Key" }],
  ])("with a wrong %s is refused naming it", async (path, fields) => {
    const refusal = { status: 422, body: { code: "INVALID_INPUT", errors: [{ path }] } };
    expect(await create(fields)).toMatchObject(refusal);
    const device = await createOne();
    expect(await hub.api.patch(`/devices/${device.id}`, fields)).toMatchObject(refusal);
  });

  test("without a name and a MAC address names both", async () => {
    const { body } = await hub.api.post("/devices", {});
    expect(body.errors.map(({ path }: { path: string }) => path).toSorted()).toEqual(["mac", "name"]);
  });

  test("with a MAC address or key that is taken is refused naming the field", async () => {
    const device = await createOne();
    const refusal = (path: string) => ({ status: 409, body: { code: "DUPLICATE", errors: [{ path }] } });
    expect(await create({ mac: device.mac.replaceAll(":", "") })).toMatchObject(refusal("mac"));
    expect(await create({ key: device.key })).toMatchObject(refusal("key"));
    const other = await createOne();
    expect(await hub.api.patch(`/devices/${other.id}`, { mac: device.mac })).toMatchObject(refusal("mac"));
    expect(await hub.api.patch(`/devices/${other.id}`, { mac: other.mac })).toMatchObject({ status: 200 });
    expect(await create({ key: "unassigned-x" })).toMatchObject({ status: 422, body: { errors: [{ path: "key" }] } });
  });

  test("whose key only the database knows to be taken is refused the same way", async () => {
    await query(
      hub.databaseUrl,
      `insert into device select gen_random_uuid(), site_id, cluster_id, 'hidden', name, '02:ff:00:00:00:01', address, os, enabled, description,
       tags, secure_on, wake_addresses, wake_ports, wake_window_seconds, watch_icmp, watch_arp, watch_tcp_ports, watch_interval_seconds,
       created_at, updated_at from device limit 1`,
    );
    expect(await create({ key: "hidden" })).toMatchObject({
      status: 409,
      body: { code: "DUPLICATE", errors: [{ path: "key" }] },
    });
    await query(hub.databaseUrl, "delete from device where key = 'hidden'");
  });

  test("made twice at the same moment exists once", async () => {
    const mac = freshMac();
    const answers = await Promise.all(Array.from({ length: 5 }, () => create({ mac })));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(4);
  });

  test("gets a key of its own beside others of the same name, and keeps it when renamed", async () => {
    const [first, second] = [await createOne({ name: "Twin" }), await createOne({ name: "Twin" })];
    expect([first.key, second.key]).toEqual(["twin", "twin-2"]);
    expect((await hub.api.patch(`/devices/${first.id}`, { name: "Other" })).body.key).toBe("twin");
  });

  test.each([
    ["6b1b36cb-3d6c-4b3c-a7a6-0a5b6d6f7c11", 404, "NOT_FOUND"],
    ["nas", 422, "INVALID_INPUT"],
  ])("that is not there, %s, answers %d", async (id, status, code) => {
    for (const answer of [
      await hub.api.get(`/devices/${id}`),
      await hub.api.patch(`/devices/${id}`, {}),
      await hub.api.delete(`/devices/${id}`),
      await hub.api.post(`/devices/${id}/wake`),
    ])
      expect(answer).toMatchObject({ status, body: { code } });
  });
});

describe("the agents of a device", () => {
  test("are in the cluster of the device, or refused", async () => {
    const refusal = { status: 409, body: { code: "AGENT_NOT_IN_CLUSTER", errors: [{ path: "agentIds" }] } };
    expect(await create({ agentIds: [pi.id] })).toMatchObject(refusal);
    expect(await create({ clusterId: lab, agentIds: [pi.id] })).toMatchObject(refusal);
    const device = await createOne({ clusterId: home, agentIds: [pi.id, pi.id] });
    expect(device.agentIds).toEqual([pi.id]);
    expect((await hub.api.get(`/agents/${pi.id}`)).body.deviceIds).toContain(device.id);
    expect(await hub.api.patch(`/devices/${device.id}`, { clusterId: lab, agentIds: [pi.id] })).toMatchObject(refusal);
    expect((await hub.api.get(`/devices/${device.id}`)).body).toMatchObject({ clusterId: home, agentIds: [pi.id] });
    expect((await hub.api.patch(`/devices/${device.id}`, { agentIds: [] })).body.agentIds).toEqual([]);
  });

  test("that do not fit any more are dropped by a move, and named", async () => {
    const device = await createOne({ clusterId: home, agentIds: [pi.id] });
    const { body } = await hub.api.patch(`/devices/${device.id}`, { clusterId: null });
    expect(body).toMatchObject({
      clusterId: null,
      agentIds: [],
      droppedLinks: [{ deviceId: device.id, agentId: pi.id }],
    });
    expect(await query(hub.databaseUrl, "select * from device_agent where device_id = $1", [device.id])).toEqual([]);
  });

  test("stay where the cluster that is named is the one it is in already", async () => {
    const device = await createOne({ clusterId: home, agentIds: [pi.id] });
    const { body } = await hub.api.patch(`/devices/${device.id}`, { clusterId: home });
    expect(body).toMatchObject({ agentIds: [pi.id], droppedLinks: [] });
  });

  test("and its cluster must be there", async () => {
    const nowhere = "6b1b36cb-3d6c-4b3c-a7a6-0a5b6d6f7c11";
    expect(await create({ clusterId: nowhere })).toMatchObject({
      status: 404,
      body: { errors: [{ path: "clusterId" }] },
    });
    expect(await create({ clusterId: home, agentIds: [nowhere] })).toMatchObject({ status: 409 });
  });
});

describe("the list of devices", () => {
  const tag = "listed";
  const list = async (query: string) => (await hub.api.get(`/devices?tag=${tag}&${query}`)).body;

  beforeAll(async () => {
    await createOne({ name: "beta", tags: [tag], os: "linux", clusterId: home });
    await createOne({ name: "Alpha", tags: [tag], os: "windows", address: "alpha.lan" });
    await createOne({ name: "gamma", tags: [tag], os: "linux", clusterId: home, agentIds: [pi.id] });
  });

  test.each([
    ["", ["Alpha", "beta", "gamma"]],
    ["sort=-name", ["gamma", "beta", "Alpha"]],
    ["sort=createdAt", ["beta", "Alpha", "gamma"]],
    ["sort=-createdAt", ["gamma", "Alpha", "beta"]],
    ["os=linux", ["beta", "gamma"]],
    ["cluster=home", ["beta", "gamma"]],
    ["cluster=none", ["Alpha"]],
    ["cluster=nowhere", []],
    ["agent=pi", ["gamma"]],
    ["agent=nobody", []],
    ["power=on", []],
    ["q=ALPH", ["Alpha"]],
    ["q=alpha.lan", ["Alpha"]],
    ["q=02:00", ["Alpha", "beta", "gamma"]],
    ["q=nothing", []],
  ])("with %j holds what fits", async (query, names) => {
    const body = await list(query);
    expect(namesOf(body)).toEqual(names);
    expect(body).toMatchObject({ next: null, total: names.length });
  });

  test("comes in pages", async () => {
    const first = await list("limit=2");
    expect(first).toMatchObject({ total: 3, next: expect.any(String) });
    const second = await list(`limit=2&cursor=${first.next}`);
    expect([...namesOf(first), ...namesOf(second)]).toEqual(["Alpha", "beta", "gamma"]);
    expect(second.next).toBeNull();
  });

  test.each([
    ["limit", "limit=0"],
    ["limit", "limit=201"],
    ["limit", "limit=many"],
    ["sort", "sort=mac"],
    ["os", "os=beos"],
    ["power", "power=up"],
    ["cursor", "cursor=nonsense"],
    ["colour", "colour=red"],
  ])("asked with a wrong %s names it", async (path, query) => {
    expect(await hub.api.get(`/devices?${query}`)).toMatchObject({
      status: 422,
      body: { code: "INVALID_INPUT", errors: [{ path }] },
    });
  });
});

test("a device that is deleted ends its wake, loses its links and its retained topics", async () => {
  const { body: credential } = await hub.api.post("/mqtt-clients", { name: "Reader", permissions: ["read"] });
  const { username, password } = credential;
  const device = await createOne({ clusterId: home, agentIds: [pi.id] });
  const { body } = await hub.api.post(`/devices/${device.id}/wake`);
  const topics = ["state", "info", "availability"].map((name) => `powerbeacon/device/${device.key}/${name}`);
  const reader = await connectMqtt(hub.mqttUrl, { username, password }, topics);
  await expect.poll(() => topics.map((topic) => reader.last(topic) !== undefined)).toEqual([true, true, true]);

  expect((await hub.api.delete(`/devices/${device.id}`)).status).toBe(204);
  expect((await hub.api.get(`/wakes/${body.wake}`)).body).toMatchObject({ stage: "cancelled" });
  expect((await hub.api.get(`/devices/${device.id}`)).status).toBe(404);
  expect((await hub.api.get(`/agents/${pi.id}`)).body.deviceIds).not.toContain(device.id);
  await expect
    .poll(async () => {
      const late = await connectMqtt(hub.mqttUrl, { username, password }, [...topics, "powerbeacon/hub/status"]);
      await expect.poll(() => late.last("powerbeacon/hub/status")).toBe("online");
      await late.close();
      return topics.filter((topic) => late.last(topic) !== undefined);
    })
    .toEqual([]);
  await reader.close();
  expect((await createOne({ key: device.key, mac: device.mac })).key).toBe(device.key);
});

test("devices and their links outlive a restart of the hub", async () => {
  await createOne({ clusterId: home, agentIds: [pi.id], secureOn: "01:02:03:04:05:06", wake: { ports: [7] } });
  const before = (await hub.api.get("/devices?limit=200")).body.items;
  await pi.close();
  await hub.restart();
  const observed = new Set(["power", "since", "reachable", "availability", "evidence"]);
  const configured = (device: object) => Object.entries(device).filter(([field]) => !observed.has(field));
  expect((await hub.api.get("/devices?limit=200")).body.items.map(configured)).toEqual(before.map(configured));
});
