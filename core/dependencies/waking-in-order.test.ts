import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { decodeJwt } from "jose";
import { type ProbeOrder } from "#contracts/order.ts";
import { type TestHub, startTestHub } from "#test/fixtures/hub.ts";
import { type TestMqttClient, connectMqtt } from "#test/fixtures/mqtt.ts";
import { type ScriptedAgent, freshMac, freshName, startScriptedAgent } from "#test/fixtures/scripted-agent.ts";

/** Wakes of devices that need others, with an agent that a test speaks for. */

let hub: TestHub;
let client: TestMqttClient;
let agent: ScriptedAgent;
let clusterId: string;
let clusterKey: string;

beforeAll(async () => {
  hub = await startTestHub();
  const { body } = await hub.api.post("/clusters", { name: "Lab" });
  [clusterId, clusterKey] = [body.id, body.key];
  agent = await startScriptedAgent(hub, { name: "One", clusterId });
  const { body: credential } = await hub.api.post("/mqtt-clients", { name: "HA", permissions: ["read", "wake"] });
  const { username, password } = credential;
  client = await connectMqtt(hub.mqttUrl, { username, password, protocolVersion: 5 }, ["powerbeacon/#"]);
});

afterAll(async () => {
  await client.close();
  await agent.close();
  await hub.close();
});

const PATIENCE = { timeout: 8_000 };

interface Box {
  readonly id: string;
  readonly key: string;
}

async function addDevice(
  name: string,
  needs: readonly (Box | [Box, number])[] = [],
  fields: object = {},
): Promise<Box> {
  const dependsOn = needs.map((need) =>
    "id" in need ? { deviceId: need.id } : { deviceId: need[0].id, ready: { type: "tcp", port: need[1] } },
  );
  const { body, status } = await hub.api.post("/devices", {
    name: freshName(name),
    mac: freshMac(),
    clusterId,
    dependsOn,
    ...fields,
  });
  expect(status).toBe(201);
  return body;
}

const wake = async (device: Box, body?: object) => (await hub.api.post(`/devices/${device.id}/wake`, body)).body;
const wakeOf = async (id: string) => (await hub.api.get(`/wakes/${id}`)).body;
const stagesOf = async (id: string) => (await wakeOf(id)).stages.map(({ stage }: { stage: string }) => stage);
const powerOf = async (device: Box) => (await hub.api.get(`/devices/${device.id}`)).body.power;

/** The devices that orders named so far, in order, each once. */
const ordered = (...among: readonly Box[]) => [
  ...new Set(
    agent
      .orders()
      .flatMap(({ targets }) => targets.map(({ device }) => device))
      .filter((key) => among.some((device) => device.key === key)),
  ),
];

async function comesUp(device: Box): Promise<void> {
  await expect.poll(() => ordered(device), PATIENCE).toEqual([device.key]);
  const order = agent.orders().find(({ targets }) => targets.some((target) => target.device === device.key));
  if (!order) throw new Error("there is no order");
  await agent.answers({ ...order, targets: order.targets.filter((target) => target.device === device.key) }, "sent");
  await agent.sees({ [device.key]: true });
}

