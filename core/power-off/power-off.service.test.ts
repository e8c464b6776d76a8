import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { PowerOrder } from "#contracts/order.ts";
import { type TestHub, startTestHub } from "#test/fixtures/hub.ts";
import { type TestMqttClient, connectMqtt } from "#test/fixtures/mqtt.ts";
import {
  type MachineOf,
  type ScriptedAgent,
  freshMac,
  freshName,
  startScriptedAgent,
} from "#test/fixtures/scripted-agent.ts";

/** Power-offs with agents that a test speaks for: one on the machine itself, and one beside it that watches and wakes. */

const PATIENCE = { timeout: 10_000 };

let hub: TestHub;
let home: TestMqttClient;
let clusterId: string;
let pi: ScriptedAgent;
/** Machines come and go; these run on one after the other, since nobody may join many agents in a minute. */
let agents: ScriptedAgent[];
let count = 0;

beforeAll(async () => {
  hub = await startTestHub();
  clusterId = (await hub.api.post("/clusters", { name: "Lab" })).body.id;
  pi = await startScriptedAgent(hub, { name: "Pi", clusterId });
  agents = await Promise.all(["a", "b", "c", "d", "e"].map((name) => startScriptedAgent(hub, { name, clusterId })));
  const { body } = await hub.api.post("/mqtt-clients", { name: "HA", permissions: ["read", "wake", "power"] });
  const { username, password } = body;
  home = await connectMqtt(hub.mqttUrl, { username, password, protocolVersion: 5 }, ["powerbeacon/#"]);
});

afterAll(async () => {
  await home.close();
  for (const agent of [pi, ...agents]) await agent.close();
  await hub.close();
});

/** A machine that is on, with an agent of its own, watched by Pi. */
async function machine(fields: object = {}, can: MachineOf = {}) {
  const { body, status } = await hub.api.post("/devices", {
    name: freshName("Box"),
    mac: freshMac(),
    clusterId,
    agentIds: [pi.id],
    ...fields,
  });
  expect(status).toBe(201);
  const own = agents[count++ % agents.length] as ScriptedAgent;
  await own.says("online");
  await own.runsOn(body, can);
  await pi.sees({ [body.key]: true });
  const now = async () => (await hub.api.get(`/devices/${body.id}`)).body;
  await vi.waitUntil(async () => (await now()).power === "on", PATIENCE);
  const orders = () => own.powerOrders().filter(({ device }) => device === body.key);
  const off = (action = "off", more: object = {}, query = "") =>
    hub.api.post(`/devices/${body.id}/power${query}`, { action, ...more });
  return {
    ...(body as { id: string; key: string; mac: string }),
    own,
    now,
    off,
    wake: () => hub.api.post(`/devices/${body.id}/wake`),
    /** It is gone: its agent, and what others see of it. */
    goesDown: async () => {
      await own.says("offline");
      await pi.sees({ [body.key]: false });
      await expect.poll(async () => (await now()).power).toBe("off");
    },
    orders,
    cancels: () => {
      const ids = new Set(orders().map(({ id }) => id));
      return own.cancelOrders().filter(({ order }) => ids.has(order));
    },
    order: async (): Promise<PowerOrder> => {
      await vi.waitUntil(() => orders().length > 0, PATIENCE);
      return orders().at(-1) as PowerOrder;
    },
    results: () => home.on(new RegExp(`device/${body.key}/result$`)).map(({ text }) => JSON.parse(text)),
    events: () => home.on(new RegExp(`device/${body.key}/event$`)).map(({ text }) => JSON.parse(text)),
    /** What its switch was from when it was first seen on; a state that is said again is no change. */
    states: () => {
      const all = home.on(new RegExp(`device/${body.key}/state$`)).map(({ text }) => text);
      return all.slice(all.indexOf("ON")).filter((text, at, shown) => text !== shown[at - 1]);
    },
  };
}

const powerOff = async (id: string) => (await hub.api.get(`/power-offs/${id}`)).body;
const stagesOf = async (id: string) => (await powerOff(id)).stages.map(({ stage }: { stage: string }) => stage);
const stageOf = async (id: string) => (await powerOff(id)).stage;

