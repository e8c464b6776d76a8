import { afterAll, beforeAll, expect, test } from "vitest";
import type { WakeOrder } from "#contracts/order.ts";
import { query } from "#test/fixtures/database.ts";
import { type TestHub, startTestHub } from "#test/fixtures/hub.ts";
import { type ScriptedAgent, freshMac, freshName, startScriptedAgent } from "#test/fixtures/scripted-agent.ts";

/** What is learned of a wake, and what the next ones make of it. */

let hub: TestHub;
let clusterId: string;
let pi: ScriptedAgent;
let nuc: ScriptedAgent;

beforeAll(async () => {
  hub = await startTestHub();
  clusterId = (await hub.api.post("/clusters", { name: "Lab" })).body.id;
  pi = await startScriptedAgent(hub, { name: "Pi", clusterId });
  nuc = await startScriptedAgent(hub, { name: "Nuc", clusterId });
});

afterAll(async () => {
  await pi.close();
  await nuc.close();
  await hub.close();
});

interface DeviceRow {
  readonly id: string;
  readonly key: string;
}

const deviceOf = async ({ id }: DeviceRow) => (await hub.api.get(`/devices/${id}`)).body;

/** A device that its agents have seen off. */
async function addDevice(fields: object = {}): Promise<DeviceRow> {
  const { body } = await hub.api.post("/devices", {
    name: freshName("Box"),
    mac: freshMac(),
    clusterId,
    address: "10.0.0.30",
    ...fields,
  });
  await isSeen(body, false);
  return body;
}

async function isSeen(device: DeviceRow, up: boolean, by: readonly ScriptedAgent[] = [pi, nuc]): Promise<void> {
  for (const agent of by) await agent.sees({ [device.key]: up });
  await expect.poll(async () => (await deviceOf(device)).power).toBe(up ? "on" : "off");
}

/** The orders for a device that reached an agent, once there are so many. */
async function ordersFor(agent: ScriptedAgent, { key }: DeviceRow, count: number): Promise<WakeOrder[]> {
  const orders = () => agent.orders().filter(({ targets }) => targets.some(({ device }) => device === key));
  await expect.poll(() => orders().length, { timeout: 15_000 }).toBeGreaterThanOrEqual(count);
  return orders();
}

const targetIn = (order: WakeOrder | undefined, { key }: DeviceRow) =>
  order?.targets.find(({ device }) => device === key);

/** Says that it sent, to the directed broadcast address of its network. */
async function sends(agent: ScriptedAgent, order: WakeOrder | undefined, { key }: DeviceRow): Promise<void> {
  const destinations = [{ address: "10.0.0.255", port: 9, interface: "eth0", error: null }];
  const targets = [{ device: key, outcome: "sent", reason: null, packets: 3, destinations }];
  await agent.publish("receipt", { order: order?.id, at: new Date().toISOString(), targets });
}

/** A wake that one agent's packets brought about, as its neighbour table shows. */
async function wokenBy(agent: ScriptedAgent, device: DeviceRow): Promise<void> {
  const { body } = await hub.api.post(`/devices/${device.id}/wake`);
  const order = (await ordersFor(agent, device, 1)).at(-1);
  for (const one of [pi, nuc]) await sends(one, order, device);
  await expect.poll(async () => (await hub.api.get(`/wakes/${body.wake}`)).body.stages.length).toBeGreaterThan(2);
  await agent.sees({ [device.key]: true });
  await expect.poll(async () => (await hub.api.get(`/wakes/${body.wake}`)).body.stage).toBe("awake");
}

test("the agent and the way that woke a device are tried first the next time, and everybody follows", async () => {
  const device = await addDevice();
  expect(await deviceOf(device)).toMatchObject({ typicalWakeSeconds: null, slowWakeSeconds: null });
  await wokenBy(nuc, device);
  expect((await deviceOf(device)).typicalWakeSeconds).toEqual(expect.any(Number));
  await isSeen(device, false);

  await hub.api.post(`/devices/${device.id}/wake`);
  const [, first, second] = (await ordersFor(nuc, device, 3)).map((order) => targetIn(order, device));
  expect(first).toMatchObject({ agents: ["nuc"], reach: ["directed"], interfaces: ["eth0"] });
  expect(second).toMatchObject({ agents: [] });
  expect(second).not.toHaveProperty("reach");
});

