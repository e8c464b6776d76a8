import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { FAST_DISCOVERY, configTopic } from "#test/fixtures/home-assistant.ts";
import { type TestAgent, type TestHub, startTestHub } from "#test/fixtures/hub.ts";
import { type TestMqttClient, connectMqtt } from "#test/fixtures/mqtt.ts";
import { type PlainBroker, startPlainBroker } from "#test/fixtures/plain-broker.ts";
import { type SimulatedMachine, startSimulatedMachine } from "#test/fixtures/simulated-machine.ts";

/** Agents on the hub's own broker, Home Assistant on another: the hub offers itself there. */

const MAC = "02:00:00:00:0c:01";
const STATE = "powerbeacon/device/nas/state";

let theirs: PlainBroker;
let hub: TestHub;
let agent: TestAgent;
let machine: SimulatedMachine;
let device: { id: string };
let home: TestMqttClient;

beforeAll(async () => {
  theirs = await startPlainBroker();
  hub = await startTestHub({ HA_MQTT_URL: theirs.url }, { discoveryTiming: FAST_DISCOVERY });
  agent = await hub.startAgent({ name: "Pi" });
  machine = await startSimulatedMachine({ mac: MAC, host: "127.0.12.1", bootMs: 300 });
  ({ body: device } = await hub.api.post("/devices", {
    name: "NAS",
    mac: MAC,
    address: machine.host,
    wake: { addresses: ["127.255.255.255"], ports: [machine.udpPort] },
    watch: { icmp: false, arp: false, tcpPorts: [machine.tcpPort], intervalSeconds: 1 },
  }));
});

afterAll(async () => {
  await hub.close();
  await machine.close();
  await theirs.stop();
});

beforeEach(async () => {
  home = await listen();
});

afterEach(() => home.close());

const listen = (protocolVersion: 4 | 5 = 5) =>
  connectMqtt(theirs.url, { protocolVersion }, ["powerbeacon/#", "homeassistant/#"]);
const isWoken = () =>
  expect.poll(() => home.lastJson("powerbeacon/device/nas/info")?.power, { timeout: 20_000 }).toBe("on");

async function goDown(): Promise<void> {
  await machine.powerOff();
  await expect.poll(() => home.last(STATE), { timeout: 20_000 }).toBe("OFF");
}

test("state and discovery are there, retained; orders, watch lists and inventories are not", async () => {
  await expect.poll(() => home.last("powerbeacon/hub/status")).toBe("online");
  await expect.poll(() => home.last("powerbeacon/agent/pi/status")).toBe("online");
  await expect.poll(() => home.lastJson("powerbeacon/agent/pi/heartbeat")?.version).toBeDefined();
  await expect.poll(() => home.lastJson(configTopic("device", device.id))?.device.name).toBe("NAS");
  await expect.poll(() => home.last(STATE), { timeout: 20_000 }).toBe("OFF");
  expect(home.on(/\/(order|watch|inventory|receipt|sightings)$/)).toEqual([]);
});

test("a button there wakes the machine, and tells how it went; the order stays away", async () => {
  await home.client.publishAsync("powerbeacon/device/nas/set", "ON", { qos: 1 });
  await isWoken();
  await expect
    .poll(() => home.on(/\/event$/).map(({ text }) => JSON.parse(text).event_type))
    .toContain("wake_succeeded");
  expect(home.on(/cluster\/.*\/wake$/)).toEqual([]);
  await goDown();
});

test("a request is answered on its response topic there, with its correlation data", async () => {
  const properties = {
    responseTopic: "powerbeacon/client/ha/response/7",
    correlationData: Buffer.from("seven"),
  };
  await home.client.publishAsync("powerbeacon/hub/request/health", "{}", { qos: 1, properties });
  await expect.poll(() => home.lastJson("powerbeacon/client/ha/response/7")?.status).toBe("ok");
  const [answer] = home.on(/client\/ha\/response\/7$/);
  expect(answer?.packet.properties?.correlationData?.toString()).toBe("seven");
  expect(home.lastJson("powerbeacon/hub/response/health")?.status).toBe("ok");
});

test("nobody is answered elsewhere, and the hub says so", async () => {
  const properties = { responseTopic: "powerbeacon/hub/status" };
  await home.client.publishAsync("powerbeacon/hub/request/health", "{}", { qos: 1, properties });
  await expect
    .poll(() => home.lastJson("powerbeacon/hub/response/health")?.error?.code)
    .toBe("RESPONSE_TOPIC_NOT_ALLOWED");
  expect(home.last("powerbeacon/hub/status")).toBe("online");
});

test("what one of the brokers would throw out is not passed on to it, and the hub is there afterwards", async () => {
  const ask = (payload: string, properties: object = {}) =>
    home.client.publishAsync("powerbeacon/hub/request/health", payload, { qos: 1, properties });
  const responseTopic = "powerbeacon/client/ha/response/large";
  await ask('{"transaction":"long"}', { responseTopic, correlationData: Buffer.alloc(60_000) });
  await ask('{"transaction":"odd"}', { userProperties: { large: "x".repeat(60_000) } });
  await ask('{"transaction":"good"}', { responseTopic: "powerbeacon/client/ha/response/good" });
  await expect.poll(() => home.lastJson("powerbeacon/client/ha/response/good")?.status).toBe("ok");
  const answers = home.on(/hub\/response\/health$/).map(({ text }) => JSON.parse(text));
  const codes = answers.map(({ transaction, error }) => [transaction, error?.code ?? null]);
  expect(codes).toEqual([
    ["long", "RESPONSE_TOPIC_NOT_ALLOWED"],
    ["odd", null],
    ["good", null],
  ]);
  expect(home.on(/hub\/status$/).map(({ text }) => text)).toEqual(["online"]);
});