describe("a power-off by the agent on the machine", () => {
  test("goes to that agent alone, is announced and acknowledged, and is over when the machine is seen off", async () => {
    const box = await machine({ power: { off: "sleep", countdownSeconds: 60 } });
    const { body, status } = await box.off();
    expect([status, body]).toMatchObject([202, { device: box.key, action: "sleep", stage: "sent", wake: null }]);
    const order = await box.order();
    expect(order).toMatchObject({
      aud: `agent/${box.own.key}/order`,
      device: box.key,
      mac: box.mac,
      action: "sleep",
      force: false,
      strand: false,
      chosen: false,
      countdownSeconds: 60,
    });
    expect(order.exp - order.iat).toBe(30);
    const until = new Date(Date.now() + 60_000).toISOString();
    await box.own.tells(order, "announced", { until, users: 1 });
    await expect.poll(async () => (await box.now()).powerOff).toMatchObject({ id: body.powerOff, stage: "announced" });
    expect((await box.now()).power).toBe("on");
    await box.own.tells(order, "acknowledged", { armed: true });
    await expect.poll(async () => (await box.now()).power).toBe("stopping");
    await expect.poll(() => box.states().at(-1)).toBe("OFF");
    await pi.sees({ [box.key]: true }); // its last words are no sign that it stays
    await box.goesDown();
    const ended = await powerOff(body.powerOff);
    expect(ended).toMatchObject({ stage: "off", way: "agent", requestedBy: "admin", seconds: expect.any(Number) });
    expect(await stagesOf(body.powerOff)).toEqual(["accepted", "sent", "announced", "acknowledged", "off"]);
    expect(box.states()).toEqual(["ON", "OFF"]);
    expect(await box.now()).toMatchObject({
      powerOff: null,
      lastPowerOff: { outcome: "off", action: "sleep", by: "admin" },
    });
    expect(box.events().map(({ event_type }) => event_type)).toEqual(["power_off_requested", "power_off_succeeded"]);
    expect(pi.powerOrders()).toEqual([]);
    expect(home.on(/\/order$/)).toEqual([]);
    const { body: list } = await hub.api.get(`/devices/${box.id}/power-offs`);
    expect(list).toMatchObject({ total: 1, items: [{ id: body.powerOff, stage: "off" }] });
    expect((await hub.api.get("/audit?action=device.power-off&limit=1")).body.items).toMatchObject([
      { result: "ok", target: { name: box.key }, details: { action: "sleep", begun: 1 } },
    ]);
  });

  test("holds the HTTP answer until it is over, where that is asked for", async () => {
    const box = await machine();
    const answer = box.off("shutdown", {}, "?wait=30");
    await box.own.tells(await box.order(), "acknowledged");
    await box.goesDown();
    expect((await answer).body).toMatchObject({ stage: "off", seconds: expect.any(Number) });
  });

  test("that is asked for twice is one, and another one meanwhile is refused", async () => {
    const box = await machine();
    const [first, second] = await Promise.all([box.off("shutdown"), box.off("shutdown")]);
    expect(second.body.powerOff).toBe(first.body.powerOff);
    expect(await box.off("sleep")).toMatchObject({
      status: 409,
      body: { code: "CONFLICT", detail: /admin.*shutdown/ },
    });
    await box.order();
    expect(new Set(box.orders().map(({ id }) => id)).size).toBe(1);
  });

  test("repeats the answer to a transaction, also when it is over", async () => {
    const box = await machine();
    const transaction = randomUUID();
    const first = await box.off("shutdown", { transaction });
    await box.own.tells(await box.order(), "acknowledged");
    await box.goesDown();
    await box.own.says("online");
    await pi.sees({ [box.key]: true });
    await expect.poll(async () => (await box.now()).power).toBe("on");
    expect((await box.off("shutdown", { transaction })).body).toMatchObject({
      powerOff: first.body.powerOff,
      stage: "off",
    });
    expect(await box.off("sleep", { transaction })).toMatchObject({ status: 409, body: { code: "CONFLICT" } });
    expect(new Set(box.orders().map(({ id }) => id)).size).toBe(1);
  });

  test.each([
    ["INHIBITED", "a backup runs", "INHIBITED"],
    ["NOT_ARMED", "eth0 is not armed", "STRANDED"],
    ["WRONG_MACHINE", null, "AGENT_REFUSED"],
  ] as const)("that the agent refuses with %s fails with its reason", async (code, reason, expected) => {
    const box = await machine();
    const { body } = await box.off();
    await box.own.tells(await box.order(), "refused", { code, reason });
    await expect.poll(() => stageOf(body.powerOff)).toBe("failed");
    expect((await powerOff(body.powerOff)).stages.at(-1)).toMatchObject({
      code: expected,
      reason: expect.stringContaining(reason ?? code),
    });
    expect((await box.now()).power).toBe("on");
  });

  test.each(["CLOCK_UNKNOWN", "EXPIRED", "NOT_YET_VALID"] as const)(
    "that the agent refuses with %s is ordered anew, once, since it has asked for the time",
    async (code) => {
      const box = await machine();
      const { body } = await box.off();
      const first = await box.order();
      await box.own.tells(first, "refused", { code });
      await expect.poll(async () => (await box.order()).id, PATIENCE).not.toBe(first.id);
      await box.own.tells(first, "refused", { code: "SUPERSEDED" });
      expect(await stagesOf(body.powerOff)).toEqual(["accepted", "sent"]);
      await box.own.tells(await box.order(), "refused", { code });
      await expect.poll(() => stageOf(body.powerOff)).toBe("failed");
      expect((await powerOff(body.powerOff)).stages.at(-1)).toMatchObject({ code: "AGENT_REFUSED" });
    },
  );

  test("that the agent says failed after all leaves the machine on", async () => {
    const box = await machine();
    const { body } = await box.off();
    const order = await box.order();
    await box.own.tells(order, "acknowledged");
    await expect.poll(async () => (await box.now()).power).toBe("stopping");
    await box.own.tells(order, "failed", { reason: "logind said no" });
    await expect.poll(() => stageOf(body.powerOff)).toBe("failed");
    await expect.poll(async () => (await box.now()).power).toBe("on");
    expect(box.states()).toEqual(["ON", "OFF", "ON"]);
  });

  test("of an agent that forges receipts of others, or says again what it said, comes to nothing", async () => {
    const [box, other] = [await machine(), await machine()];
    const { body } = await box.off();
    const order = await box.order();
    await other.own.tells(order, "acknowledged");
    await box.own.tells({ id: order.id, device: other.key as PowerOrder["device"] }, "acknowledged");
    await box.own.tells(order, "refused", { code: "REPEATED" });
    await box.own.tells(order, "announced", { until: new Date().toISOString() });
    await expect.poll(() => stageOf(body.powerOff)).toBe("announced");
    await box.own.tells(order, "acknowledged");
    await box.own.tells(order, "announced");
    await box.own.tells(order, "acknowledged");
    await box.goesDown();
    await box.own.tells(order, "acknowledged");
    await box.own.tells(order, "cancelled");
    await box.own.says("online");
    await pi.sees({ [box.key]: true });
    await expect.poll(async () => (await box.now()).power).toBe("on");
    expect(await stagesOf(body.powerOff)).toEqual(["accepted", "sent", "announced", "acknowledged", "off"]);
  });

  test("reboots: it is over when the machine is back, and comes up by no means by itself", async () => {
    const box = await machine();
    const { body } = await box.off("reboot");
    await box.own.tells(await box.order(), "acknowledged");
    await box.goesDown();
    expect(await stageOf(body.powerOff)).toBe("acknowledged");
    await box.own.says("online");
    await pi.sees({ [box.key]: true });
    await expect.poll(() => stageOf(body.powerOff)).toBe("rebooted");
    await expect.poll(() => box.events().length).toBe(2);
    expect(box.events().map(({ event_type }) => event_type)).toEqual(["power_off_requested", "power_off_succeeded"]);
  });

  test.each([
    ["a newer start of the agent tells", "2026-11-21T00:00:00.000Z"],
    ["so does one that seems older, since the machine keeps no time while it is off", "1970-01-01T00:00:09.000Z"],
  ])("reboots faster than anybody looks: %s", async (_what, startedAt) => {
    const box = await machine();
    const beat = (startedAt: string) =>
      box.own.publish("heartbeat", {
        at: new Date().toISOString(),
        sequence: 1,
        startedAt,
        version: "1.0.0",
        load1: null,
        memoryUsedPercent: null,
        diskUsedPercent: null,
        temperatureC: null,
        clockOffsetMs: null,
      });
    await beat("2026-11-20T00:00:00.000Z");
    await expect.poll(async () => (await hub.api.get(`/agents/${box.own.id}`)).body.heartbeat?.startedAt).toBeDefined();
    const { body } = await box.off("reboot");
    await box.own.tells(await box.order(), "acknowledged");
    await expect.poll(() => stageOf(body.powerOff)).toBe("acknowledged");
    await beat(startedAt);
    await expect.poll(() => stageOf(body.powerOff)).toBe("rebooted");
    await expect.poll(async () => (await box.now()).power).toBe("on");
  });
});

