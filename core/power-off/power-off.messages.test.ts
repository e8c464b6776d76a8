import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { PowerOrder } from "#contracts/order.ts";
import { type TestHub, startTestHub } from "#test/fixtures/hub.ts";
import type { TokenPermission } from "#contracts/permissions.ts";
import { addPerson, addToken, firstSite } from "#test/fixtures/people.ts";
import { type TestMqttClient, connectMqtt } from "#test/fixtures/mqtt.ts";
import { type ScriptedAgent, freshMac, freshName, startScriptedAgent } from "#test/fixtures/scripted-agent.ts";

/** Power requests by MQTT: on `set` topics and on `hub/request/power`. */

let hub: TestHub;
let pi: ScriptedAgent;
let own: ScriptedAgent;
let cluster: { id: string; key: string };
const clients: TestMqttClient[] = [];

beforeAll(async () => {
  hub = await startTestHub();
  cluster = (await hub.api.post("/clusters", { name: "Lab" })).body;
  pi = await startScriptedAgent(hub, { name: "Pi", clusterId: cluster.id });
  own = await startScriptedAgent(hub, { name: "Own", clusterId: cluster.id });
});

afterAll(async () => {
  for (const client of clients) await client.close();
  await pi.close();
  await own.close();
  await hub.close();
});

async function clientWith(permissions: string[], version: 4 | 5 = 5) {
  const { body } = await hub.api.post("/mqtt-clients", { name: freshName("Client"), permissions });
  const { username, password } = body;
  const filters = permissions.includes("read") ? ["powerbeacon/#"] : [`powerbeacon/client/${username}/response/#`];
  const mqtt = await connectMqtt(hub.mqttUrl, { username, password, protocolVersion: version }, filters);
  clients.push(mqtt);
  const say = (topic: string, payload: string | object, properties: object = {}, retain = false) =>
    mqtt.client.publishAsync(`powerbeacon/${topic}`, typeof payload === "string" ? payload : JSON.stringify(payload), {
      qos: 1,
      retain,
      properties,
    });
  return { ...mqtt, username: username as string, say };
}

async function machine(fields: object = {}) {
  const about = { name: freshName("Box"), mac: freshMac(), clusterId: cluster.id, agentIds: [pi.id], ...fields };
  const { body } = await hub.api.post("/devices", about);
  await own.runsOn(body);
  await pi.sees({ [body.key]: true });
  const power = async () => (await hub.api.get(`/devices/${body.id}`)).body.power;
  await vi.waitUntil(async () => (await power()) === "on", { timeout: 10_000 });
  const orders = () => own.powerOrders().filter(({ device }) => device === body.key);
  return {
    ...(body as { id: string; key: string; mac: string }),
    orders,
    order: async () => {
      await vi.waitUntil(() => orders().length > 0, { timeout: 10_000 });
      return orders().at(-1) as PowerOrder;
    },
    /** Nothing more comes of it. */
    calledBack: async () => {
      for (const order of orders()) await own.tells(order, "cancelled");
    },
  };
}

const resultsOf = (client: TestMqttClient, topic: RegExp) => client.on(topic).map(({ text }) => JSON.parse(text));

