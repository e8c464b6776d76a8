import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createApi } from "#test/fixtures/api.ts";
import { type TestHub, startTestHub } from "#test/fixtures/hub.ts";
import { type TestMqttClient, connectMqtt } from "#test/fixtures/mqtt.ts";
import { logIn } from "#test/fixtures/people.ts";
import {
  INVENTORY,
  type ScriptedAgent,
  freshMac,
  freshName,
  startScriptedAgent,
} from "#test/fixtures/scripted-agent.ts";
import { askDoctor } from "./doctor-command.ts";

/** The doctor of a whole hub, with agents that a test speaks for. */

let hub: TestHub;
let client: TestMqttClient;
let clusterId: string;
let agent: ScriptedAgent;

beforeAll(async () => {
  hub = await startTestHub();
  clusterId = (await hub.api.post("/clusters", { name: "Lab" })).body.id;
  agent = await startScriptedAgent(hub, { name: "Pi", clusterId });
  const { body } = await hub.api.post("/mqtt-clients", { name: "HA", permissions: ["read", "wake"] });
  const { username, password } = body;
  client = await connectMqtt(hub.mqttUrl, { username, password, protocolVersion: 5 }, ["powerbeacon/#"]);
});

afterAll(async () => {
  await client.close();
  await agent.close();
  await hub.close();
});

beforeEach(() => agent.says("online"));

async function addDevice(fields: object = {}) {
  const mac = freshMac().replace(/^02/, "00"); // as a maker gives it
  const told = { name: freshName("Box"), mac, clusterId, ...fields };
  const { body, status } = await hub.api.post("/devices", told);
  expect(status).toBe(201);
  return body;
}

const reportOn = async ({ id }: { id: string }) => (await hub.api.get(`/devices/${id}/doctor`)).body;
const codesOf = async (device: { id: string }): Promise<string[]> =>
  (await reportOn(device)).findings.map(({ code }: { code: string }) => code);

test("a device that was never woken is fine as far as is known, and the report says so in a sentence", async () => {
  const device = await addDevice({ name: "Quiet box" });
  expect(await reportOn(device)).toMatchObject({
    device: "quiet-box",
    verdict: "fine",
    summary: "Nothing that is known stands in the way of waking Quiet box.",
    findings: [{ code: "NEVER_WOKEN", severity: "hint" }],
  });
});

test("what agents tell of their networks counts", async () => {
  const far = await addDevice({ address: "192.168.77.5" });
  expect(await reportOn(far)).toMatchObject({
    verdict: "cannot-work",
    findings: [
      { code: "OTHER_SUBNET", evidence: { networks: { [agent.key]: ["10.0.0.2/24"] } } },
      { code: "NEVER_WOKEN" },
    ],
  });
  expect(await codesOf(await addDevice({ address: "10.0.0.77" }))).not.toContain("OTHER_SUBNET");
});

test("an agent that goes away is found at once", async () => {
  const device = await addDevice();
  await agent.says("offline");
  const { findings, verdict } = await reportOn(device);
  expect(verdict).toBe("cannot-work");
  expect(findings[0]).toMatchObject({ code: "AGENT_OFFLINE", title: "Its agent Pi is offline" });
});

describe("the agent on the device itself", () => {
  test("tells whether its card is armed, there and in what the device is now", async () => {
    const device = await addDevice();
    const own = await startScriptedAgent(hub, { name: freshName("Own"), clusterId });
    const [card] = INVENTORY.interfaces;
    const machine = {
      container: null,
      virtual: null,
      fastStartup: true,
      powerActions: [],
      powerProblem: null,
      listensOn: [],
    };
    const interfaces = [{ ...card, mac: device.mac, kind: "ethernet", link: true, armed: false, secureOn: true }];
    await own.publish("inventory", { ...INVENTORY, interfaces, machine, nonce: "0123456789abcdef" }, true);
    await expect.poll(async () => (await hub.api.get(`/devices/${device.id}`)).body.armed).toBe(false);
    await expect.poll(() => client.lastJson(`powerbeacon/device/${device.key}/info`)?.armed).toBe(false);
    const { findings } = await reportOn(device);
    expect(findings.map(({ code }: { code: string }) => code)).toEqual([
      "NOT_ARMED",
      "SECURE_ON_MISSING",
      "FAST_STARTUP",
      "NEVER_WOKEN",
    ]);
    await own.close();
    await hub.api.delete(`/agents/${own.id}`);
  });

  test("is nobody who could wake it", async () => {
    const { body: cluster } = await hub.api.post("/clusters", { name: freshName("Alone") });
    const own = await startScriptedAgent(hub, { name: freshName("Own"), clusterId: cluster.id });
    const device = await addDevice({ clusterId: cluster.id });
    await own.runsOn(device, { powerActions: ["sleep"] });
    expect((await reportOn(device)).findings[0]).toMatchObject({ code: "NO_AGENT", evidence: { ownAgent: own.key } });
    await own.close();
  });
});