describe("a power-off is called back", () => {
  test("by somebody: it is over when its agent says that the machine stays up", async () => {
    const box = await machine();
    const { body } = await box.off();
    const order = await box.order();
    await box.own.tells(order, "announced", { until: new Date(Date.now() + 60_000).toISOString() });
    const cancelled = hub.api.delete(`/power-offs/${body.powerOff}`);
    await expect.poll(() => box.cancels()).toMatchObject([{ order: order.id }]);
    await box.own.tells(order, "cancelled");
    expect((await cancelled).body).toMatchObject({ stage: "cancelled" });
    expect((await powerOff(body.powerOff)).stages.at(-1)).toMatchObject({ by: "admin" });
    expect(await hub.api.delete(`/power-offs/${body.powerOff}`)).toMatchObject({ body: { code: "POWER_OFF_OVER" } });
    expect((await box.now()).power).toBe("on");
  });

  test("too late: it goes on, and says so", async () => {
    const box = await machine();
    const { body } = await box.off();
    const order = await box.order();
    const cancelled = hub.api.delete(`/power-offs/${body.powerOff}`);
    await expect.poll(() => box.cancels()).toHaveLength(1);
    await box.own.tells(order, "acknowledged");
    await box.goesDown();
    expect((await cancelled).body).toMatchObject({ stage: "off" });
  });

  test("never once it is acknowledged", async () => {
    const box = await machine();
    const { body } = await box.off();
    await box.own.tells(await box.order(), "acknowledged");
    await expect.poll(() => stageOf(body.powerOff)).toBe("acknowledged");
    expect(await hub.api.delete(`/power-offs/${body.powerOff}`)).toMatchObject({
      status: 409,
      body: { code: "POWER_OFF_OVER", detail: /going down already/ },
    });
  });

  test("by somebody who sits there and says not now", async () => {
    const box = await machine();
    const { body } = await box.off();
    const order = await box.order();
    await box.own.tells(order, "announced", { until: new Date(Date.now() + 60_000).toISOString(), users: 1 });
    await box.own.tells(order, "cancelled", { reason: "ann said not now" });
    await expect.poll(() => stageOf(body.powerOff)).toBe("cancelled");
    const last = { by: box.own.key, reason: "ann said not now" };
    expect((await powerOff(body.powerOff)).stages.at(-1)).toMatchObject(last);
    await expect
      .poll(() => box.events().at(-1))
      .toMatchObject({ event_type: "power_off_cancelled", reason: last.reason });
  });

  test("by the device being disabled", async () => {
    const box = await machine();
    const { body } = await box.off();
    await box.order();
    await hub.api.patch(`/devices/${box.id}`, { enabled: false });
    expect(await stageOf(body.powerOff)).toBe("cancelled");
    await expect.poll(() => box.cancels()).toHaveLength(1);
    expect(await box.off()).toMatchObject({ status: 409, body: { code: "DEVICE_DISABLED" } });
  });
});

