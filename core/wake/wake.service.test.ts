import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type TestHub, startTestHub } from "#test/fixtures/hub.ts";
import { type TestMqttClient, connectMqtt } from "#test/fixtures/mqtt.ts";
import { query } from "#test/fixtures/database.ts";
import { type ScriptedAgent, freshMac, freshName, startScriptedAgent } from "#test/fixtures/scripted-agent.ts";

/** Wakes with agents that a test speaks for: what they say decides, and nothing is left to chance. */

let hub: TestHub;
let client: TestMqttClient;
let clusterId: string;
let clusterKey: string;
let agents: ScriptedAgent[];

beforeAll(async () => {
  hub = await startTestHub();
  const { body } = await hub.api.post("/clusters", { name: "Lab" });
  [clusterId, clusterKey] = [body.id, body.key];
  agents = [
    await startScriptedAgent(hub, { name: "One", clusterId }),
    await startScriptedAgent(hub, { name: "Two", clusterId }),
  ];
  const { body: credential } = await hub.api.post("/mqtt-clients", { name: "HA", permissions: ["read", "wake"] });
  const { username, password } = credential;
  client = await connectMqtt(hub.mqttUrl, { username, password, protocolVersion: 5 }, ["powerbeacon/#"]);
});

afterAll(async () => {
  await client.close();
  for (const agent of agents) await agent.close();
  await hub.close();
});

const [one, two] = [() => agents[0] as ScriptedAgent, () => agents[1] as ScriptedAgent];

beforeEach(async () => {
  for (const agent of agents) await agent.says("online");
});

async function addDevice(fields: object = {}) {
  const { body, status } = await hub.api.post("/devices", {
    name: freshName("Box"),
    mac: freshMac(),
    clusterId,
    ...fields,
  });
  expect(status).toBe(201);
  return body;
}

const wakeOf = async (id: string) => (await hub.api.get(`/wakes/${id}`)).body;

/** The newest order for a device that reached an agent. */
async function orderFor(agent: ScriptedAgent, key: string, atLeast = 1) {
  const orders = () => agent.orders().filter(({ targets }) => targets.some(({ device }) => device === key));
  await expect.poll(() => orders().length, { timeout: 6_000 }).toBeGreaterThanOrEqual(atLeast);
  const order = orders().at(-1);
  if (!order) throw new Error("there is no order");
  return order;
}

const resultsOf = (key: string) =>
  client
    .on(/wake\/result$/)
    .map(({ text }) => JSON.parse(text))
    .filter(({ device }) => device === key);

const eventsOf = (key: string) =>
  client.on(new RegExp(`device/${key}/event$`)).map(({ text }) => JSON.parse(text).event_type);

describe("a wake with two agents", () => {
  test("goes to both at once, and one that fails does not stop the other", async () => {
    const device = await addDevice();
    const { body } = await hub.api.post(`/devices/${device.id}/wake`);
    expect(body).toMatchObject({ device: device.key, stage: "accepted" });
    const order = await orderFor(one(), device.key);
    expect((await orderFor(two(), device.key)).id).toBe(order.id);
    await one().answers(order, "failed", "eth0 is down");
    await two().answers(order, "sent");
    await expect.poll(async () => (await wakeOf(body.wake)).stage).toBe("sent");
    const again = (await hub.api.post(`/devices/${device.id}/wake`)).body;
    expect(again.wake).toBe(body.wake);
    expect(again.agents).toEqual([
      { id: one().id, key: "one", stage: "failed", reason: "eth0 is down" },
      { id: two().id, key: "two", stage: "sent" },
    ]);
    await two().sees({ [device.key]: true });
    await expect.poll(async () => (await wakeOf(body.wake)).stage).toBe("awake");
    expect((await wakeOf(body.wake)).evidence).toMatchObject({ by: "two", how: "arp" });
  });

  test("that both fail twice ends as SEND_FAILED, with the reason of each", async () => {
    const device = await addDevice();
    const { body } = await hub.api.post(`/devices/${device.id}/wake`);
    const first = await orderFor(one(), device.key);
    await one().answers(first, "failed", "eth0 is down");
    await two().answers(first, "refused", "CLOCK_UNKNOWN");
    await two().answers(first, "refused", "CLOCK_UNKNOWN"); // a receipt that comes twice counts once
    const second = await orderFor(one(), device.key, 2);
    expect(second.id).not.toBe(first.id);
    expect((await wakeOf(body.wake)).stage).toBe("accepted");
    await one().answers(second, "failed", "eth0 is down");
    await two().answers(second, "refused", "CLOCK_UNKNOWN");
    await expect
      .poll(async () => (await wakeOf(body.wake)).stages.at(-1))
      .toMatchObject({
        stage: "failed",
        code: "SEND_FAILED",
        agents: [
          { agent: "one", code: "SEND_FAILED", reason: "eth0 is down" },
          { agent: "two", code: "SEND_FAILED", reason: "CLOCK_UNKNOWN" },
        ],
      });
    expect((await hub.api.get(`/devices/${device.id}`)).body.lastWake).toMatchObject({ outcome: "failed", agents: [] });
  });

  test("that nobody answers ends as NO_RECEIPT", async () => {
    const device = await addDevice({ wake: { windowSeconds: 5 } });
    const { body } = await hub.api.post(`/devices/${device.id}/wake?wait=8`);
    expect(body).toMatchObject({ stage: "failed" });
    expect((await wakeOf(body.wake)).stages.at(-1)).toMatchObject({
      stage: "failed",
      code: "NO_RECEIPT",
      agents: [
        { agent: "one", code: "NO_RECEIPT" },
        { agent: "two", code: "NO_RECEIPT" },
      ],
    });
  });

  test("of which the linked one alone is asked", async () => {
    const device = await addDevice({ agentIds: [two().id] });
    await hub.api.post(`/devices/${device.id}/wake`);
    const order = await orderFor(two(), device.key);
    expect(order.targets).toMatchObject([{ device: device.key, mac: device.mac, agents: ["two"] }]);
  });

  test("of which one leaves and one comes back is sent by whoever is there at the next burst", async () => {
    await two().says("offline");
    const device = await addDevice();
    const { body } = await hub.api.post(`/devices/${device.id}/wake`);
    expect(body.agents.map(({ key }: { key: string }) => key)).toEqual(["one"]);
    await one().says("offline");
    await two().says("online");
    const order = await orderFor(two(), device.key, 2);
    await two().answers(order, "sent");
    await expect.poll(async () => (await wakeOf(body.wake)).stage).toBe("sent");
  });
});

