import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { PlanStep } from "#contracts/api/plans.ts";
import { type TestHub, startTestHub } from "#test/fixtures/hub.ts";
import { type TestMqttClient, connectMqtt } from "#test/fixtures/mqtt.ts";
import { BEHIND_PROXY, type Person, addPerson, firstSite } from "#test/fixtures/people.ts";
import { type ScriptedAgent, freshMac, freshName, startScriptedAgent } from "#test/fixtures/scripted-agent.ts";

/** What would be done, told before it is. */

let hub: TestHub;
let agent: ScriptedAgent;
let client: TestMqttClient;
let room: { id: string; key: string };
let ann: Person;
let viewer: Person;

beforeAll(async () => {
  hub = await startTestHub(BEHIND_PROXY);
  room = (await hub.api.post("/clusters", { name: "Lab", pace: { staggerMs: 250, atOnce: 3 } })).body;
  agent = await startScriptedAgent(hub, { name: "Pi", clusterId: room.id });
  const site = await firstSite(hub);
  [ann, viewer] = [await addPerson(hub, site, "user"), await addPerson(hub, site, "viewer")];
  const { body } = await hub.api.post("/mqtt-clients", { name: "HA", permissions: ["read"] });
  const { username, password } = body;
  client = await connectMqtt(hub.mqttUrl, { username, password, protocolVersion: 5 }, ["powerbeacon/hub/response/#"]);
});

afterAll(async () => {
  await client.close();
  await agent.close();
  await hub.close();
});

async function addDevice(name: string, fields: object = {}): Promise<{ id: string; key: string }> {
  const { body, status } = await hub.api.post("/devices", { name: freshName(name), mac: freshMac(), ...fields });
  expect(status).toBe(201);
  return body;
}

const needs = (...devices: readonly { id: string }[]) => ({ dependsOn: devices.map(({ id }) => ({ deviceId: id })) });
const short = ({ device, verdict, code, after, asked }: PlanStep) => ({
  device,
  verdict: code ?? verdict,
  after,
  asked,
});

describe("the plan of a wake", () => {
  test("brings what is needed first, says who sends where and what the doctor finds, and sends nothing", async () => {
    const nas = await addDevice("NAS", { clusterId: room.id });
    const addressed = { wake: { addresses: ["192.168.7.255"], ports: [9] } };
    const pc = await addDevice("PC", { clusterId: room.id, ...addressed, ...needs(nas) });
    const { body } = await hub.api.get(`/devices/${pc.id}/plan`);
    expect(body).toMatchObject({ action: "wake", staggerMs: 0, atOnce: null });
    expect(body.steps.map(short)).toEqual([
      { device: nas.key, verdict: "go", after: [], asked: false },
      { device: pc.key, verdict: "go", after: [nas.key], asked: true },
    ]);
    expect(body.steps[0]).toMatchObject({ agents: [agent.key], destinations: expect.arrayContaining(["directed:9"]) });
    expect(body.steps[1]).toMatchObject({ destinations: ["192.168.7.255:9"], typicalSeconds: null, way: null });
    expect(body.steps[0].findings.map(({ code }: { code: string }) => code)).toContain("NEVER_WOKEN");
    expect(agent.orders()).toEqual([]);
    expect((await hub.api.get(`/devices/${nas.id}/wakes`)).body.items).toEqual([]);
    for (const { id } of [pc, nas]) await hub.api.delete(`/devices/${id}`);
  });

  test("of a cluster tells its pace, and is what then happens", async () => {
    const nas = await addDevice("NAS", { clusterId: room.id });
    const others = [];
    for (const name of ["A", "B"]) others.push(await addDevice(name, { clusterId: room.id, ...needs(nas) }));
    const { body: plan } = await hub.api.get(`/clusters/${room.id}/plan?action=wake`);
    expect(plan).toMatchObject({ staggerMs: 250, atOnce: 3 });
    expect(plan.steps.map(({ startsAfterMs }: PlanStep) => startsAfterMs)).toEqual([0, 250, 500]);
    expect(plan.steps[0].device).toBe(nas.key);
    const { wakes } = (await hub.api.post(`/clusters/${room.id}/wake`)).body;
    const stageOf = (key: string) => wakes.find(({ device }: { device: string }) => device === key)?.stage;
    expect([nas, ...others].map(({ key }) => stageOf(key))).toEqual(["accepted", "waiting", "waiting"]);
    for (const { id } of [nas, ...others]) await hub.api.delete(`/devices/${id}`);
  });

  test("names what somebody may not wake, as the wake itself does", async () => {
    const nas = await addDevice("NAS", { clusterId: room.id });
    const pc = await addDevice("PC", { clusterId: room.id, ownerId: ann.id, ...needs(nas) });
    const { body } = await ann.api.get(`/devices/${pc.id}/plan`);
    expect(body.steps.map(short)).toMatchObject([
      { device: nas.key, verdict: "FORBIDDEN", asked: false },
      { device: pc.key, verdict: "FORBIDDEN", asked: true },
    ]);
    const refused = await ann.api.post(`/devices/${pc.id}/wake`);
    expect(refused).toMatchObject({ status: 403, body: { code: "FORBIDDEN", detail: body.steps[1].reason } });
    expect(refused.body.detail).toContain(`"${nas.key}"`);
    await agent.sees({ [nas.key]: true });
    await expect.poll(async () => (await ann.api.post(`/devices/${pc.id}/wake`)).status).toBe(202);
    const { body: seen } = await viewer.api.get(`/devices/${pc.id}/plan`);
    expect(seen.steps.at(-1)).toMatchObject({ code: "FORBIDDEN", reason: "You may not wake this device", agents: [] });
    for (const { id } of [pc, nas]) await hub.api.delete(`/devices/${id}`);
  });
});

