import { decodeJwt } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { WakeOrder } from "#contracts/order.ts";
import { isMissing } from "#test/fixtures/commands.ts";
import { FAST_DISCOVERY, configTopic } from "#test/fixtures/home-assistant.ts";
import { type TestAgent, type TestHub, startTestHub } from "#test/fixtures/hub.ts";
import { type MosquittoServer, startMosquitto } from "#test/fixtures/mosquitto-server.ts";
import { type SimulatedMachine, startSimulatedMachine } from "#test/fixtures/simulated-machine.ts";

/** A broker of the operator's own that goes away and comes back: everything is right again by itself. */

/** As long as it may take. Milliseconds. */
const SOON = { timeout: 10_000, interval: 100 };

const deviceFor = ({ mac, host, udpPort, tcpPort }: SimulatedMachine) => ({
  mac,
  address: host,
  wake: { addresses: ["127.255.255.255"], ports: [udpPort] },
  watch: { icmp: false, arp: false, tcpPorts: [tcpPort], intervalSeconds: 1 },
});

describe.skipIf(isMissing("mosquitto"))("on Mosquitto", () => {
  let mosquitto: MosquittoServer;
  let hub: TestHub;
  let agent: TestAgent;
  let machine: SimulatedMachine;
  let device: { id: string; key: string };
  let reader: { username: string; password: string; protocolVersion: 5 };

  beforeAll(async () => {
    mosquitto = await startMosquitto();
    hub = await startTestHub({}, { mosquitto, discoveryTiming: FAST_DISCOVERY });
    agent = await hub.startAgent({ name: "Pi" });
    machine = await startSimulatedMachine({ mac: "02:00:00:00:0c:01", host: "127.0.5.1", bootMs: 100 });
    device = (await hub.api.post("/devices", { ...deviceFor(machine), name: "NAS" })).body;
    const client = (await hub.api.post("/mqtt-clients", { name: "Reader", permissions: ["read", "discovery"] })).body;
    reader = { username: client.username, password: client.password, protocolVersion: 5 };
    machine.powerOn();
  }, 60_000);

  afterAll(async () => {
    await hub.close();
    await mosquitto.close();
    await machine.close();
  });

  const statusOf = async ({ id }: { id: string }) => (await hub.api.get(`/agents/${id}`)).body.status;

  /** What the broker has for somebody who comes now. */
  async function retained(): Promise<Record<string, string>> {
    const client = await hub.connect(reader, ["powerbeacon/#", "homeassistant/#"]);
    await client.client.subscribeAsync("settled"); // answered after what is retained
    const found = Object.fromEntries(client.on(/./).map(({ topic, text }) => [topic, text]));
    await client.close();
    return found;
  }

  /** What the hub says of its agent, and the broker to who comes now. */
  async function picture() {
    const found = await retained();
    return {
      agent: await statusOf(agent),
      hub: found["powerbeacon/hub/status"],
      agentStatus: found["powerbeacon/agent/pi/status"],
      works: found[`powerbeacon/device/${device.key}/availability`],
      state: found[`powerbeacon/device/${device.key}/state`],
      isDiscovered: found[configTopic("device", device.id)]?.includes(`powerbeacon/device/${device.key}/set`),
    };
  }

  const RIGHT = {
    agent: "online",
    hub: "online",
    agentStatus: "online",
    works: "online",
    state: "ON",
    isDiscovered: true,
  };

  /** How a wake ends. */
  async function wake(): Promise<string> {
    const packets = machine.packets.length;
    const { body } = await hub.api.post(`/devices/${device.id}/wake?wait=10`, { force: true });
    return machine.packets.length > packets ? body.stage : `nothing was sent: ${JSON.stringify(body)}`;
  }

  test("that just runs", async () => {
    await expect.poll(picture, SOON).toEqual(RIGHT);
    expect(await wake()).toBe("awake");
  });

  test("whose rules the orders do not rely on: each names the agents that are meant", async () => {
    const { MQTT_USERNAME = "", MQTT_PASSWORD = "" } = mosquitto.settings();
    const shown = { username: MQTT_USERNAME, password: MQTT_PASSWORD, protocolVersion: 5 } as const;
    const ear = await hub.connect(shown, ["powerbeacon/cluster/+/wake"]);
    expect(await wake()).toBe("awake");
    const orders = ear.on(/./).map(({ text }) => decodeJwt(text) as unknown as WakeOrder);
    expect(orders.flatMap(({ targets }) => targets)).toMatchObject([{ device: "nas", agents: ["pi"] }]);
    await ear.close();
  });

  test("that is gone for some seconds", async () => {
    await mosquitto.stop();
    await expect.poll(() => statusOf(agent), SOON).toBe("offline");
    const { body } = await hub.api.post(`/devices/${device.id}/wake`, { force: true });
    expect(body.code).toBe("ALL_OFFLINE");
    await mosquitto.start();
    await expect.poll(picture, SOON).toEqual(RIGHT);
    expect(await wake()).toBe("awake");
  });

  test("that comes back without what it had retained", async () => {
    await mosquitto.stop();
    await mosquitto.start({ empty: true });
    await expect.poll(picture, SOON).toEqual(RIGHT);
    expect(await wake()).toBe("awake");
  });

  test("whose hub is started again alone", async () => {
    await hub.restart();
    await expect.poll(picture, SOON).toEqual(RIGHT);
    expect(await wake()).toBe("awake");
  });

  test("that comes back empty after its hub", async () => {
    await mosquitto.stop();
    await hub.restart();
    expect((await fetch(`${hub.url}/health`)).status).toBe(200);
    await mosquitto.start({ empty: true });
    await expect.poll(picture, SOON).toEqual(RIGHT);
    expect(await wake()).toBe("awake");
  });

  test("that was away while a device was added", async () => {
    const added = await startSimulatedMachine({ mac: "02:00:00:00:0c:02", host: "127.0.5.2" });
    added.powerOn();
    await mosquitto.stop();
    const { body } = await hub.api.post("/devices", { ...deviceFor(added), name: "Added" });
    await mosquitto.start();
    await expect.poll(async () => (await hub.api.get(`/devices/${body.id}`)).body.power, SOON).toBe("on");
    expect((await retained())[configTopic("device", body.id)]).toContain("Added");
    await added.close();
  });

  test("that was away while a device and an agent were removed", async () => {
    const gone = await hub.startAgent({ name: "Gone" });
    const { body } = await hub.api.post("/devices", { name: "Sold", mac: "02:00:00:00:0c:03" });
    const traces = async () => Object.keys(await retained()).filter((topic) => /\/(gone|sold)\//.test(topic));
    await expect.poll(async () => (await traces()).length, SOON).toBeGreaterThan(4);
    await mosquitto.stop();
    expect((await hub.api.delete(`/agents/${gone.id}`)).status).toBe(204);
    expect((await hub.api.delete(`/devices/${body.id}`)).status).toBe(204);
    await mosquitto.start();
    await expect.poll(traces, SOON).toEqual([]);
  });

  test("that is killed: nobody publishes a Will, and yet its agents count as offline", async () => {
    await mosquitto.kill();
    await expect.poll(() => statusOf(agent), SOON).toBe("offline");
    await mosquitto.start();
    await expect.poll(picture, SOON).toEqual(RIGHT);
  });
});