describe("a wake that nobody can do", () => {
  test("is ALL_OFFLINE when the agents are away", async () => {
    const device = await addDevice();
    for (const agent of agents) await agent.says("offline");
    const { status, body } = await hub.api.post(`/devices/${device.id}/wake`);
    expect({ status, code: body.code }).toEqual({ status: 503, code: "ALL_OFFLINE" });
  });

  test("ends when its device is disabled meanwhile, or deleted", async () => {
    const [disabled, deleted] = [await addDevice(), await addDevice()];
    const wakes = await Promise.all(
      [disabled, deleted].map(async ({ id }) => (await hub.api.post(`/devices/${id}/wake`)).body.wake),
    );
    await hub.api.patch(`/devices/${disabled.id}`, { enabled: false });
    await hub.api.delete(`/devices/${deleted.id}`);
    for (const id of wakes) expect((await wakeOf(id)).stages.at(-1)).toMatchObject({ stage: "cancelled", by: "hub" });
  });
});

describe("requests that meet a running wake", () => {
  test("join it, and each transaction hears every stage from then on", async () => {
    const device = await addDevice();
    const topic = `powerbeacon/cluster/${clusterKey}/wake`;
    const ask = (transaction: string) =>
      client.client.publishAsync(topic, JSON.stringify({ devices: [device.key], transaction }), { qos: 1 });
    await ask("first");
    const order = await orderFor(one(), device.key);
    await ask("second");
    await expect.poll(() => resultsOf(device.key).length).toBe(2);
    await one().answers(order, "sent");
    await one().sees({ [device.key]: true });
    const stagesOf = (name: string) =>
      resultsOf(device.key).flatMap(({ stage, transaction }) => (transaction === name ? [stage] : []));
    await expect.poll(() => stagesOf("second")).toEqual(["accepted", "sent", "awake"]);
    expect(stagesOf("first")).toEqual(["accepted", "sent", "awake"]);
    expect(new Set(resultsOf(device.key).map(({ wake }) => wake)).size).toBe(1);

    await ask("first"); // again: the answer is repeated
    await expect.poll(() => stagesOf("first")).toEqual(["accepted", "sent", "awake", "awake"]);
    await expect.poll(() => eventsOf(device.key)).toEqual(["wake_requested", "wake_succeeded"]);
  });
});

describe("a request by MQTT", () => {
  test("that is retained is refused, and never wakes anything", async () => {
    const device = await addDevice();
    const topic = `powerbeacon/cluster/${clusterKey}/wake`;
    const before = one().orders().length;
    await expect(client.client.publishAsync(topic, device.key, { qos: 1, retain: true })).rejects.toThrow();
    expect((await hub.api.get(`/devices/${device.id}/wakes`)).body.items).toEqual([]);
    expect(one().orders()).toHaveLength(before);
  });
});

describe("the history of wakes", () => {
  test("is written soon, is left out for a deleted device, and outlives a restart", async () => {
    const [kept, deleted, open] = [await addDevice(), await addDevice(), await addDevice()];
    const wake = async ({ id }: { id: string }) => (await hub.api.post(`/devices/${id}/wake`)).body.wake as string;
    const [keptWake, deletedWake, openWake] = [await wake(kept), await wake(deleted), await wake(open)];
    await hub.api.delete(`/devices/${deleted.id}`);
    await hub.api.delete(`/wakes/${keptWake}`);
    const rows = () =>
      query(hub.databaseUrl, "select id, stage from wake where id = any($1) order by stage", [
        [keptWake, deletedWake, openWake],
      ]);
    await expect.poll(rows, { timeout: 10_000 }).toEqual([
      { id: openWake, stage: "accepted" },
      { id: keptWake, stage: "cancelled" },
    ]);

    await hub.restart();
    expect((await wakeOf(openWake)).stages.at(-1)).toMatchObject({ stage: "failed", code: "HUB_RESTARTED" });
    expect((await wakeOf(openWake)).finishedAt).not.toBeNull();
    expect(await hub.api.delete(`/wakes/${openWake}`)).toMatchObject({ status: 409, body: { code: "WAKE_OVER" } });
    expect((await hub.api.get(`/devices/${open.id}`)).body.lastWake).toMatchObject({ outcome: "failed", by: "admin" });
    const page = (await hub.api.get("/wakes?limit=1")).body;
    expect(page.items).toHaveLength(1);
    const rest = (await hub.api.get(`/wakes?limit=200&cursor=${page.next}`)).body;
    expect(rest.items).toHaveLength(page.total - 1);
    expect((await hub.api.get("/wakes?cursor=nonsense")).body).toMatchObject({
      code: "INVALID_INPUT",
      errors: [{ path: "cursor" }],
    });
  });
});