test("a retained request and one that looks like an order are left alone", async () => {
  const before = machine.packets.length;
  await home.client.publishAsync("powerbeacon/device/nas/set", "ON", { qos: 1, retain: true });
  await home.client.publishAsync("powerbeacon/cluster/unassigned/wake", "eyJhbGciOiJub25lIn0.e30.", { qos: 1 });
  await home.client.publishAsync("powerbeacon/hub/request/health", "{}", { qos: 1 });
  await expect.poll(() => home.lastJson("powerbeacon/hub/response/health")?.status).toBe("ok");
  expect(machine.packets).toHaveLength(before);
  await home.client.publishAsync("powerbeacon/device/nas/set", "", { qos: 1, retain: true });
});

test("after a restart of that broker without what it kept, all is there again, and what went meanwhile is gone", async () => {
  const { body: gone } = await hub.api.post("/devices", { name: "Gone", mac: "02:00:00:00:0c:02" });
  await expect.poll(() => home.last("powerbeacon/device/gone/state")).toBeDefined();
  const isReached = async () => (await hub.api.get("/home-assistant")).body.listening.reached;
  await theirs.stop();
  await expect.poll(isReached).toBe(false);
  await hub.api.delete(`/devices/${gone.id}`);
  await theirs.start();
  home = await listen();
  await expect
    .poll(() => home.lastJson(configTopic("device", device.id))?.device.name, { timeout: 10_000 })
    .toBe("NAS");
  await expect.poll(() => home.last("powerbeacon/agent/pi/status")).toBe("online");
  await expect.poll(() => home.last(STATE)).toBe("OFF");
  expect(await isReached()).toBe(true);
  expect(home.on(/device\/gone\//)).toEqual([]);
  await home.client.publishAsync("powerbeacon/device/nas/set", "ON", { qos: 1 });
  await isWoken();
  await goDown();
});

test("what that broker kept of a device that is gone is cleared", async () => {
  await home.client.publishAsync("powerbeacon/device/ghost/state", "ON", { qos: 1, retain: true });
  await hub.restart({ HA_MQTT_URL: theirs.url });
  await expect.poll(() => home.last("powerbeacon/device/ghost/state"), { timeout: 15_000 }).toBe("");
  await expect.poll(() => home.last("powerbeacon/hub/status")).toBe("online");
  await agent.close();
  await expect.poll(() => home.last("powerbeacon/agent/pi/status"), { timeout: 15_000 }).toBe("offline");
  await agent.start();
  await expect.poll(() => home.last("powerbeacon/agent/pi/status"), { timeout: 15_000 }).toBe("online");
});

test("a hub that ends says so there", async () => {
  await hub.hub.close();
  await expect.poll(() => home.last("powerbeacon/hub/status")).toBe("offline");
  await hub.restart({ HA_MQTT_URL: theirs.url });
  await expect.poll(() => home.last("powerbeacon/hub/status"), { timeout: 15_000 }).toBe("online");
});

describe("a loop", () => {
  test("through the hub's own broker is cut: a request is carried out once", async () => {
    const { body: credential } = await hub.api.post("/mqtt-clients", {
      name: "Looped",
      permissions: ["read", "wake", "discovery"],
    });
    await hub.restart({
      HA_MQTT_URL: hub.mqttUrl,
      HA_MQTT_USERNAME: credential.username,
      HA_MQTT_PASSWORD: credential.password,
    });
    const { body: own } = await hub.api.post("/mqtt-clients", { name: "Listener", permissions: ["read", "wake"] });
    const login = { username: own.username, password: own.password, protocolVersion: 5 } as const;
    const client = await connectMqtt(hub.mqttUrl, login, ["powerbeacon/#"]);
    await expect.poll(() => client.last("powerbeacon/agent/pi/status"), { timeout: 15_000 }).toBe("online");
    await client.client.publishAsync("powerbeacon/hub/request/health", '{"transaction":"loop"}', { qos: 1 });
    await expect.poll(() => client.on(/response\/health$/).length, { timeout: 5_000 }).toBeGreaterThan(0);
    await client.client.publishAsync("powerbeacon/hub/request/health", '{"transaction":"last"}', { qos: 1 });
    await expect
      .poll(() => client.on(/response\/health$/).some(({ text }) => JSON.parse(text).transaction === "last"))
      .toBe(true);
    const of = (transaction: string) =>
      client.on(/response\/health$/).filter(({ text }) => JSON.parse(text).transaction === transaction);
    expect(of("loop").length).toBeLessThanOrEqual(2); // the asker's own, and the bridge's once
    await client.close();
    await hub.restart({ HA_MQTT_URL: theirs.url });
  });
});
