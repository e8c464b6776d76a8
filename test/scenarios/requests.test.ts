import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { TokenPermission } from "#contracts/permissions.ts";
import { query } from "#test/fixtures/database.ts";
import { type TestHub, startTestHub } from "#test/fixtures/hub.ts";
import { type TestMqttClient, connectMqtt } from "#test/fixtures/mqtt.ts";
import {
  BEHIND_PROXY,
  type Person,
  type TestSite,
  addPerson,
  addSite,
  addToken,
  firstSite,
} from "#test/fixtures/people.ts";
import { type ScriptedAgent, freshMac, freshName, startScriptedAgent } from "#test/fixtures/scripted-agent.ts";

/** Requests to the hub, by whoever may ask and whoever may not, with both versions of MQTT. */

let hub: TestHub;
let home: TestSite;
let cluster: { id: string; key: string };
let lab: { id: string; key: string };
let agent: ScriptedAgent;
let inLab: ScriptedAgent;
const clients: TestMqttClient[] = [];

beforeAll(async () => {
  hub = await startTestHub(BEHIND_PROXY);
  home = await firstSite(hub);
  cluster = (await hub.api.post("/clusters", { name: "Home" })).body;
  lab = (await hub.api.post("/clusters", { name: "Lab" })).body;
  agent = await startScriptedAgent(hub, { name: "Pi", clusterId: cluster.id });
  inLab = await startScriptedAgent(hub, { name: "Rack", clusterId: lab.id });
});

afterAll(async () => {
  for (const client of [...clients, agent, inLab]) await client.close();
  await hub.close();
});

let device: { id: string; key: string; mac: string };
beforeEach(async () => {
  device = await addDevice();
});

const addDevice = async (fields: object = {}, { api }: Pick<TestSite, "api"> = hub) =>
  (await api.post("/devices", { name: freshName("Box"), mac: freshMac(), clusterId: cluster.id, ...fields })).body;

interface Asker {
  readonly username: string;
  readonly mqtt: TestMqttClient;
  /** Asks, and waits for the answer that comes on the asker's own topic. */
  // oxlint-disable-next-line typescript/no-explicit-any
  ask(verb: string, fields?: object): Promise<any>;
  /** The results that followed on the asker's own topic. */
  results(verb: string): { stage: string; device: string; transaction: string | null; code?: string }[];
}

let questions = 0;

