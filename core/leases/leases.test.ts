import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createApi } from "#test/fixtures/api.ts";
import { query } from "#test/fixtures/database.ts";
import { FAST_DISCOVERY } from "#test/fixtures/home-assistant.ts";
import { type TestHub, startTestHub } from "#test/fixtures/hub.ts";
import type { TestMqttClient } from "#test/fixtures/mqtt.ts";
import { BEHIND_PROXY, type Person, addPerson, addToken, firstSite } from "#test/fixtures/people.ts";
import { type ScriptedAgent, freshMac, startScriptedAgent } from "#test/fixtures/scripted-agent.ts";

let hub: TestHub;
let agent: ScriptedAgent;
let user: Person;
let ha: TestMqttClient;
let haName: string;

/** Enough for a loaded machine; nothing here is about time. */
const PATIENCE = { timeout: 15_000 };

beforeAll(async () => {
  hub = await startTestHub(BEHIND_PROXY, { discoveryTiming: FAST_DISCOVERY });
  agent = await startScriptedAgent(hub);
  user = await addPerson(hub, await firstSite(hub), "user");
  const { body } = await hub.api.post("/mqtt-clients", {
    name: "HA",
    permissions: ["read", "wake", "power", "discovery"],
  });
  haName = body.username;
  ha = await hub.connect({ username: body.username, password: body.password, protocolVersion: 5 }, [
    "powerbeacon/#",
    "homeassistant/#",
  ]);
}, 120_000);

afterAll(async () => {
  await ha.close();
  await agent.close();
  await hub.close();
});

async function addDevice(name: string, fields: object = {}) {
  const { body } = await hub.api.post("/devices", { name, mac: freshMac(), ...fields });
  return body;
}

async function isOn(device: { id: string; key: string }) {
  await agent.sees({ [device.key]: true });
  await expect.poll(async () => (await hub.api.get(`/devices/${device.id}`)).body.power, PATIENCE).toBe("on");
}

const soon = () => new Date(Date.now() + 300).toISOString();
const later = () => new Date(Date.now() + 3_600_000).toISOString();

