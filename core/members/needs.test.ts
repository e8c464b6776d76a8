import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { query } from "#test/fixtures/database.ts";
import { type TestHub, startTestHub } from "#test/fixtures/hub.ts";
import { freshMac, freshName } from "#test/fixtures/scripted-agent.ts";

/** What devices and clusters need, as it is written down. */

let hub: TestHub;

beforeAll(async () => {
  hub = await startTestHub();
});

afterAll(() => hub.close());

const ON = { type: "on" };
const on = (deviceId: string) => ({ deviceId, ready: ON });

async function addDevice(fields: object = {}) {
  const { body, status } = await hub.api.post("/devices", { name: freshName("Box"), mac: freshMac(), ...fields });
  expect(status).toBe(201);
  return body;
}

const needsOf = async (id: string) => (await hub.api.get(`/devices/${id}`)).body.dependsOn;

test("a device's needs are the whole list, and null or an empty one clears them", async () => {
  const [nas, dns] = [await addDevice(), await addDevice()];
  const pc = await addDevice({ dependsOn: [{ deviceId: nas.id }] });
  expect(pc.dependsOn).toEqual([on(nas.id)]);
  const tcp = { deviceId: nas.id, ready: { type: "tcp", port: 2049 } };
  for (const dependsOn of [[tcp, on(dns.id)], [on(dns.id)], []]) {
    const { body } = await hub.api.patch(`/devices/${pc.id}`, { dependsOn });
    expect(body.dependsOn).toHaveLength(dependsOn.length);
    expect(body.dependsOn).toEqual(expect.arrayContaining(dependsOn));
  }
  await hub.api.patch(`/devices/${pc.id}`, { dependsOn: [tcp] });
  await hub.api.patch(`/devices/${pc.id}`, { description: "nothing about needs" });
  expect(await needsOf(pc.id)).toEqual([tcp]);
  expect((await hub.api.patch(`/devices/${pc.id}`, { dependsOn: null })).body.dependsOn).toEqual([]);
  const { items } = (await hub.api.get("/audit?action=device.change&limit=3")).body;
  expect(items.map(({ details }: { details: object }) => details)).toEqual([
    { fields: ["dependsOn"], needs: [] },
    { fields: ["description"] },
    { fields: ["dependsOn"], needs: [nas.key] },
  ]);
});

test("a cluster has needs and a pace, which are changed in part and cleared by null", async () => {
  const nas = await addDevice();
  const { body: cluster } = await hub.api.post("/clusters", {
    name: freshName("Lab"),
    pace: { atOnce: 2 },
    dependsOn: [on(nas.id)],
  });
  expect(cluster).toMatchObject({ pace: { staggerMs: 0, atOnce: 2 }, dependsOn: [on(nas.id)] });
  const change = async (fields: object) => (await hub.api.patch(`/clusters/${cluster.id}`, fields)).body;
  expect((await change({ pace: { staggerMs: 500 } })).pace).toEqual({ staggerMs: 500, atOnce: 2 });
  expect((await change({ pace: { atOnce: null } })).pace).toEqual({ staggerMs: 500, atOnce: null });
  expect(await change({ pace: null, dependsOn: null })).toMatchObject({
    pace: { staggerMs: 0, atOnce: null },
    dependsOn: [],
  });
});

test("needs outlive a restart, and go with the device that is needed", async () => {
  const nas = await addDevice();
  const pc = await addDevice({ dependsOn: [on(nas.id)] });
  const { body: cluster } = await hub.api.post("/clusters", { name: freshName("Lab"), dependsOn: [on(nas.id)] });
  await hub.restart();
  expect(await needsOf(pc.id)).toEqual([on(nas.id)]);
  await hub.api.delete(`/devices/${nas.id}`);
  expect(await needsOf(pc.id)).toEqual([]);
  expect((await hub.api.get(`/clusters/${cluster.id}`)).body.dependsOn).toEqual([]);
  await hub.api.delete(`/devices/${pc.id}`);
  expect(await query(hub.databaseUrl, "select 1 from device_need where device_id = $1", [pc.id])).toEqual([]);
});