async function connect(username: string, password: string, protocolVersion: 4 | 5 = 5): Promise<Asker> {
  const mqtt = await connectMqtt(hub.mqttUrl, { username, password, protocolVersion }, ["powerbeacon/#"]);
  clients.push(mqtt);
  const own = (verb: string) => `powerbeacon/client/${username}/response/${verb}`;
  const received = (verb: string) =>
    mqtt.on(/\/response\//).flatMap(({ topic, text }) => (topic === own(verb) ? [JSON.parse(text)] : []));
  return {
    username,
    mqtt,
    ask: async (verb, fields = {}) => {
      const answers = () => received(verb).filter((one) => "status" in one);
      const before = answers().length;
      const payload = JSON.stringify({ transaction: `q-${++questions}`, ...fields });
      await mqtt.client.publishAsync(`powerbeacon/hub/request/${verb}`, payload, { qos: 1 });
      await expect.poll(answers).toHaveLength(before + 1);
      return answers().at(-1);
    },
    results: (verb) => received(verb).filter((one) => "stage" in one),
  };
}

async function integration(
  permissions: string[],
  options: { clusterIds?: string[]; version?: 4 | 5; site?: TestSite } = {},
) {
  const { clusterIds, version, site = home } = options;
  const { body } = await site.api.post("/mqtt-clients", { name: freshName("Client"), permissions, clusterIds });
  return await connect(body.username, body.password, version);
}

async function token(person: Person, permissions: TokenPermission[]) {
  return await connect(`~${person.username}`, (await addToken(person.api, permissions)).token);
}

const orderedOf = ({ orders }: ScriptedAgent, key: string) =>
  orders().filter(({ targets }) => targets.some((target) => target.device === key));
const error = (code: string, field: string | null = null) => ({ status: "error", error: { code, field } });

describe.each([4, 5] as const)("with MQTT version %d a wake", (version) => {
  test("is answered, ordered, and tells its stages to whoever asked", async () => {
    const asker = await integration(["wake"], { version });
    const answer = await asker.ask("wake", { device: device.key, transaction: `w-${version}` });
    expect(answer).toEqual({
      status: "ok",
      data: { wakes: [{ device: device.key, wake: expect.any(String), stage: "accepted" }], total: 1 },
      transaction: `w-${version}`,
    });
    await expect.poll(() => orderedOf(agent, device.key)).toHaveLength(1);
    const [order] = orderedOf(agent, device.key);
    if (order) await agent.answers(order, "sent");
    await agent.sees({ [device.key]: true });
    await expect
      .poll(() => asker.results("wake").map(({ stage, transaction }) => [stage, transaction]))
      .toEqual([
        ["accepted", `w-${version}`],
        ["sent", `w-${version}`],
        ["awake", `w-${version}`],
      ]);
    const repeated = await asker.ask("wake", { device: device.key, transaction: `w-${version}` });
    expect(repeated.data.wakes).toEqual([{ ...answer.data.wakes[0], stage: "awake" }]);
    expect(orderedOf(agent, device.key)).toHaveLength(1);
    const rows = () =>
      query(
        hub.databaseUrl,
        "select actor_type, actor_name, details::jsonb->>'door' as door from audit where action = 'device.wake' and target_id = $1",
        [device.id],
      );
    await expect.poll(rows).toEqual([{ actor_type: "mqtt-client", actor_name: asker.username, door: "mqtt" }]);
  });
});

describe("a wake", () => {
  test("of devices in two clusters is one request, and a row of the audit log for each cluster", async () => {
    const asker = await integration(["wake"]);
    const other = await addDevice({ clusterId: lab.id });
    const { data } = await asker.ask("wake", { devices: [device.key, other.key, device.key, "nobody"] });
    expect(data).toMatchObject({
      wakes: [
        { device: device.key, stage: "accepted" },
        { device: other.key, stage: "accepted" },
        { device: "nobody", stage: "refused", code: "UNKNOWN_DEVICE" },
      ],
      total: 3,
    });
    await expect.poll(() => orderedOf(inLab, other.key)).toHaveLength(1);
    const rows = () =>
      query(hub.databaseUrl, "select target_id from audit where action = 'device.wake' and actor_name = $1", [
        asker.username,
      ]);
    await expect
      .poll(async () => new Set((await rows()).map((row) => row["target_id"])))
      .toEqual(new Set([device.id, other.id]));
  });

  test("of a cluster, by MAC address, or of one that is on already", async () => {
    const asker = await integration(["wake"]);
    const hall = (await hub.api.post("/clusters", { name: freshName("Hall") })).body;
    expect(await asker.ask("wake", { cluster: hall.key })).toMatchObject(error("CLUSTER_EMPTY", "cluster"));
    await hub.api.patch(`/devices/${device.id}`, { clusterId: hall.id });
    const failed = { device: device.key, stage: "failed", code: "NO_AGENT", wake: expect.any(String) };
    expect(await asker.ask("wake", { cluster: hall.key })).toMatchObject({ data: { wakes: [failed], total: 1 } });
    expect(await asker.ask("wake", { mac: device.mac.toUpperCase() })).toMatchObject({ data: { wakes: [failed] } });
    const on = await addDevice();
    await agent.sees({ [on.key]: true });
    await expect.poll(async () => (await hub.api.get(`/devices/${on.id}`)).body.power).toBe("on");
    const asked = await asker.ask("power", { device: on.key, action: "on" });
    expect(asked).toMatchObject({ data: { wakes: [{ device: on.key, stage: "already-on" }] } });
    const forced = await asker.ask("wake", { device: on.key, force: true });
    expect(forced).toMatchObject({ data: { wakes: [{ device: on.key, stage: "accepted" }] } });
  });

  test("is an order whose message expires when the order does", async () => {
    const asker = await integration(["wake"]);
    await asker.ask("wake", { device: device.key });
    await expect.poll(() => orderedOf(agent, device.key)).toHaveLength(1);
    const packet = agent.mqtt.on(/\/wake$/).at(-1)?.packet;
    expect(packet?.properties?.messageExpiryInterval).toBeGreaterThan(25);
    expect(packet?.properties?.messageExpiryInterval).toBeLessThanOrEqual(30);
  });

  test("on a topic of its own takes its transaction from the user properties, and results carry it there", async () => {
    const asker = await integration(["read", "wake"]);
    const userProperties = { transaction: "beside" };
    await asker.mqtt.client.publishAsync(`powerbeacon/device/${device.key}/set`, "ON", {
      qos: 1,
      properties: { userProperties },
    });
    const results = () => asker.mqtt.on(/\/wake\/result$/).filter(({ text }) => text.includes(device.key));
    await expect.poll(() => results().map(({ text }) => JSON.parse(text).transaction)).toEqual(["beside"]);
    expect(results()[0]?.packet.properties?.userProperties).toEqual({ transaction: "beside" });
    await asker.mqtt.client.publishAsync(`powerbeacon/device/${device.key}/set`, "OFF", {
      qos: 1,
      properties: { userProperties },
    });
    const refused = () => asker.mqtt.on(/\/result$/).find(({ topic }) => topic.includes(`device/${device.key}`));
    await expect
      .poll(() => refused()?.packet.properties?.userProperties)
      .toEqual({ transaction: "beside", code: "FORBIDDEN" });
  });
});

describe("who may not", () => {
  test.each([
    [["read"], "wake", { device: "?" }, "FORBIDDEN"],
    [["discovery"], "inventory", {}, "FORBIDDEN"],
    [["wake"], "health", {}, "FORBIDDEN"],
    [["read"], "power", { device: "?", action: "wake" }, "FORBIDDEN"],
    [["wake"], "power", { device: "?", action: "shutdown" }, "FORBIDDEN"],
    [["read", "wake"], "send-discovery", {}, "FORBIDDEN"],
    [["power"], "power", { device: "?", action: "sleep" }, "NOT_SUPPORTED"],
    [["power"], "power", { device: "?", action: "wake" }, "FORBIDDEN"],
    [["wake"], "power", { device: "?", action: "wake" }, undefined],
  ])("an integration with %j that asks for %s %j is told %s", async (permissions, verb, fields, code) => {
    const asker = await integration(permissions);
    const named = "device" in fields ? { ...fields, device: device.key } : fields;
    expect((await asker.ask(verb, named)).error?.code).toBe(code);
  });

  test("an integration of one cluster knows nothing of others", async () => {
    const asker = await integration(["read", "wake", "power"], { clusterIds: [lab.id] });
    const inside = await addDevice({ clusterId: lab.id });
    expect(await asker.ask("wake", { device: device.key })).toMatchObject(error("UNKNOWN_DEVICE", "device"));
    expect(await asker.ask("wake", { mac: device.mac })).toMatchObject(error("UNKNOWN_DEVICE", "mac"));
    expect(await asker.ask("wake", { cluster: cluster.key })).toMatchObject(error("UNKNOWN_CLUSTER", "cluster"));
    const off = { device: device.key, action: "off" };
    expect((await asker.ask("power", off)).error.code).toMatch(/UNKNOWN_DEVICE|NOT_SUPPORTED/);
    const { data } = await asker.ask("inventory");
    expect(data).toMatchObject({ clusters: [{ key: lab.key }], agents: [{ key: inLab.key }] });
    const keys = data.devices.map(({ key }: { key: string }) => key);
    expect(keys).toContain(inside.key);
    expect(keys).not.toContain(device.key);
    expect((await asker.ask("health")).data.agents).toEqual({ total: 1, online: 1 });
  });

  test("a person wakes what the person may wake, and is told of the others", async () => {
    const ann = await addPerson(hub, home, "user");
    const asker = await token(ann, ["device:read", "device:wake", "device:power"]);
    const own = await addDevice({ ownerId: ann.id });
    const { data } = await asker.ask("wake", { devices: [own.key, device.key] });
    expect(data).toMatchObject({
      wakes: [
        { device: own.key, stage: "accepted" },
        { device: device.key, stage: "refused", code: "FORBIDDEN" },
      ],
    });
    expect(await asker.ask("wake", { device: device.key })).toMatchObject(error("FORBIDDEN", "device"));
    const off = { device: device.key, action: "off" };
    expect(await asker.ask("power", off)).toMatchObject(error("FORBIDDEN", "device"));
    const another = await addDevice({ ownerId: ann.id });
    expect(await asker.ask("power", { ...off, device: another.key })).toMatchObject(error("NOT_SUPPORTED", "device"));
    const viewer = await token(await addPerson(hub, home, "viewer"), ["device:read"]);
    expect(await viewer.ask("wake", { device: own.key })).toMatchObject(error("FORBIDDEN"));
    expect(await viewer.ask("inventory", { limit: 1 })).toMatchObject({
      status: "ok",
      data: { clusters: [], agents: [] },
    });
    expect((await hub.api.get(`/devices/${own.id}/wakes`)).body.items).toMatchObject([{ requestedBy: ann.username }]);
  });

  test("another site has its own inventory, and none of ours", async () => {
    const away = await addSite(hub, "Away");
    const theirs = await addDevice({ clusterId: null }, away);
    const asker = await integration(["read", "wake"], { site: away });
    const { data } = await asker.ask("inventory");
    expect(data).toMatchObject({ clusters: [], agents: [], devices: [{ key: theirs.key, cluster: null }], next: null });
    expect(await asker.ask("wake", { mac: device.mac })).toMatchObject(error("UNKNOWN_DEVICE", "mac"));
    const ours = await integration(["read"]);
    expect((await ours.ask("inventory")).data.devices.map(({ key }: { key: string }) => key)).not.toContain(theirs.key);
    expect(ours.mqtt.on(new RegExp(theirs.key))).toEqual([]);
  });
});

test("health tells of the hub, its broker, the agents that are there, and what is wrong", async () => {
  const asker = await integration(["read"]);
  const far = (await hub.api.post("/clusters", { name: freshName("Far") })).body;
  await addDevice({ clusterId: far.id });
  const { data } = await asker.ask("health");
  expect(data).toMatchObject({
    hub: { api: 1, database: "ok", audit: "ok", agents: { online: 2 } },
    broker: { embedded: true, clients: expect.any(Number) },
    agents: { online: 2 },
  });
  expect(data.broker.clients).toBeGreaterThan(2);
  expect(data.problems).toContainEqual({ cluster: far.key, problem: "No agent is online" });
});