async function ask(verb: string, fields: object) {
  const transaction = crypto.randomUUID();
  await ha.client.publishAsync(`powerbeacon/hub/request/${verb}`, JSON.stringify({ ...fields, transaction }), {
    qos: 1,
  });
  const answers = () => ha.on(/\/hub\/response\//).map(({ text }) => JSON.parse(text));
  await expect.poll(() => answers().some((answer) => answer.transaction === transaction), PATIENCE).toBe(true);
  return answers().find((answer) => answer.transaction === transaction);
}

describe("a lease", () => {
  test("wakes the device, shows on it, and ends when it is given back", async () => {
    const device = await addDevice("Held");
    const until = later();
    const { status, body } = await hub.api.post(`/devices/${device.id}/leases`, { until, reason: "backup" });
    expect([status, body.until, body.holder]).toEqual([201, until, "person"]);
    expect(body.wake).toMatchObject({ device: device.key, wake: expect.any(String) });
    await expect
      .poll(() => agent.orders().some(({ targets }) => targets[0]?.device === device.key), PATIENCE)
      .toBe(true);
    expect((await hub.api.get(`/devices/${device.id}`)).body).toMatchObject({ leases: 1, heldUntil: until });
    await expect
      .poll(() => ha.lastJson(`powerbeacon/device/${device.key}/info`), PATIENCE)
      .toMatchObject({ leases: 1, heldUntil: until });
    expect((await hub.api.get("/leases")).body.items[0]).toMatchObject({
      id: body.id,
      device: device.key,
      reason: "backup",
    });
    expect((await hub.api.delete(`/leases/${body.id}`)).status).toBe(204);
    expect((await hub.api.delete(`/leases/${body.id}`)).status).toBe(404);
    expect((await hub.api.get(`/devices/${device.id}`)).body).toMatchObject({ leases: 0, heldUntil: null });
    const ended = (await hub.api.get(`/devices/${device.id}/leases?state=ended`)).body.items;
    expect(ended[0]).toMatchObject({ id: body.id, endedBecause: "released" });
  });

  test("is one however often it is asked for, and another one for another reason", async () => {
    const device = await addDevice("Asked twice");
    const path = `/devices/${device.id}/leases`;
    const first = await hub.api.post(path, { forMinutes: 5, wake: false });
    const second = await hub.api.post(path, { until: "2099-01-01T00:00:00+02:00", wake: false });
    expect(second.body).toMatchObject({ id: first.body.id, until: "2098-12-31T22:00:00.000Z", wake: null });
    await hub.api.post(path, { reason: "film", wake: false });
    expect((await hub.api.get(`/devices/${device.id}`)).body).toMatchObject({ leases: 2, heldUntil: null });
  });

  test.each<[object, string]>([
    [{ until: "2020-01-01T00:00:00Z" }, "until"],
    [{ until: "tonight" }, "until"],
    [{ until: "2099-01-01T00:00:00Z", forMinutes: 5 }, "until"],
    [{ forMinutes: 0 }, "forMinutes"],
    [{ colour: "red" }, "colour"],
  ])("%j is refused", async (body, path) => {
    const device = await addDevice("Refused");
    const answer = await hub.api.post(`/devices/${device.id}/leases`, body);
    expect([answer.status, JSON.stringify(answer.body.errors)]).toEqual([422, expect.stringContaining(path)]);
  });

  test("is ended by its holder, with any token too, or by who may change the device", async () => {
    const device = await addDevice("Of a user", { ownerId: user.id });
    const foreign = await addDevice("Of nobody");
    const path = `/devices/${device.id}/leases`;
    expect((await user.api.post(`/devices/${foreign.id}/leases`, {})).body.code).toBe("FORBIDDEN");
    const admins = (await hub.api.post(path, { wake: false })).body;
    const { token } = await addToken(user.api, ["device:wake"]);
    const script = createApi(hub.url, token);
    const own = (await script.post(path, { wake: false })).body;
    expect(own).toMatchObject({ heldBy: user.username, holder: "token" });
    expect((await script.delete(`/leases/${admins.id}`)).body.code).toBe("FORBIDDEN");
    expect((await user.api.delete(`/leases/${own.id}`)).status).toBe(204);
    expect((await user.api.delete(`/leases/${admins.id}`)).status).toBe(204);
    const ended = (await hub.api.get(`${path}?state=ended`)).body.items;
    expect(ended.map(({ endedBecause }: { endedBecause: string }) => endedBecause).toSorted()).toEqual([
      "forced",
      "released",
    ]);
  });

  test("goes with its device", async () => {
    const device = await addDevice("Removed", { power: { offAfterLease: true } });
    await hub.api.post(`/devices/${device.id}/leases`, { wake: false });
    await hub.api.delete(`/devices/${device.id}`);
    const { items } = (await hub.api.get("/leases?state=all")).body;
    expect(items.some(({ deviceId }: { deviceId: string }) => deviceId === device.id)).toBe(false);
  });
});

describe("when the last lease ends", () => {
  test("its time comes, the device is powered off where that is set, and events tell of it", async () => {
    const own = await startScriptedAgent(hub, { name: "On the machine" });
    const device = await addDevice("Goes down", { power: { offAfterLease: true, countdownSeconds: 0 } });
    await own.runsOn(device);
    await isOn(device);
    await hub.api.post(`/devices/${device.id}/leases`, { until: soon() });
    await expect.poll(() => own.powerOrders().length, PATIENCE).toBe(1);
    expect(own.powerOrders()[0]).toMatchObject({ device: device.key, action: "shutdown" });
    const { items } = (await hub.api.get(`/devices/${device.id}/leases?state=ended`)).body;
    expect(items[0]).toMatchObject({ endedBecause: "expired" });
    const told = () => ha.on(/\/event$/).map(({ text }) => JSON.parse(text));
    await expect.poll(told, PATIENCE).toContainEqual(
      expect.objectContaining({
        event_type: "lease_ended",
        device: device.key,
        reason: "its time was over; it is being powered off",
      }),
    );
    await own.close();
  });

  test("nothing goes down while somebody else holds it, or where that is not set", async () => {
    const own = await startScriptedAgent(hub, { name: "On another machine" });
    const [held, kept] = [await addDevice("Held by two", { power: { offAfterLease: true } }), await addDevice("Kept")];
    await own.runsOn(held);
    await isOn(held);
    await isOn(kept);
    const path = `/devices/${held.id}/leases`;
    const first = (await hub.api.post(path, {})).body;
    await hub.api.post(path, { reason: "another" });
    const other = (await hub.api.post(`/devices/${kept.id}/leases`, {})).body;
    for (const { id } of [first, other]) await hub.api.delete(`/leases/${id}`);
    const reasons = () =>
      ha
        .on(/^powerbeacon\/event$/)
        .map(({ text }) => JSON.parse(text))
        .filter(({ event_type }) => event_type === "lease_ended");
    await expect
      .poll(reasons, PATIENCE)
      .toContainEqual(
        expect.objectContaining({ device: held.key, reason: "it was given back; admin still holds it on" }),
      );
    await expect
      .poll(reasons, PATIENCE)
      .toContainEqual(expect.objectContaining({ device: kept.key, reason: "it was given back" }));
    expect(own.powerOrders()).toEqual([]);
    await own.close();
  });
});

describe("Home Assistant", () => {
  test("holds a device on and gives it back, and sees why not", async () => {
    const device = await addDevice("By MQTT");
    const { data } = await ask("lease", { device: device.key, forMinutes: 120, reason: "film" });
    expect(data.lease).toMatchObject({ device: device.key, heldBy: haName, holder: "mqtt" });
    expect(data.wake).toMatchObject({ device: device.key, wake: expect.any(String) });
    expect((await hub.api.delete(`/leases/${data.lease.id}`)).status).toBe(204);
    expect((await ask("release", { device: device.key })).error).toMatchObject({ code: "NOT_FOUND", field: "device" });
    await ask("lease", { device: device.key, until: later(), wake: false });
    expect((await ask("release", { device: device.key })).data).toEqual({ released: 1 });
    expect((await ask("lease", { device: "nobody" })).error).toMatchObject({ code: "UNKNOWN_DEVICE", field: "device" });
    expect((await ask("lease", { device: device.key, until: "2020-01-01T00:00:00Z" })).error).toMatchObject({
      field: "until",
    });
    const foreign = (await hub.api.post(`/devices/${device.id}/leases`, { wake: false })).body;
    expect((await ask("release", { lease: foreign.id })).error.code).toBe("FORBIDDEN");
  });

  test("turns schedules off and on, and forgets those that are deleted", async () => {
    const when = { type: "cron", cron: "0 7 * * *", timeZone: "Europe/Athens" };
    const { body } = await hub.api.post("/schedules", { name: "Switched", action: "wake", when });
    const config = `homeassistant/device/powerbeacon_schedule_${body.id}/config`;
    await expect.poll(() => ha.lastJson(config), PATIENCE).toMatchObject({ device: { name: "Switched" } });
    await ha.client.publishAsync("powerbeacon/schedule/switched/set", "OFF", { qos: 1 });
    await expect.poll(() => ha.last("powerbeacon/schedule/switched/state"), PATIENCE).toBe("OFF");
    expect((await hub.api.get(`/schedules/${body.id}`)).body).toMatchObject({ enabled: false, nextAt: null });
    await ha.client.publishAsync("powerbeacon/schedule/switched/set", "ON", { qos: 1 });
    await expect
      .poll(() => ha.lastJson("powerbeacon/schedule/switched/info"), PATIENCE)
      .toMatchObject({ enabled: true, nextAt: expect.any(String) });
    await ha.client.publishAsync("powerbeacon/schedule/switched/set", "PERHAPS", { qos: 1 });
    const refusals = () => ha.on(/^powerbeacon\/event$/).map(({ text }) => JSON.parse(text));
    await expect.poll(refusals, PATIENCE).toContainEqual(
      expect.objectContaining({
        event_type: "request_refused",
        reason: expect.stringMatching(/^Schedule "\S+" is set ON or OFF$/),
      }),
    );
    await hub.api.delete(`/schedules/${body.id}`);
    await expect.poll(() => ha.last(config), PATIENCE).toBe("");
    await expect.poll(() => ha.last("powerbeacon/schedule/switched/info"), PATIENCE).toBe("");
  });

  test("hides a schedule that a person deletes there", async () => {
    const when = { type: "cron", cron: "0 7 * * *", timeZone: "UTC" };
    const { body } = await hub.api.post("/schedules", { name: "Hidden there", action: "wake", when });
    const config = `homeassistant/device/powerbeacon_schedule_${body.id}/config`;
    await expect.poll(() => ha.lastJson(config), PATIENCE).toMatchObject({ device: { name: "Hidden there" } });
    await ha.client.publishAsync(config, "", { qos: 1, retain: true });
    const shown = async () => (await hub.api.get(`/schedules/${body.id}`)).body.showInHomeAssistant;
    await expect.poll(shown, PATIENCE).toBe(false);
  });
});

describe("a last lease that is given back while its machine comes up", () => {
  test.each([
    ["powers it off when it is up", false],
    ["leaves it on where somebody else asked for it since", true],
  ])("%s", async (_what, isWantedSince) => {
    const own = await startScriptedAgent(hub, { name: "Comes up" });
    const device = await addDevice("Comes up", { power: { offAfterLease: true } });
    await own.runsOn(device);
    await own.says("offline");
    await agent.sees({ [device.key]: false });
    const now = async () => (await hub.api.get(`/devices/${device.id}`)).body;
    const untilOff = async () => {
      await agent.sees({ [device.key]: false }); // again, since who watches changes when an agent leaves
      return (await now()).power;
    };
    await expect.poll(untilOff, { ...PATIENCE, timeout: 30_000 }).toBe("off");
    const { body: lease } = await hub.api.post(`/devices/${device.id}/leases`, { until: later() });
    const order = () => agent.orders().find(({ targets }) => targets.some((target) => target.device === device.key));
    await expect.poll(order, PATIENCE).toBeDefined();
    await hub.api.delete(`/leases/${lease.id}`);
    if (isWantedSince) await hub.api.post(`/devices/${device.id}/wake`);
    await agent.answers(order() as NonNullable<ReturnType<typeof order>>, "sent");
    await own.says("online");
    await expect.poll(async () => (await now()).lastWake?.outcome, PATIENCE).toBe("awake");
    const stages = async () =>
      (await hub.api.get(`/devices/${device.id}/power-offs`)).body.items.map(({ stage }: { stage: string }) => stage);
    await expect.poll(stages, PATIENCE).toEqual(isWantedSince ? [] : ["sent"]);
    await own.close();
  });
});

describe("a lease on a machine that is being powered off", () => {
  test.each([
    ["wakes it where that is asked for", { wake: true }, "It is to be woken"],
    ["keeps it up all the same where it is not", { wake: false }, "It is held on"],
  ])("%s", async (_what, body, reason) => {
    const own = await startScriptedAgent(hub, { name: "Own" });
    const device = await addDevice("Counts down");
    await own.runsOn(device);
    await isOn(device);
    const { body: asked } = await hub.api.post(`/devices/${device.id}/power`, { action: "off" });
    await expect.poll(() => own.powerOrders().length, PATIENCE).toBe(1);
    const [order] = own.powerOrders();
    if (!order) throw new Error("there is no order");
    const until = new Date(Date.now() + 30_000).toISOString();
    await own.tells(order, "announced", { until, users: 1 });
    expect((await hub.api.post(`/devices/${device.id}/leases`, { until: later(), ...body })).status).toBe(201);
    await expect.poll(() => own.cancelOrders().map((cancel) => cancel.order), PATIENCE).toEqual([order.id]);
    await own.tells(order, "cancelled");
    const last = async () => (await hub.api.get(`/power-offs/${asked.powerOff}`)).body.stages.at(-1);
    await expect.poll(last, PATIENCE).toMatchObject({ stage: "cancelled", by: "admin", reason });
    await own.close();
  });
});

test("what ended while the hub was down ends at its start; only what ended a short while ago goes down", async () => {
  const own = await startScriptedAgent(hub, { name: "Away" });
  const [lately, longAgo] = [await addDevice("Lately"), await addDevice("Long ago")];
  for (const device of [lately, longAgo]) {
    await hub.api.patch(`/devices/${device.id}`, { power: { offAfterLease: true } });
    await hub.api.post(`/devices/${device.id}/leases`, { until: later(), wake: false });
  }
  await own.runsOn(lately);
  await hub.hub.close();
  const overSince = "update lease set until = now() - make_interval(mins => $2) where device_id = $1";
  await query(hub.databaseUrl, overSince, [lately.id, 2]);
  await query(hub.databaseUrl, overSince, [longAgo.id, 20]);
  await hub.restart();
  for (const one of [agent, own]) {
    one.mqtt.client.reconnect();
    await one.says("online");
  }
  await isOn(lately);
  await isOn(longAgo);
  const offsOf = async ({ id }: { id: string }) => (await hub.api.get(`/devices/${id}/power-offs`)).body.items;
  await expect.poll(() => offsOf(lately), PATIENCE).toMatchObject([{ requestedBy: "hub, after the last lease" }]);
  expect(await offsOf(longAgo)).toEqual([]);
  const { items } = (await hub.api.get("/leases?state=open")).body;
  expect(items.filter(({ deviceId }: { deviceId: string }) => [lately.id, longAgo.id].includes(deviceId))).toEqual([]);
  expect((await hub.api.get(`/devices/${longAgo.id}`)).body).toMatchObject({ power: "on", leases: 0 });
  await own.close();
});