describe("what cannot be needed", () => {
  test.each([
    ["somebody unknown", 404, "NOT_FOUND", () => "11111111-1111-4111-8111-111111111111"],
    ["itself", 422, "INVALID_INPUT", (own: string) => own],
  ])("is %s, and the field is named", async (_what, status, code, idOf) => {
    const [nas, pc] = [await addDevice(), await addDevice()];
    const dependsOn = [on(nas.id), on(idOf(pc.id))];
    const answer = await hub.api.patch(`/devices/${pc.id}`, { dependsOn });
    expect(answer).toMatchObject({ status, body: { code, errors: [{ path: "dependsOn.1.deviceId" }] } });
    expect(await needsOf(pc.id)).toEqual([]);
  });

  test("is a device of another site", async () => {
    const { body: site } = await hub.api.post("/sites", { name: freshName("Away") });
    const away = { "x-powerbeacon-site": site.key };
    const { body: nas } = await hub.api.post("/devices", { name: "NAS", mac: freshMac() }, away);
    const pc = await addDevice();
    const answer = await hub.api.patch(`/devices/${pc.id}`, { dependsOn: [on(nas.id)] });
    expect(answer).toMatchObject({ status: 404, body: { errors: [{ path: "dependsOn.0.deviceId" }] } });
  });

  test("is a device twice", async () => {
    const [nas, pc] = [await addDevice(), await addDevice()];
    const answer = await hub.api.patch(`/devices/${pc.id}`, { dependsOn: [on(nas.id), on(nas.id)] });
    expect(answer).toMatchObject({ status: 422, body: { errors: [{ path: "dependsOn" }] } });
  });
});

describe("a circle is refused, and named,", () => {
  const refused = (path: string, ...keys: string[]) => ({
    status: 409,
    body: { code: "DEPENDENCY_CYCLE", detail: expect.stringContaining(keys.join(" → ")), errors: [{ path }] },
  });

  test("of devices", async () => {
    const nas = await addDevice();
    const hyper = await addDevice({ dependsOn: [on(nas.id)] });
    const pc = await addDevice({ dependsOn: [on(hyper.id)] });
    const answer = await hub.api.patch(`/devices/${nas.id}`, { dependsOn: [on(pc.id)] });
    expect(answer).toMatchObject(refused("dependsOn", hyper.key, nas.key));
    expect(await needsOf(nas.id)).toEqual([]);
  });

  test("of clusters, also where a device moves into it", async () => {
    const [nas, pc] = [await addDevice(), await addDevice()];
    const cluster = async (dependsOn: object[], deviceIds: string[]) =>
      (await hub.api.post("/clusters", { name: freshName("Lab"), dependsOn, deviceIds })).body;
    const [desks, racks] = [await cluster([on(nas.id)], []), await cluster([on(pc.id)], [nas.id])];
    const moved = await hub.api.patch(`/devices/${pc.id}`, { clusterId: desks.id });
    expect(moved).toMatchObject(refused("clusterId", nas.key));
    const taken = await hub.api.patch(`/clusters/${desks.id}`, { deviceIds: [pc.id] });
    expect(taken).toMatchObject(refused("deviceIds", nas.key));
    await hub.api.patch(`/clusters/${racks.id}`, { dependsOn: null });
    expect((await hub.api.patch(`/devices/${pc.id}`, { clusterId: desks.id })).status).toBe(200);
    const needed = await hub.api.patch(`/clusters/${racks.id}`, { dependsOn: [on(pc.id)] });
    expect(needed).toMatchObject(refused("dependsOn", nas.key));
  });
});

test("a cluster may need its own member, which does not need itself", async () => {
  const nas = await addDevice();
  const { status, body } = await hub.api.post("/clusters", {
    name: freshName("Lab"),
    deviceIds: [nas.id, (await addDevice()).id],
    dependsOn: [on(nas.id)],
  });
  expect({ status, needs: body.dependsOn }).toEqual({ status: 201, needs: [on(nas.id)] });
});
