import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type TestHub, startTestHub } from "#test/fixtures/hub.ts";
import { type TestMqttClient, connectMqtt } from "#test/fixtures/mqtt.ts";
import { type ScriptedAgent, freshMac, freshName, startScriptedAgent } from "#test/fixtures/scripted-agent.ts";

/** Power-offs of devices that others need: each machine has an agent of its own, and one beside them watches. */

const PATIENCE = { timeout: 10_000 };

let hub: TestHub;
let client: TestMqttClient;
let cluster: { id: string; key: string };
let pi: ScriptedAgent;
let agents: ScriptedAgent[];

beforeAll(async () => {
  hub = await startTestHub();
  cluster = (await hub.api.post("/clusters", { name: "Lab" })).body;
  pi = await startScriptedAgent(hub, { name: "Pi", clusterId: cluster.id });
  agents = await Promise.all(["a", "b", "c"].map((name) => startScriptedAgent(hub, { name, clusterId: cluster.id })));
  const { body } = await hub.api.post("/mqtt-clients", { name: "HA", permissions: ["read", "wake", "power"] });
  const { username, password } = body;
  client = await connectMqtt(hub.mqttUrl, { username, password, protocolVersion: 5 }, ["powerbeacon/#"]);
});

afterAll(async () => {
  await client.close();
  for (const agent of [pi, ...agents]) await agent.close();
  await hub.close();
});

type Machine = Awaited<ReturnType<typeof addMachine>>;

async function addMachine(name: string, index: number, needs: readonly string[]) {
  const { body, status } = await hub.api.post("/devices", {
    name: freshName(name),
    mac: freshMac(),
    clusterId: cluster.id,
    agentIds: [pi.id],
    dependsOn: needs.map((deviceId) => ({ deviceId })),
  });
  expect(status).toBe(201);
  const own = agents[index] as ScriptedAgent;
  await own.says("online");
  await own.runsOn(body);
  await pi.sees({ [body.key]: true });
  const power = async () => (await hub.api.get(`/devices/${body.id}`)).body.power;
  await vi.waitUntil(async () => (await power()) === "on", PATIENCE);
  const orders = () => own.powerOrders().filter(({ device }) => device === body.key);
  return { ...(body as { id: string; key: string }), own, power, orders };
}

/** A file server, a host that needs it, and a machine that needs that one; all of them are on. */
async function threeMachines(): Promise<[Machine, Machine, Machine]> {
  for (const { id } of (await hub.api.get("/devices")).body.items) await hub.api.delete(`/devices/${id}`);
  const nas = await addMachine("NAS", 0, []);
  const host = await addMachine("Host", 1, [nas.id]);
  return [nas, host, await addMachine("PC", 2, [host.id])];
}

async function isOrdered(machine: Machine) {
  await vi.waitUntil(() => machine.orders().length > 0, PATIENCE);
  const order = machine.orders().at(-1);
  if (!order) throw new Error("there is no order");
  return order;
}

async function goesDown(machine: Machine): Promise<void> {
  await machine.own.tells(await isOrdered(machine), "acknowledged");
  await machine.own.says("offline");
  await pi.sees({ [machine.key]: false });
  await vi.waitUntil(async () => (await machine.power()) === "off", PATIENCE);
}

const off = (machine: Machine, more: object = {}) =>
  hub.api.post(`/devices/${machine.id}/power`, { action: "off", ...more });

describe("a device that another one needs", () => {
  test("stays on while that one is on, unless it is forced", async () => {
    const [nas, host] = await threeMachines();
    expect(await off(nas)).toMatchObject({
      status: 409,
      body: { code: "NEEDED_BY", detail: `"${host.key}" is on and needs it` },
    });
    expect(nas.orders()).toEqual([]);
    expect((await off(nas, { force: true })).body.stage).toBe("sent");
  });
});

test("a power-off of what is needed again is overruled by the wake that needs it", async () => {
  const [nas, host, pc] = await threeMachines();
  for (const machine of [pc, host]) {
    await machine.own.says("offline");
    await pi.sees({ [machine.key]: false });
    await vi.waitUntil(async () => (await machine.power()) === "off", PATIENCE);
  }
  const { powerOff } = (await off(nas)).body;
  const order = await isOrdered(nas);
  await nas.own.tells(order, "announced", { until: new Date(Date.now() + 60_000).toISOString() });
  const { body } = await hub.api.post(`/devices/${host.id}/wake`);
  expect(body.stage).toBe("waiting");
  expect((await hub.api.get(`/power-offs/${powerOff}`)).body.stage).toBe("cancelled");
  await nas.own.tells(order, "cancelled");
  await pi.sees({ [nas.key]: true });
  const stage = async () => (await hub.api.get(`/wakes/${body.wake}`)).body.stage;
  await expect.poll(stage, PATIENCE).toBe("accepted");
});

describe("a cluster goes down", () => {
  test("with whoever needs one before it, each when the last was seen off", async () => {
    const [nas, host, pc] = await threeMachines();
    await client.client.publishAsync(`powerbeacon/cluster/${cluster.key}/set`, "SHUTDOWN", { qos: 1 });
    await isOrdered(pc);
    expect([host.orders(), nas.orders()]).toEqual([[], []]);
    await goesDown(pc);
    await isOrdered(host);
    expect(nas.orders()).toEqual([]);
    await goesDown(host);
    await goesDown(nas);
    const results = client.on(/\/result$/).map(({ text }) => JSON.parse(text));
    const gone = results.filter(({ stage }) => stage === "off").map(({ device }) => device);
    expect(gone.slice(-3)).toEqual([pc.key, host.key, nas.key]);
  });

  test("and leaves on what one needs that does not go", async () => {
    const [nas, host, pc] = await threeMachines();
    const { body } = await hub.api.post(`/clusters/${cluster.id}/power`, { action: "shutdown" });
    const idOf = (machine: Machine) =>
      body.devices.find(({ device }: { device: string }) => device === machine.key)?.powerOff as string;
    const powerOff = async (machine: Machine) => (await hub.api.get(`/power-offs/${idOf(machine)}`)).body;
    expect((await powerOff(host)).stage).toBe("accepted");
    await pc.own.tells(await isOrdered(pc), "refused", { code: "INHIBITED", reason: "A backup runs" });
    for (const [machine, by] of [
      [host, pc],
      [nas, host],
    ] as const)
      await expect
        .poll(async () => (await powerOff(machine)).stages.at(-1), PATIENCE)
        .toMatchObject({ stage: "failed", code: "NEEDED_BY", reason: `"${by.key}" is on and needs it` });
    expect([host.orders(), nas.orders()]).toEqual([[], []]);
  });

  test("so many at a time, where its pace says so", async () => {
    const [nas, host, pc] = await threeMachines();
    for (const machine of [host, pc]) await hub.api.patch(`/devices/${machine.id}`, { dependsOn: null });
    await hub.api.patch(`/clusters/${cluster.id}`, { pace: { atOnce: 2 } });
    await hub.api.post(`/clusters/${cluster.id}/power`, { action: "shutdown" });
    const begun = () => [nas, host, pc].filter((machine) => machine.orders().length > 0);
    await expect.poll(() => begun().length, PATIENCE).toBe(2);
    const [first] = begun();
    if (first) await goesDown(first);
    await expect.poll(() => begun().length, PATIENCE).toBe(3);
    await hub.api.patch(`/clusters/${cluster.id}`, { pace: null });
  });
});