describe("a wake and a power-off of one device", () => {
  test("a wake before anything was acknowledged: the machine stays up, and nothing bounces", async () => {
    const box = await machine();
    const { body } = await box.off();
    const order = await box.order();
    const { body: wake } = await box.wake();
    expect(wake.stage).toBe("waiting");
    expect(await powerOff(body.powerOff)).toMatchObject({ stage: "cancelled" });
    await expect.poll(() => box.cancels()).toMatchObject([{ order: order.id }]);
    await box.own.tells(order, "cancelled");
    await expect.poll(async () => (await hub.api.get(`/wakes/${wake.wake}`)).body.stage).toBe("already-on");
    expect(box.states()).toEqual(["ON"]);
  });

  test("a wake of before that is only said again takes no power-off back; one that is asked for anew does", async () => {
    const box = await machine();
    const wake = (transaction: string) => hub.api.post(`/devices/${box.id}/power`, { action: "wake", transaction });
    const again = randomUUID();
    expect((await wake(again)).body.stage).toBe("already-on");
    const { body } = await box.off();
    await box.own.tells(await box.order(), "announced", { until: new Date(Date.now() + 30_000).toISOString() });
    await expect.poll(() => stageOf(body.powerOff)).toBe("announced");
    expect((await wake(again)).body.stage).toBe("already-on");
    expect([await stageOf(body.powerOff), box.cancels()]).toEqual(["announced", []]);
    await wake(randomUUID());
    expect(await stageOf(body.powerOff)).toBe("cancelled");
  });

  test("a wake that came too late to call it back wakes the machine when it is down", async () => {
    const box = await machine();
    await box.off();
    const order = await box.order();
    const { body: wake } = await box.wake();
    await box.own.tells(order, "acknowledged");
    await expect.poll(async () => (await box.now()).power).toBe("stopping");
    await pi.sees({ [box.key]: true });
    await box.own.says("offline");
    await pi.sees({ [box.key]: false });
    const wakeOrder = () => pi.orders().find(({ targets }) => targets.some(({ device }) => device === box.key));
    await expect.poll(wakeOrder).toBeDefined();
    await pi.answers(wakeOrder() as NonNullable<ReturnType<typeof wakeOrder>>, "sent");
    await pi.sees({ [box.key]: true });
    await expect.poll(async () => (await hub.api.get(`/wakes/${wake.wake}`)).body.stage).toBe("awake");
    expect((await box.now()).power).toBe("on");
    expect(box.states()).toEqual(["ON", "OFF", "ON"]);
  });

  test("a wake of a machine that is going down overrules it, and no power-off follows", async () => {
    const box = await machine();
    const { body } = await box.off();
    await box.own.tells(await box.order(), "acknowledged");
    await expect.poll(async () => (await box.now()).power).toBe("stopping");
    const { body: wake } = await box.wake();
    expect(wake.stage).toBe("waiting");
    expect((await powerOff(body.powerOff)).stages.at(-1)).toMatchObject({ stage: "cancelled", by: "admin" });
    await box.own.says("offline");
    await pi.sees({ [box.key]: false });
    const wakeOrder = () => pi.orders().find(({ targets }) => targets.some(({ device }) => device === box.key));
    await expect.poll(wakeOrder).toBeDefined();
    await pi.answers(wakeOrder() as NonNullable<ReturnType<typeof wakeOrder>>, "sent");
    await pi.sees({ [box.key]: true });
    await expect.poll(async () => (await hub.api.get(`/wakes/${wake.wake}`)).body.stage).toBe("awake");
    expect(new Set(box.orders().map(({ id }) => id)).size).toBe(1);
    expect(box.states()).toEqual(["ON", "OFF", "ON"]);
  });

  test("a power-off while it is being woken is refused, and ends the wake where somebody insists", async () => {
    const box = await machine();
    await box.goesDown();
    const { body: wake } = await box.wake();
    expect(await box.off()).toMatchObject({ status: 409, body: { code: "CONFLICT", detail: /being woken/ } });
    await box.own.says("online");
    const answer = await box.off("shutdown", { force: true });
    expect(answer.status).toBe(202);
    expect((await hub.api.get(`/wakes/${wake.wake}`)).body.stage).toMatch(/cancelled|awake/);
  });

  test("two power-offs and a wake at the same moment end with the machine up", async () => {
    const box = await machine();
    const [first, wake, second] = await Promise.all([box.off(), box.wake(), box.off()]);
    await expect.poll(() => box.orders().length + box.cancels().length).toBeGreaterThan(0);
    for (const order of box.orders()) await box.own.tells(order, "cancelled");
    const offs = [first, second].flatMap(({ body }) => body.powerOff ?? []);
    for (const id of offs) await expect.poll(() => stageOf(id)).toBe("cancelled");
    expect(wake.status).toBe(202);
    await expect.poll(async () => (await box.now()).power).toBe("on");
    expect(box.states()).toEqual(["ON"]);
  });
});