describe("a wake of a device that needs another", () => {
  test("wakes that one first, waits as `waking`, and follows when it is seen", async () => {
    const nas = await addDevice("NAS");
    const pc = await addDevice("PC", [nas]);
    await agent.sees({ [nas.key]: false, [pc.key]: false });
    const { wake: id, stage, reason } = await wake(pc);
    expect({ stage, reason }).toEqual({ stage: "waiting", reason: `It waits for "${nas.key}" to be on` });
    expect((await wakeOf(id)).stages).toMatchObject([
      { stage: "waiting", for: [nas.key], reason: `It waits for "${nas.key}" to be on` },
    ]);
    expect(await powerOf(pc)).toBe("waking");
    await expect.poll(() => ordered(nas, pc)).toEqual([nas.key]);
    await comesUp(nas);
    await comesUp(pc);
    await expect.poll(() => stagesOf(id), PATIENCE).toEqual(["waiting", "accepted", "sent", "awake"]);
    expect(ordered(nas, pc)).toEqual([nas.key, pc.key]);
    const { items } = (await hub.api.get(`/devices/${nas.id}/wakes`)).body;
    expect(items).toMatchObject([{ stage: "awake", requestedBy: "admin" }]);
  });

  test("begins at once when that one is on", async () => {
    const nas = await addDevice("NAS");
    const pc = await addDevice("PC", [nas]);
    await agent.sees({ [nas.key]: true });
    await expect.poll(() => powerOf(nas)).toBe("on");
    expect((await wake(pc)).stage).toBe("accepted");
  });

  test("goes along a chain, one after the other", async () => {
    const ups = await addDevice("UPS");
    const nas = await addDevice("NAS", [ups]);
    const pc = await addDevice("PC", [nas]);
    const { wake: id } = await wake(pc);
    for (const device of [ups, nas, pc]) await comesUp(device);
    await expect.poll(async () => (await wakeOf(id)).stage, PATIENCE).toBe("awake");
    expect(ordered(ups, nas, pc)).toEqual([ups.key, nas.key, pc.key]);
  });

  test("waits for its service, which an agent is asked about", async () => {
    const nas = await addDevice("NAS", [], { address: "192.168.77.7" });
    const pc = await addDevice("PC", [[nas, 2049]]);
    await agent.sees({ [nas.key]: true });
    await expect.poll(() => powerOf(nas)).toBe("on");
    const { wake: id } = await wake(pc);
    expect((await wakeOf(id)).stages.at(-1)).toMatchObject({
      for: [nas.key],
      reason: `It waits for "${nas.key}" to accept connections on port 2049`,
    });
    const probes = () =>
      agent.mqtt
        .on(/\/order$/)
        .map(({ text }) => decodeJwt(text) as unknown as ProbeOrder)
        .filter(({ type, device }) => type === "probe" && device === nas.key);
    await expect.poll(() => probes().length).toBe(1);
    expect(probes()[0]).toMatchObject({ address: "192.168.77.7", tcpPort: 2049 });
    const answer = async (open: boolean, count: number) => {
      await expect.poll(() => probes().length, PATIENCE).toBe(count);
      const order = probes().at(-1)?.id;
      const probe = { device: nas.key, tcpPort: 2049, open, reason: open ? null : "refused" };
      await agent.publish("receipt", { order, at: new Date().toISOString(), probe });
    };
    await answer(false, 1);
    await answer(true, 2);
    await expect.poll(async () => (await wakeOf(id)).stage, PATIENCE).toBe("accepted");
  });

  test("fails with that one, and names it, while others go on", async () => {
    const nas = await addDevice("NAS", [], { wake: { windowSeconds: 5 } });
    const [pc, tv] = [await addDevice("PC", [nas]), await addDevice("TV")];
    const { wake: id } = await wake(pc);
    expect((await wake(tv)).stage).toBe("accepted");
    await comesUp(tv);
    await expect
      .poll(async () => (await wakeOf(id)).stages.at(-1), { timeout: 15_000 })
      .toMatchObject({
        stage: "failed",
        code: "NEED_FAILED",
        reason: expect.stringContaining(`It needs "${nas.key}"`),
      });
    expect(await powerOf(tv)).toBe("on");
    expect(ordered(pc)).toEqual([]);
  });

  test("fails at once where that one can be woken by nobody", async () => {
    const nas = await addDevice("NAS", [], { enabled: false });
    const pc = await addDevice("PC", [nas]);
    expect(await hub.api.post(`/devices/${pc.id}/wake`)).toMatchObject({
      status: 409,
      body: { code: "NEED_FAILED", detail: `It needs "${nas.key}": This device is disabled` },
    });
    expect((await hub.api.get(`/devices/${pc.id}/wakes`)).body.items).toMatchObject([{ stage: "failed" }]);
  });

  test("can be cancelled, joined and given up while it waits", async () => {
    const nas = await addDevice("NAS");
    const [a, b, c] = [await addDevice("A", [nas]), await addDevice("B", [nas]), await addDevice("C", [nas])];
    const ids = await Promise.all([a, b, c].map(async (device) => (await wake(device)).wake));
    expect((await wake(a)).wake).toBe(ids[0]);
    expect((await hub.api.delete(`/wakes/${ids[0]}`)).body.stage).toBe("cancelled");
    await hub.api.patch(`/devices/${b.id}`, { enabled: false });
    expect(await stagesOf(ids[1])).toEqual(["waiting", "cancelled"]);
    await hub.api.delete(`/devices/${nas.id}`); // c needs nothing any more
    await expect.poll(() => ordered(a, b, c), PATIENCE).toEqual([c.key]);
    expect(await powerOf(a)).not.toBe("waking");
  });
});