test("a wake goes wider with each burst, and to the device's own address", async () => {
  const device = await addDevice();
  await hub.api.post(`/devices/${device.id}/wake`);
  const orders = await ordersFor(pi, device, 2);
  expect(targetIn(orders[0], device)).not.toHaveProperty("reach");
  expect(targetIn(orders[1], device)).toMatchObject({
    reach: ["directed", "limited", "all-nodes", "unicast"],
    unicast: "10.0.0.30",
  });
});

test("where a device says itself where packets go, every burst goes there", async () => {
  const device = await addDevice({ wake: { addresses: ["10.0.0.255"], ports: [7] } });
  await hub.api.post(`/devices/${device.id}/wake`);
  for (const order of (await ordersFor(pi, device, 2)).slice(0, 2)) {
    expect(targetIn(order, device)).toMatchObject({ addresses: ["10.0.0.255"], ports: [7] });
    expect(targetIn(order, device)).not.toHaveProperty("reach");
    expect(targetIn(order, device)).not.toHaveProperty("unicast");
  }
});

test("when the device's own agent is away in the middle of a wake, or cannot send, the others of the cluster are asked", async () => {
  const [leaving, failing] = [await addDevice({ agentIds: [pi.id] }), await addDevice({ agentIds: [pi.id] })];
  await hub.api.post(`/devices/${failing.id}/wake`);
  await hub.api.post(`/devices/${leaving.id}/wake`);
  await pi.answers((await ordersFor(pi, failing, 1))[0] as WakeOrder, "failed", "eth0 is down");
  await ordersFor(pi, leaving, 1);
  await pi.says("offline");
  const isAsked = (device: DeviceRow) =>
    nuc.orders().some((order) => {
      const target = targetIn(order, device);
      return target && (target.agents.length === 0 || target.agents.some((agent) => agent === "nuc"));
    });
  await expect.poll(() => [isAsked(leaving), isAsked(failing)], { timeout: 15_000 }).toEqual([true, true]);
  await pi.says("online");
});

test("another network card has learned nothing yet", async () => {
  const device = await addDevice();
  await wokenBy(pi, device);
  await hub.api.patch(`/devices/${device.id}`, { mac: freshMac() });
  expect((await deviceOf(device)).typicalWakeSeconds).toBeNull();
});

test("an agent on the machine itself is not asked to wake it", async () => {
  const { body: alone } = await hub.api.post("/clusters", { name: freshName("Alone") });
  const self = await startScriptedAgent(hub, { name: "Self", clusterId: alone.id });
  const { body: device } = await hub.api.post("/devices", {
    name: freshName("Box"),
    mac: freshMac(),
    clusterId: alone.id,
    power: { ownAgentId: self.id },
  });
  const answer = await hub.api.post(`/devices/${device.id}/wake`, { force: true });
  expect(answer).toMatchObject({ status: 409, body: { code: "NO_AGENT" } });
  expect(answer.body.detail).toContain("on the device itself");
  await self.close();
});

test("what was learned outlives a restart", async () => {
  const device = await addDevice();
  await wokenBy(pi, device);
  const { typicalWakeSeconds } = await deviceOf(device);
  const rows = () => query(hub.databaseUrl, "select ways from wake_recipe where device_id = $1", [device.id]);
  await expect
    .poll(rows, { timeout: 10_000 })
    .toMatchObject([{ ways: [{ agentId: pi.id, interface: "eth0", address: "10.0.0.255", port: 9, successes: 1 }] }]);
  await hub.restart();
  expect(await deviceOf(device)).toMatchObject({ typicalWakeSeconds, slowWakeSeconds: typicalWakeSeconds });
});