describe("a reboot", () => {
  test("that is down by now makes room for a wake at once", async () => {
    const box = await machine();
    const { body } = await box.off("reboot");
    await box.own.tells(await box.order(), "acknowledged");
    await box.goesDown();
    const { body: wake } = await box.wake();
    expect(wake.stage).not.toBe("waiting");
    expect((await powerOff(body.powerOff)).stages.at(-1)).toMatchObject({ stage: "cancelled" });
    await hub.api.delete(`/wakes/${wake.wake}`);
  });
});

describe("who may be asked", () => {
  test("an agent on the machine that is offline is told so", async () => {
    const box = await machine();
    await box.own.says("offline");
    await expect.poll(async () => (await box.now()).powerActions).toEqual([]);
    expect(await box.now()).toMatchObject({ canPowerOff: false, whyNoPowerOff: expect.stringContaining(box.own.key) });
    expect(await box.off()).toMatchObject({ status: 503, body: { code: "AGENT_OFFLINE" } });
  });

  test("a machine that nobody could wake again stays on, unless somebody insists", async () => {
    const box = await machine();
    await hub.api.patch(`/devices/${box.id}`, { agentIds: [box.own.id] });
    expect(await box.off()).toMatchObject({ status: 409, body: { code: "STRANDED" } });
    expect(await box.off("shutdown", { force: true })).toMatchObject({ status: 202 });
    expect(await box.order()).toMatchObject({ force: true, strand: true });
  });

  test("a machine that is off already is left alone, and told of once", async () => {
    const box = await machine();
    await box.goesDown();
    const [first, second] = [await box.off(), await box.off()];
    expect(first.body).toMatchObject({ stage: "already-off" });
    expect(second.body.powerOff).toBe(first.body.powerOff);
    expect(box.orders()).toEqual([]);
    expect((await box.now()).lastPowerOff).toBeNull();
  });

  test("a word that wakes goes the way of wakes", async () => {
    const box = await machine();
    expect((await box.off("on")).body).toMatchObject({ action: "wake", stage: "already-on", powerOff: null });
  });

  test("a cluster answers for each of its devices", async () => {
    const { body } = await hub.api.post(`/clusters/${clusterId}/power`, { action: "hibernate" });
    expect(body.devices.length).toBeGreaterThan(0);
    for (const part of body.devices)
      expect(part).toMatchObject({ action: "hibernate", stage: expect.stringMatching(/refused|already-off/) });
  });
});