test("the plan of a power-off tells whose ground it would take", async () => {
  const nas = await addDevice("NAS", { clusterId: room.id });
  const pc = await addDevice("PC", { clusterId: room.id, ...needs(nas) });
  await agent.sees({ [nas.key]: true, [pc.key]: true });
  await expect.poll(async () => (await hub.api.get(`/devices/${nas.id}`)).body.power).toBe("on");
  const { body } = await hub.api.get(`/devices/${nas.id}/plan?action=off`);
  expect(body.steps).toMatchObject([{ device: nas.key, verdict: "refused", code: "NOT_SUPPORTED" }]);
  const { body: forced } = await hub.api.get(`/clusters/${room.id}/plan?action=off&force=true`);
  expect(forced.action).toBe("off");
  expect(forced.steps.map(({ device }: PlanStep) => device)).toEqual([pc.key, nas.key]);
  for (const { id } of [pc, nas]) await hub.api.delete(`/devices/${id}`);
});

describe("what is not there has no plan", () => {
  test.each([
    ["/devices/11111111-1111-4111-8111-111111111111/plan", 404, "NOT_FOUND"],
    ["/clusters/11111111-1111-4111-8111-111111111111/plan", 404, "NOT_FOUND"],
  ])("%s", async (path, status, code) => {
    expect(await hub.api.get(path)).toMatchObject({ status, body: { code } });
  });

  test("nor has an empty cluster", async () => {
    const { body } = await hub.api.post("/clusters", { name: freshName("Empty") });
    expect(await hub.api.get(`/clusters/${body.id}/plan`)).toMatchObject({
      status: 409,
      body: { code: "CLUSTER_EMPTY" },
    });
  });
});

describe("a plan by MQTT", () => {
  const ask = async (payload: object) => {
    const transaction = freshName("t");
    const text = JSON.stringify({ ...payload, transaction });
    await client.client.publishAsync("powerbeacon/hub/request/plan", text, { qos: 1 });
    const answers = () =>
      client
        .on(/response\/plan$/)
        .map((message) => JSON.parse(message.text))
        .filter((answer) => answer.transaction === transaction);
    await expect.poll(() => answers().length).toBe(1);
    return answers()[0];
  };

  test("is the same, for whoever may see the device", async () => {
    const pc = await addDevice("PC", { clusterId: room.id });
    const { data } = await ask({ device: pc.key });
    // this client may see it, and not wake it
    expect(data).toMatchObject({ action: "wake", total: 1, steps: [{ device: pc.key, code: "FORBIDDEN" }] });
    const { status, data: ofCluster } = await ask({ cluster: room.key, action: "off" });
    expect({ status, action: ofCluster.action }).toEqual({ status: "ok", action: "off" });
    await hub.api.delete(`/devices/${pc.id}`);
  });

  test.each([
    [{ device: "nobody" }, "UNKNOWN_DEVICE", "device"],
    [{ cluster: "nowhere" }, "UNKNOWN_CLUSTER", "cluster"],
    [{}, "INVALID_REQUEST", "device"],
    [{ device: "nas", action: "dance" }, "INVALID_REQUEST", "action"],
  ])("%j is %s", async (payload, code, field) => {
    expect(await ask(payload)).toMatchObject({ status: "error", error: { code, field } });
  });
});
