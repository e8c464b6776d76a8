import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isMissing } from "#test/fixtures/commands.ts";
import {
  FAST_DISCOVERY,
  type TestHomeAssistant,
  configTopic,
  startHomeAssistant,
} from "#test/fixtures/home-assistant.ts";
import { type TestHub, startTestHub } from "#test/fixtures/hub.ts";
import { type MosquittoServer, startMosquitto } from "#test/fixtures/mosquitto-server.ts";
import { type ScriptedAgent, freshMac, freshName, startScriptedAgent } from "#test/fixtures/scripted-agent.ts";

/** Home Assistant and the hub on a Mosquitto that goes by the hub's files: of all clusters, and of one. */

const SOON = { timeout: 10_000, interval: 50 };

describe.skipIf(isMissing("mosquitto"))("on Mosquitto", () => {
  let mosquitto: MosquittoServer;
  let hub: TestHub;
  let pi: ScriptedAgent;
  let clusterId: string;
  let home: TestHomeAssistant;
  let limited: TestHomeAssistant;

  beforeAll(async () => {
    mosquitto = await startMosquitto();
    hub = await startTestHub({}, { mosquitto, discoveryTiming: FAST_DISCOVERY });
    clusterId = (await hub.api.post("/clusters", { name: "Home" })).body.id;
    pi = await startScriptedAgent(hub, { name: "Pi", clusterId });
    home = await startHomeAssistant(hub);
    limited = await startHomeAssistant(hub, { name: "Limited", clusterIds: [clusterId] });
  }, 60_000);

  afterAll(async () => {
    for (const client of [home, limited, pi, hub, mosquitto]) await client.close();
  });

  const addDevice = async (fields: object = {}) =>
    (await hub.api.post("/devices", { name: freshName("Box"), mac: freshMac(), ...fields })).body;

  test("a device is told of with its state, and gone when it is removed", async () => {
    const device = await addDevice();
    await expect.poll(() => home.config("device", device.id)?.device.name, SOON).toBe(device.name);
    await expect.poll(() => home.mqtt.last(`powerbeacon/device/${device.key}/state`), SOON).toBe("None");
    await hub.api.delete(`/devices/${device.id}`);
    await expect.poll(() => home.config("device", device.id), SOON).toBeNull();
    await expect.poll(() => home.mqtt.last(`powerbeacon/device/${device.key}/state`), SOON).toBe("");
  });

  test("who deletes a device there has it hidden, and nothing is left on the broker", async () => {
    const device = await addDevice();
    await expect.poll(() => home.config("device", device.id), SOON).toBeTruthy();
    await home.delete("device", device.id);
    await expect
      .poll(async () => (await hub.api.get(`/devices/${device.id}`)).body.showInHomeAssistant, SOON)
      .toBe(false);
    const late = await home.connect([configTopic("device", device.id), "powerbeacon/hub/status"]);
    await expect.poll(() => late.last("powerbeacon/hub/status"), SOON).toBe("online");
    expect(late.on(/\/config$/)).toEqual([]);
  });

  test("its birth message is answered with all states", async () => {
    const device = await addDevice();
    const topic = `powerbeacon/device/${device.key}/state`;
    await expect.poll(() => home.mqtt.last(topic), SOON).toBe("None");
    const before = home.mqtt.on(/./).filter((message) => message.topic === topic).length;
    await home.mqtt.client.publishAsync("homeassistant/status", "online");
    await expect
      .poll(() => home.mqtt.on(/./).filter((message) => message.topic === topic).length, SOON)
      .toBe(before + 1);
  });

  test("one of some clusters hears of their new devices, and of no other", async () => {
    const own = await addDevice({ clusterId });
    const other = await addDevice();
    await expect.poll(() => home.config("device", other.id), SOON).toBeTruthy();
    await expect.poll(() => limited.config("device", own.id)?.device.name, SOON).toBe(own.name);
    await expect.poll(() => limited.mqtt.last(`powerbeacon/device/${own.key}/state`), SOON).toBe("None");
    expect(limited.config("device", other.id)).toBeUndefined();
    expect(limited.mqtt.on(new RegExp(other.key))).toEqual([]);
  });
});
