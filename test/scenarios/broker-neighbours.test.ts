import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isMissing } from "#test/fixtures/commands.ts";
import { FAST_DISCOVERY, configTopic } from "#test/fixtures/home-assistant.ts";
import { type TestHub, startTestHub } from "#test/fixtures/hub.ts";
import { HUB_USERS, type MosquittoServer, startMosquitto } from "#test/fixtures/mosquitto-server.ts";
import { startOldBroker } from "#test/fixtures/old-broker.ts";
import { startSimulatedMachine } from "#test/fixtures/simulated-machine.ts";

const SOON = { timeout: 15_000, interval: 100 };

describe.skipIf(isMissing("mosquitto"))("two hubs with two base topics on one Mosquitto", () => {
  let mosquitto: MosquittoServer;
  let first: TestHub;
  let second: TestHub;

  beforeAll(async () => {
    mosquitto = await startMosquitto();
    first = await startTestHub({}, { mosquitto, discoveryTiming: FAST_DISCOVERY });
    const settings = { MQTT_USERNAME: HUB_USERS[1], MQTT_BASE_TOPIC: "second" };
    second = await startTestHub(settings, { mosquitto, discoveryTiming: FAST_DISCOVERY });
    await first.startAgent({ name: "Pi" });
    await second.startAgent({ name: "Pi" });
  }, 60_000);

  afterAll(async () => {
    await first.close();
    await second.close();
    await mosquitto.close();
  });

  const addDevice = async (hub: TestHub, mac: string) => (await hub.api.post("/devices", { name: "NAS", mac })).body;

  async function readerOf(hub: TestHub, name: string) {
    const permissions = ["read", "wake", "discovery"];
    const { username, password } = (await hub.api.post("/mqtt-clients", { name, permissions })).body;
    return await hub.connect({ username, password, protocolVersion: 5 }, ["#"]);
  }

  test("have each their own agents, devices and clients", async () => {
    await addDevice(first, "02:00:00:00:0d:01");
    await addDevice(second, "02:00:00:00:0d:02");
    const [one, other] = [await readerOf(first, "One"), await readerOf(second, "Other")];
    await expect.poll(() => one.last("powerbeacon/device/nas/availability"), SOON).toBe("online");
    await expect.poll(() => other.last("second/device/nas/availability"), SOON).toBe("online");
    expect(one.on(/^second\//)).toEqual([]);
    expect(other.on(/^powerbeacon\//)).toEqual([]);
    for (const hub of [first, second])
      expect((await hub.api.get("/agents")).body.items).toMatchObject([{ key: "pi", status: "online" }]);
    const foreign = other.client.publishAsync("powerbeacon/cluster/unassigned/wake", "*", { qos: 1 });
    await expect(foreign).rejects.toThrow("Not authorized");
  });

  test("leave alone what the other one told Home Assistant, at a restart, too", async () => {
    const [one, other] = [await addDevice(first, "02:00:00:00:0d:11"), await addDevice(second, "02:00:00:00:0d:12")];
    const home = await readerOf(first, "Home");
    const topics = [one, other].map(({ id }) => configTopic("device", id));
    const told = () => topics.map((topic) => (home.last(topic) ?? "") !== "");
    await expect.poll(told, SOON).toEqual([true, true]);
    await first.restart();
    await first.api.delete(`/devices/${one.id}`);
    await expect.poll(told, SOON).toEqual([false, true]);
    await second.restart();
    await second.api.patch(`/devices/${other.id}`, { name: "Renamed" });
    await expect.poll(() => home.last(topics[1] ?? ""), SOON).toContain("Renamed");
    expect(told()).toEqual([false, true]);
  });
});

describe.skipIf(isMissing("mosquitto"))("a broker that speaks MQTT 3.1.1 alone", () => {
  test("gets hub and agent down to that, and a wake works", async () => {
    const mosquitto = await startMosquitto();
    const old = await startOldBroker(mosquitto.url);
    const hub = await startTestHub({ MQTT_URL: old.url }, { mosquitto });
    await hub.startAgent({ name: "Pi" });
    const machine = await startSimulatedMachine({ mac: "02:00:00:00:0d:21", host: "127.0.6.1", bootMs: 100 });
    const { body: device } = await hub.api.post("/devices", {
      name: "NAS",
      mac: machine.mac,
      address: machine.host,
      wake: { addresses: ["127.255.255.255"], ports: [machine.udpPort] },
      watch: { icmp: false, arp: false, tcpPorts: [machine.tcpPort], intervalSeconds: 1 },
    });
    const { username, password } = (await hub.api.post("/mqtt-clients", { name: "HA", permissions: ["read", "wake"] }))
      .body;
    const home = await hub.connect({ username, password, protocolVersion: 4 }, ["powerbeacon/#"]);
    const results = () =>
      home.on(/\/wake\/result$/).map(({ text }) => {
        const { stage, code } = JSON.parse(text);
        return code ?? stage;
      });

    await home.client.publishAsync("powerbeacon/cluster/unassigned/wake", device.key, { qos: 1 });
    await expect.poll(results, SOON).toEqual(["accepted", "sent", "awake"]);
    expect(machine.packets[0]).toHaveLength(102);
    await home.client.publishAsync("powerbeacon/cluster/unassigned/wake", "", { qos: 1 });
    await expect.poll(() => results().at(-1), SOON).toBe("INVALID_REQUEST");
    expect(new Set(old.versions)).toEqual(new Set([5, 4]));

    await home.close();
    await hub.close();
    await old.close();
    await mosquitto.close();
    await machine.close();
  });
});