describe("a wake by MQTT", () => {
  test("tells that it waits, and for whom", async () => {
    const nas = await addDevice("NAS");
    const pc = await addDevice("PC", [nas]);
    const payload = JSON.stringify({ devices: [pc.key], transaction: "w1" });
    await client.client.publishAsync(`powerbeacon/cluster/${clusterKey}/wake`, payload, { qos: 1 });
    const results = () =>
      client
        .on(/wake\/result$/)
        .map(({ text }) => JSON.parse(text))
        .filter(({ device }) => device === pc.key);
    await expect.poll(results).toMatchObject([{ stage: "waiting", for: [nas.key], transaction: "w1" }]);
    await comesUp(nas);
    await expect.poll(() => results().map(({ stage }) => stage), PATIENCE).toEqual(["waiting", "accepted"]);
    await comesUp(pc);
    const events = () =>
      client.on(new RegExp(`device/${pc.key}/event$`)).map(({ text }) => JSON.parse(text).event_type);
    await expect.poll(events, PATIENCE).toEqual(["wake_requested", "wake_succeeded"]);
    const states = client.on(new RegExp(`device/${pc.key}/state$`)).map(({ text }) => text);
    expect(states.slice(states.indexOf("ON")).filter((state) => state !== "ON")).toEqual([]);
  });
});

test("a client wakes nothing through needs that lead out of its clusters", async () => {
  const { body: elsewhere } = await hub.api.post("/clusters", { name: freshName("Elsewhere") });
  const nas = await addDevice("NAS", [], { clusterId: elsewhere.id });
  const pc = await addDevice("PC", [nas]);
  const { body } = await hub.api.post("/mqtt-clients", { name: "Lab", permissions: ["wake"], clusterIds: [clusterId] });
  const { username, password } = body;
  const lab = await connectMqtt(hub.mqttUrl, { username, password, protocolVersion: 5 });
  await lab.client.publishAsync(`powerbeacon/cluster/${clusterKey}/wake`, pc.key, { qos: 1 });
  const refusals = () =>
    client
      .on(/wake\/result$/)
      .map(({ text }) => JSON.parse(text))
      .filter(({ device }) => device === pc.key);
  await expect
    .poll(refusals)
    .toMatchObject([{ stage: "refused", code: "FORBIDDEN", reason: `It needs "${nas.key}": you may not wake it` }]);
  expect((await hub.api.get(`/devices/${nas.id}/wakes`)).body.items).toEqual([]);
  await lab.close();
});

describe("a cluster with a pace", () => {
  test("starts so many at a time, and the next when one is over", async () => {
    const { body: room } = await hub.api.post("/clusters", { name: freshName("Room"), pace: { atOnce: 2 } });
    const inside = await startScriptedAgent(hub, { name: freshName("Inside"), clusterId: room.id });
    const boxes: Box[] = [];
    for (const name of ["A", "B", "C"]) boxes.push(await addDevice(name, [], { clusterId: room.id }));
    const { wakes } = (await hub.api.post(`/clusters/${room.id}/wake`)).body;
    const stages = async () =>
      await Promise.all(wakes.map(async (part: { wake: string }) => (await wakeOf(part.wake)).stage));
    expect(await stages()).toEqual(["accepted", "accepted", "waiting"]);
    expect((await wakeOf(wakes[2].wake)).stages.at(-1).reason).toContain("2 at a time");
    await inside.sees({ [boxes[0]?.key ?? ""]: true });
    await expect.poll(stages, PATIENCE).toEqual(["awake", "accepted", "accepted"]);
    await inside.close();
  });

  test("starts them apart", async () => {
    const { body: room } = await hub.api.post("/clusters", { name: freshName("Room"), pace: { staggerMs: 400 } });
    const inside = await startScriptedAgent(hub, { name: freshName("Inside"), clusterId: room.id });
    for (const name of ["A", "B", "C"]) await addDevice(name, [], { clusterId: room.id });
    const { wakes } = (await hub.api.post(`/clusters/${room.id}/wake`)).body;
    expect(wakes.map(({ stage }: { stage: string }) => stage)).toEqual(["accepted", "waiting", "waiting"]);
    const begun = async () => {
      const all = await Promise.all(wakes.map((part: { wake: string }) => wakeOf(part.wake)));
      return all.flatMap(({ stages }) => stages.find((one: { stage: string }) => one.stage === "accepted")?.at ?? []);
    };
    await expect.poll(async () => (await begun()).length, PATIENCE).toBe(3);
    const times = (await begun()).map((at) => Date.parse(at));
    expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThanOrEqual(390);
    expect((times[2] ?? 0) - (times[1] ?? 0)).toBeGreaterThanOrEqual(390);
    await inside.close();
  });
});

test("a wake that waits ends with a restart of the hub as all wakes do", async () => {
  const nas = await addDevice("NAS");
  const pc = await addDevice("PC", [nas]);
  const { wake: id } = await wake(pc);
  await hub.restart(); // the last test: nobody else is connected any more
  expect((await wakeOf(id)).stages.at(-1)).toMatchObject({ stage: "failed", code: "HUB_RESTARTED" });
});
