import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type TestHub, startTestHub } from "#test/fixtures/hub.ts";
import { connectMqtt } from "#test/fixtures/mqtt.ts";
import { type ScriptedAgent, freshMac, freshName, startScriptedAgent } from "#test/fixtures/scripted-agent.ts";

let hub: TestHub;
let agents: ScriptedAgent[];

beforeAll(async () => {
  hub = await startTestHub();
  agents = [await startScriptedAgent(hub, { name: "One" }), await startScriptedAgent(hub, { name: "Two" })];
});

afterAll(async () => {
  for (const agent of agents) await agent.close();
  await hub.close();
});

const ids = () => agents.map(({ id }) => id);
const create = (fields: object = {}) => hub.api.post("/clusters", { name: freshName("Cluster"), ...fields });
const createOne = async (fields: object = {}) => (await create(fields)).body;
const addDevice = async (fields: object = {}) =>
  (await hub.api.post("/devices", { name: freshName("Box"), mac: freshMac(), ...fields })).body;
const get = async (kind: string, id: string) => (await hub.api.get(`/${kind}/${id}`)).body;
const NOWHERE = "6b1b36cb-3d6c-4b3c-a7a6-0a5b6d6f7c11";

describe("a cluster", () => {
  test("that is made shows all of its fields, observed ones too", async () => {
    const { status, body } = await create({ name: "Wohnung Süd", description: "ours", tags: ["a"] });
    expect(status).toBe(201);
    const { droppedLinks, ...cluster } = body;
    expect(droppedLinks).toEqual([]);
    const none = { total: 0, on: 0, off: 0, waking: 0, stopping: 0, unreachable: 0, unknown: 0 };
    expect(cluster).toEqual({
      id: expect.any(String),
      key: "wohnung-sued",
      name: "Wohnung Süd",
      description: "ours",
      tags: ["a"],
      showInHomeAssistant: true,
      ownerId: expect.any(String),
      shares: [],
      deviceIds: [],
      agentIds: [],
      pace: { staggerMs: 0, atOnce: null },
      dependsOn: [],
      state: "OFF",
      devices: none,
      agents: { total: 0, online: 0 },
      problem: false,
      problems: [],
      createdAt: expect.any(String),
      updatedAt: expect.any(String),
    });
    expect(await get("clusters", body.id)).toEqual(cluster);
  });

  test("is renamed and hidden, keeps its key, and null clears its description", async () => {
    const { id, key } = await createOne({ description: "first", tags: ["a"] });
    const change = { name: "Renamed", description: null, showInHomeAssistant: false };
    const { body } = await hub.api.patch(`/clusters/${id}`, change);
    expect(body).toMatchObject({ key, ...change, tags: ["a"] });
  });

  test.each([
    ["name", { name: " " }],
    ["key", { key: "Not A Key" }],
    ["key", { key: "unassigned" }],
    ["tags", { tags: Array.from({ length: 21 }, (_, i) => String(i)) }],
    ["deviceIds.0", { deviceIds: ["nas"] }],
    ["agentIds", { agentIds: null }],
    ["members", { members: [] }],
  ])("with a wrong %s is refused naming it", async (path, fields) => {
    expect(await create(fields)).toMatchObject({ status: 422, body: { code: "INVALID_INPUT", errors: [{ path }] } });
  });

  test("with a key that is taken, or members that are not there, is refused naming the field, and nothing is made", async () => {
    const { key } = await createOne();
    const { total } = (await hub.api.get("/clusters")).body;
    expect(await create({ key })).toMatchObject({
      status: 409,
      body: { code: "DUPLICATE", errors: [{ path: "key" }] },
    });
    for (const field of ["deviceIds", "agentIds"])
      expect(await create({ [field]: [NOWHERE] })).toMatchObject({
        status: 404,
        body: { code: "NOT_FOUND", errors: [{ path: field }] },
      });
    expect((await hub.api.get("/clusters")).body.total).toBe(total);
  });

  test("that is not there answers 404, and so does the row that stands for no cluster", async () => {
    for (const answer of [
      await hub.api.get(`/clusters/${NOWHERE}`),
      await hub.api.patch(`/clusters/${NOWHERE}`, {}),
      await hub.api.delete(`/clusters/${NOWHERE}`),
      await hub.api.post(`/clusters/${NOWHERE}/wake`),
    ])
      expect(answer).toMatchObject({ status: 404, body: { code: "NOT_FOUND" } });
    const { items } = (await hub.api.get("/clusters?limit=200")).body;
    expect(items.filter(({ key }: { key: string }) => key.startsWith("unassigned"))).toEqual([]);
  });

  test("is listed by name, text and tag", async () => {
    await createOne({ name: "zzz last", tags: ["rare"] });
    const names = async (query: string) =>
      (await hub.api.get(`/clusters?${query}`)).body.items.map(({ name }: { name: string }) => name);
    expect(await names("tag=rare")).toEqual(["zzz last"]);
    expect(await names("q=ZZZ-L")).toEqual(["zzz last"]);
    expect((await names("sort=-name"))[0]).toBe("zzz last");
    expect(await hub.api.get("/clusters?colour=red")).toMatchObject({
      status: 422,
      body: { errors: [{ path: "colour" }] },
    });
  });
});