describe("a wake that ends without the machine", () => {
  const lastResult = (key: string) =>
    client
      .on(/wake\/result$/)
      .map(({ text }) => JSON.parse(text))
      .findLast(({ device, stage }) => device === key && ["no-answer", "failed"].includes(stage));

  test("tells what the doctor found: in its result, its history and the report", async () => {
    const device = await addDevice({ wake: { windowSeconds: 5 } });
    const { body } = await hub.api.post(`/devices/${device.id}/wake`);
    await expect.poll(() => agent.orders().some(({ targets }) => targets[0]?.device === device.key)).toBe(true);
    const order = agent.orders().findLast(({ targets }) => targets[0]?.device === device.key)!;
    await agent.answers(order, "sent");
    await expect.poll(() => lastResult(device.key), { timeout: 15_000 }).toMatchObject({ stage: "no-answer" });
    const found = [{ code: "NO_ANSWER", title: expect.any(String), advice: expect.any(String) }, expect.anything()];
    expect(lastResult(device.key).findings).toEqual(found);
    expect((await hub.api.get(`/wakes/${body.wake}`)).body.stages.at(-1).findings).toEqual(found);
    expect(await codesOf(device)).toEqual(["NO_ANSWER", "NEVER_WOKEN"]);
  });

  test("tells whether an agent beside, which listens, heard the magic packet", async () => {
    const ears = await startScriptedAgent(hub, { name: freshName("Ears"), clusterId });
    const machine = { container: null, virtual: null, fastStartup: null, powerActions: [], powerProblem: null };
    const listening = { ...INVENTORY, machine: { ...machine, listensOn: [7, 9] }, nonce: "0123456789abcdef" };
    await ears.publish("inventory", listening, true);
    const fields = { agentIds: [agent.id], address: "10.0.0.77", wake: { windowSeconds: 5 } };
    const [heard, lost] = [await addDevice(fields), await addDevice(fields)];
    for (const { id } of [heard, lost]) await hub.api.post(`/devices/${id}/wake`);
    for (const { key } of [heard, lost]) {
      const orderOf = () => agent.orders().find(({ targets }) => targets[0]?.device === key);
      await expect.poll(orderOf).toBeDefined();
      await agent.answers(orderOf()!, "sent");
    }
    const at = new Date().toISOString();
    const packets = [{ mac: heard.mac, at, from: "10.0.0.2", port: 9 }];
    await ears.publish("sightings", { at, full: false, sightings: [], packets });
    for (const { key } of [heard, lost])
      await expect.poll(() => lastResult(key), { timeout: 15_000 }).toMatchObject({ stage: "no-answer" });
    expect(lastResult(heard.key).findings[0]).toMatchObject({ code: "NO_LINK" });
    expect(lastResult(lost.key).findings[0]).toMatchObject({ code: "NOT_ON_WIRE" });
    expect((await reportOn(lost)).findings[0].evidence).toMatchObject({
      sentBy: [agent.key],
      listening: [{ agent: ears.key, ports: [7, 9] }],
    });
    await ears.close();
    await hub.api.delete(`/agents/${ears.id}`);
  });

  test("because nobody is there tells of that, too", async () => {
    const device = await addDevice();
    await agent.says("offline");
    await hub.api.post(`/devices/${device.id}/wake`);
    await expect.poll(() => lastResult(device.key)).toMatchObject({ stage: "failed", code: "ALL_OFFLINE" });
    expect(lastResult(device.key).findings[0]).toMatchObject({ code: "AGENT_OFFLINE" });
  });
});

describe("who asks", () => {
  test("over MQTT is answered, when the device is there for them", async () => {
    const device = await addDevice({ name: "Asked box" });
    const ask = (payload: object) =>
      client.client.publishAsync("powerbeacon/hub/request/doctor", JSON.stringify(payload), { qos: 1 });
    const answer = () => client.lastJson("powerbeacon/hub/response/doctor");
    await ask({ device: device.key, transaction: "d-1" });
    await expect.poll(answer).toMatchObject({ status: "ok", transaction: "d-1", data: { device: "asked-box" } });
    await ask({ device: "no-such-box", transaction: "d-2" });
    const error = { code: "UNKNOWN_DEVICE", reason: 'There is no device "no-such-box"', field: "device" };
    await expect.poll(answer).toMatchObject({ status: "error", transaction: "d-2", error });
    await ask({ transaction: "d-3" });
    await expect
      .poll(answer)
      .toMatchObject({ transaction: "d-3", error: { code: "INVALID_REQUEST", field: "device" } });
  });

  test("and may not see agents reads no evidence", async () => {
    const device = await addDevice({ address: "192.168.77.6" });
    const viewer = { username: "vera", password: "correct horse battery", role: "viewer" };
    expect((await hub.api.post("/users", viewer)).status).toBe(201);
    const asViewer = createApi(hub.url, await logIn(hub.url, viewer));
    const { findings } = (await asViewer.get(`/devices/${device.id}/doctor`)).body;
    expect(findings).toMatchObject([{ code: "OTHER_SUBNET" }, { code: "NEVER_WOKEN" }]);
    expect(findings.map(({ evidence }: { evidence: object }) => evidence)).toEqual([{}, {}]);
  });

  test.each([
    ["its key", "operated-box"],
    ["its name", "Operated BOX"],
    ["its MAC address", "02-AA-00-00-00-77"],
  ])("on the hub's own machine names a device by %s", async (_what, asked) => {
    await hub.api.post("/devices", { name: "Operated box", mac: "02:aa:00:00:00:77", clusterId });
    const { lines, fine } = await askDoctor(hub.dataDir, asked);
    expect({ fine, first: lines[0] }).toEqual({
      fine: true,
      first: "Nothing that is known stands in the way of waking Operated box.",
    });
  });

  test("on the hub's own machine for a device that is not there hears of near ones", async () => {
    await addDevice({ name: "Workshop" });
    await expect(askDoctor(hub.dataDir, "workshpo")).rejects.toThrow(
      'There is no device "workshpo". Did you mean workshop?',
    );
    await expect(askDoctor(hub.dataDir, "x".repeat(300))).rejects.toThrow("does not know this question");
    await expect(askDoctor("/no/such/folder", "nas")).rejects.toThrow("No hub runs on the data folder /no/such/folder");
  });
});