describe.concurrent("what never comes", () => {
  test(
    "a receipt: it fails, the order was said again as it was, and is called back",
    { timeout: 40_000 },
    async ({ expect }) => {
      const box = await machine();
      const { body } = await box.off("shutdown", {}, "?wait=20");
      expect(body).toMatchObject({ stage: "failed", code: "NO_RECEIPT" });
      const orders = box.orders();
      expect(orders).toHaveLength(2);
      expect(orders[1]).toEqual(orders[0]);
      await expect.poll(() => box.cancels()).toMatchObject([{ order: orders[0]?.id }]);
      expect((await box.now()).power).toBe("on");
    },
  );

  test("its being seen off: it is still on, and its switch says so again", { timeout: 40_000 }, async ({ expect }) => {
    const box = await machine({ power: { graceSeconds: 10 } });
    const answer = box.off("shutdown", {}, "?wait=20");
    await box.own.tells(await box.order(), "acknowledged");
    expect((await answer).body).toMatchObject({ stage: "still-on", reason: /still seen on/ });
    await expect.poll(async () => (await box.now()).power).toBe("on");
    expect(box.states()).toEqual(["ON", "OFF", "ON"]);
    await expect.poll(() => box.events().at(-1)?.event_type).toBe("power_off_failed");
  });

  test("a word about its being called back: it is cancelled all the same", { timeout: 40_000 }, async ({ expect }) => {
    const box = await machine();
    const { body } = await box.off();
    await box.order();
    await hub.api.delete(`/power-offs/${body.powerOff}`);
    await expect.poll(() => stageOf(body.powerOff), { timeout: 15_000 }).toBe("cancelled");
    expect((await powerOff(body.powerOff)).stages.at(-1).reason).toMatch(/did not confirm/);
  });
});

test("a hub that is stopped in the middle ends it as failed at its next start, and never gives the order again", async () => {
  const box = await machine();
  const { body } = await box.off();
  await box.own.tells(await box.order(), "announced", { until: new Date(Date.now() + 60_000).toISOString() });
  await expect.poll(() => stageOf(body.powerOff)).toBe("announced");
  await hub.restart();
  expect((await powerOff(body.powerOff)).stages.at(-1)).toMatchObject({ stage: "failed", code: "HUB_RESTARTED" });
  expect((await box.now()).lastPowerOff).toMatchObject({ outcome: "failed", reason: /restarted/ });
  expect(new Set(box.orders().map(({ id }) => id)).size).toBe(1);
});

test("a plug on a broker that the hub does not know is not switched, and the reason says so", async () => {
  const { body } = await hub.api.post("/devices", { name: freshName("Box"), mac: freshMac() });
  const method = { type: "mqtt", topic: "cmnd/plug/POWER", payloads: { shutdown: "OFF" } };
  await hub.api.put(`/devices/${body.id}/power-method`, { method });
  const answer = await hub.api.post(`/devices/${body.id}/power?wait=10`, { action: "off", force: true });
  expect(answer.body).toMatchObject({
    stage: "failed",
    reason: expect.stringContaining("set MQTT_URL or HA_MQTT_URL"),
  });
});