describe("the members of a cluster", () => {
  test("are those that are named, all of them and no other; a list that is not named stays", async () => {
    const [a, b, c] = [await addDevice(), await addDevice(), await addDevice()];
    const { id } = await createOne({ deviceIds: [a.id, b.id], agentIds: [ids()[0]] });
    const replaced = (await hub.api.patch(`/clusters/${id}`, { deviceIds: [b.id, c.id] })).body;
    expect(new Set(replaced.deviceIds)).toEqual(new Set([b.id, c.id]));
    expect(replaced.agentIds).toEqual([ids()[0]]);
    expect((await get("devices", a.id)).clusterId).toBeNull();
    expect((await get("devices", c.id)).clusterId).toBe(id);
    const renamed = (await hub.api.patch(`/clusters/${id}`, { name: "Only the name" })).body;
    expect(new Set(renamed.deviceIds)).toEqual(new Set([b.id, c.id]));
    expect((await hub.api.patch(`/clusters/${id}`, { deviceIds: [], agentIds: [] })).body).toMatchObject({
      deviceIds: [],
      agentIds: [],
    });
    expect((await get("agents", ids()[0] ?? "")).clusterId).toBeNull();
  });

  test("move between clusters, and links that no longer fit are dropped and named", async () => {
    const [one, two] = ids();
    const from = await createOne({ agentIds: [one, two] });
    const alone = await addDevice({ clusterId: from.id, agentIds: [one, two] });
    const together = await addDevice({ clusterId: from.id, agentIds: [one] });
    const to = await createOne({ deviceIds: [together.id, alone.id], agentIds: [one] });
    expect(to.droppedLinks).toEqual([{ deviceId: alone.id, agentId: two }]);
    expect((await get("devices", alone.id)).agentIds).toEqual([one]);
    expect((await get("devices", together.id)).agentIds).toEqual([one]);
    expect(await get("clusters", from.id)).toMatchObject({ deviceIds: [], agentIds: [two] });

    const moved = (await hub.api.patch(`/agents/${one}`, { clusterId: from.id })).body;
    const pairs = moved.droppedLinks.map(({ deviceId }: { deviceId: string }) => deviceId);
    expect(new Set(pairs)).toEqual(new Set([alone.id, together.id]));
    expect((await get("devices", together.id)).agentIds).toEqual([]);
  });

  test("that are not there change nothing at all", async () => {
    const device = await addDevice();
    const { id } = await createOne({ deviceIds: [device.id] });
    const answer = await hub.api.patch(`/clusters/${id}`, { name: "Half", deviceIds: [], agentIds: [NOWHERE] });
    expect(answer).toMatchObject({ status: 404, body: { errors: [{ path: "agentIds" }] } });
    const cluster = await get("clusters", id);
    expect(cluster.deviceIds).toEqual([device.id]);
    expect(cluster.name).not.toBe("Half");
  });

  test("stay when the cluster is deleted, in none, with the links that still fit; its topics and join codes go", async () => {
    const [one] = ids();
    const { id, key } = await createOne({ agentIds: [one] });
    const device = await addDevice({ clusterId: id, agentIds: [one] });
    const { body: code } = await hub.api.post("/enrolments", { clusterId: id });
    const { body: credential } = await hub.api.post("/mqtt-clients", { name: "Reader", permissions: ["read"] });
    const { username, password } = credential;
    const info = `powerbeacon/cluster/${key}/info`;
    const reader = await connectMqtt(hub.mqttUrl, { username, password }, [info]);
    await expect.poll(() => reader.last(info)).toContain('"total":1');

    expect(await hub.api.delete(`/clusters/${id}`)).toMatchObject({ status: 200, body: { droppedLinks: [] } });
    expect(await get("devices", device.id)).toMatchObject({ clusterId: null, agentIds: [one] });
    expect((await get("agents", one ?? "")).clusterId).toBeNull();
    await expect.poll(() => reader.last(info)).toBe("");
    await reader.close();
    expect((await hub.api.get("/enrolments")).body.items.map((row: { id: string }) => row.id)).not.toContain(code.id);
    expect((await hub.api.get(`/clusters/${id}`)).status).toBe(404);
  });
});

test("a cluster wake answers for each enabled device, and for none refuses", async () => {
  const { id } = await createOne({ agentIds: [ids()[0]] });
  expect(await hub.api.post(`/clusters/${id}/wake`)).toMatchObject({ status: 409, body: { code: "CLUSTER_EMPTY" } });
  const on = await addDevice({ clusterId: id });
  await addDevice({ clusterId: id, enabled: false });
  const { status, body } = await hub.api.post(`/clusters/${id}/wake`);
  expect(status).toBe(202);
  expect(body.wakes).toMatchObject([{ device: on.key, stage: "accepted", agents: [{ key: "one", stage: "asked" }] }]);
});