describe("a request on the set topic of a device", () => {
  test.each([
    ["OFF", "hibernate", false],
    ["shutdown", "shutdown", false],
    ["Sleep", "sleep", false],
    ["REBOOT", "reboot", false],
    ['{"action":"off","force":true}', "hibernate", true],
  ])("%s is an order to %s", async (payload, action, force) => {
    const box = await machine({ power: { off: "hibernate" } });
    await own.runsOn(box, { powerActions: ["shutdown", "sleep", "hibernate", "reboot"] });
    const home = await clientWith(["power"]);
    await home.say(`device/${box.key}/set`, payload);
    expect(await box.order()).toMatchObject({ action, force });
    await box.calledBack();
  });

  test("is answered with each stage, on the response topic too", async () => {
    const box = await machine();
    const home = await clientWith(["read", "power"]);
    const responseTopic = `powerbeacon/client/${home.username}/response/off`;
    const correlationData = Buffer.from("7");
    await home.say(`device/${box.key}/set`, { action: "off", transaction: "43" }, { responseTopic, correlationData });
    const order = await box.order();
    await own.tells(order, "announced", { until: new Date().toISOString(), users: 2 });
    await own.tells(order, "acknowledged");
    await own.says("offline");
    await pi.sees({ [box.key]: false });
    const stages = (topic: RegExp) => resultsOf(home, topic).map(({ stage }) => stage);
    const all = ["accepted", "sent", "announced", "acknowledged", "off"];
    const result = new RegExp(`device/${box.key}/result$`);
    await expect.poll(() => stages(result)).toEqual(all);
    await expect.poll(() => stages(/response\/off$/)).toEqual(all);
    expect(resultsOf(home, result)[2]).toMatchObject({
      transaction: "43",
      device: box.key,
      action: "shutdown",
      users: 2,
    });
    const [first] = home.on(/response\/off$/);
    expect(first?.packet.properties).toMatchObject({ correlationData, userProperties: { transaction: "43" } });
    await own.says("online");
  });

  test.each([
    ["off", ["read", "wake"], "FORBIDDEN"],
    ["on", ["read", "power"], "FORBIDDEN"],
    ["hibernate", ["read", "power"], "NOT_SUPPORTED"],
    ["explode", ["read", "power"], "INVALID_REQUEST"],
  ])("%s by a client with %s is refused with %s", async (payload, permissions, code) => {
    const box = await machine();
    const home = await clientWith(permissions);
    await home.say(`device/${box.key}/set`, payload);
    await expect
      .poll(() => resultsOf(home, new RegExp(`device/${box.key}/result$`)))
      .toMatchObject([{ stage: "refused", code, device: box.key }]);
    expect(box.orders()).toEqual([]);
  });

  test("by a person needs a token that is good for it", async () => {
    const box = await machine();
    const home = await firstSite(hub);
    const ann = await addPerson(hub, home, "user");
    await hub.api.patch(`/devices/${box.id}`, { ownerId: ann.id });
    const say = async (permissions: TokenPermission[], payload: string) => {
      const { token } = await addToken(ann.api, permissions);
      const credential = { username: `~${ann.username}`, password: token, protocolVersion: 5 as const };
      const mqtt = await connectMqtt(hub.mqttUrl, credential, [`powerbeacon/device/${box.key}/result`]);
      clients.push(mqtt);
      await mqtt.client.publishAsync(`powerbeacon/device/${box.key}/set`, payload, { qos: 1 });
      return () => resultsOf(mqtt, /result$/).at(-1);
    };
    await expect.poll(await say(["device:read", "device:power"], "WAKE")).toMatchObject({ code: "FORBIDDEN" });
    await expect.poll(await say(["device:read", "device:wake"], "OFF")).toMatchObject({ code: "FORBIDDEN" });
    expect(box.orders()).toEqual([]);
    await expect.poll(await say(["device:read", "device:power"], "OFF")).toMatchObject({ stage: "sent" });
    await box.order();
    await box.calledBack();
  });

  test("that is retained is refused, and never an order", async () => {
    const box = await machine();
    const home = await clientWith(["read", "power"]);
    await home.say(`device/${box.key}/set`, "OFF", {}, true).catch(() => {}); // refused with a reason code
    await expect
      .poll(() => resultsOf(home, new RegExp(`device/${box.key}/result$`)))
      .toMatchObject([{ stage: "refused", code: "RETAINED_COMMAND" }]);
    expect(box.orders()).toEqual([]);
  });

  test("with a transaction that was used is answered again, and ordered once", async () => {
    const box = await machine();
    const home = await clientWith(["read", "power"], 4);
    const request = { action: "sleep", transaction: "once" };
    await home.say(`device/${box.key}/set`, request);
    await own.tells(await box.order(), "refused", { code: "INHIBITED", reason: "a backup runs" });
    const results = () => resultsOf(home, new RegExp(`device/${box.key}/result$`));
    await expect
      .poll(() => results().at(-1))
      .toMatchObject({ stage: "failed", code: "INHIBITED", reason: "a backup runs" });
    const before = results().length;
    await home.say(`device/${box.key}/set`, request);
    await expect.poll(() => results().length).toBe(before + 1);
    expect(results().at(-1)).toEqual(results().at(-2));
    expect(new Set(box.orders().map(({ id }) => id)).size).toBe(1);
  });
});

test("a request for a cluster reaches each of its devices, and names those that refuse", async () => {
  const { body: lab } = await hub.api.post("/clusters", { name: freshName("Rack") });
  const watcher = await startScriptedAgent(hub, { name: "Watcher", clusterId: lab.id });
  const box = await machine();
  await hub.api.patch(`/devices/${box.id}`, { clusterId: lab.id });
  const { body: plain } = await hub.api.post("/devices", { name: "Plain", mac: freshMac(), clusterId: lab.id });
  const home = await clientWith(["read", "power"]);
  await home.say(`cluster/${lab.key}/set`, "SHUTDOWN");
  expect(await box.order()).toMatchObject({ action: "shutdown" });
  await expect
    .poll(() => resultsOf(home, new RegExp(`cluster/${lab.key}/wake/result$`)))
    .toMatchObject([{ stage: "refused", code: "NOT_SUPPORTED", device: plain.key }]);
  await box.calledBack();
  await watcher.close();
});

describe("hub/request/power", () => {
  test("answers with what came of it, and each stage follows", async () => {
    const box = await machine();
    const home = await clientWith(["read", "power"]);
    await home.say("hub/request/power", { device: box.key, action: "reboot", transaction: "t1" });
    await expect
      .poll(() => resultsOf(home, /hub\/response\/power$/).at(-1))
      .toMatchObject({
        status: "ok",
        transaction: "t1",
        data: { total: 1, wakes: [], powerOffs: [{ device: box.key, stage: "sent", powerOff: expect.any(String) }] },
      });
    await own.tells(await box.order(), "cancelled");
    await expect
      .poll(() => resultsOf(home, new RegExp(`client/${home.username}/response/power$`)).at(-1))
      .toMatchObject({ stage: "cancelled", transaction: "t1" });
  });

  test.each([
    [["wake"], "off", "FORBIDDEN"],
    [["power"], "on", "FORBIDDEN"],
    [["power"], "hibernate", "NOT_SUPPORTED"],
  ])("with %s refuses %s with %s", async (permissions, action, code) => {
    const box = await machine();
    const home = await clientWith(permissions);
    await home.say("hub/request/power", { device: box.key, action });
    await expect
      .poll(() => resultsOf(home, /response\/power$/).at(-1))
      .toMatchObject({ status: "error", error: { code } });
    expect(box.orders()).toEqual([]);
  });
});
