import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { LiveEvent } from "#contracts/api/live.ts";
import { type TestHub, startTestHub } from "#test/fixtures/hub.ts";
import { type TestMqttClient, connectMqtt } from "#test/fixtures/mqtt.ts";
import { type ScriptedAgent, freshMac, startScriptedAgent } from "#test/fixtures/scripted-agent.ts";

/** What the page and Home Assistant are told of power-offs, and of what can be powered off. */

let hub: TestHub;
let pi: ScriptedAgent;
let own: ScriptedAgent;
let home: TestMqttClient;
let device: { id: string; key: string; mac: string; clusterId: string };

beforeAll(async () => {
  hub = await startTestHub({}, { discoveryTiming: { paceMs: 50 } });
  const clusterId = (await hub.api.post("/clusters", { name: "Lab" })).body.id;
  pi = await startScriptedAgent(hub, { name: "Pi", clusterId });
  own = await startScriptedAgent(hub, { name: "Own", clusterId });
  const about = { name: "Box", mac: freshMac(), clusterId, agentIds: [pi.id] };
  device = (await hub.api.post("/devices", about)).body;
  const { body } = await hub.api.post("/mqtt-clients", { name: "HA", permissions: ["read", "discovery"] });
  const { username, password } = body;
  home = await connectMqtt(hub.mqttUrl, { username, password }, ["homeassistant/#", "powerbeacon/device/#"]);
});

afterAll(async () => {
  await home.close();
  await pi.close();
  await own.close();
  await hub.close();
});

/** A component that is not offered. */
const TAKEN_OUT = { platform: "button" };
const configOf = (kind: string, id: string) => home.lastJson(`homeassistant/device/powerbeacon_${kind}_${id}/config`);

test("Home Assistant has a button for each way that the machine can, with the agent that has to be there", async () => {
  const components = () => configOf("device", device.id)?.components;
  await expect.poll(() => components()?.wake).toBeDefined();
  expect(components().shutdown).toEqual(TAKEN_OUT);
  await own.runsOn(device, { powerActions: ["shutdown", "reboot"] });
  await expect
    .poll(() => components()?.shutdown)
    .toMatchObject({
      platform: "button",
      payload_press: "SHUTDOWN",
      availability: [{ topic: "powerbeacon/hub/status" }, { topic: `powerbeacon/agent/${own.key}/status` }],
      availability_mode: "all",
    });
  expect(components()).toMatchObject({ reboot: { payload_press: "REBOOT", device_class: "restart" } });
  expect(components().sleep).toEqual(TAKEN_OUT);
  const all = () => configOf("cluster", device.clusterId)?.components.shutdown_all;
  await expect.poll(all).toMatchObject({ payload_press: "SHUTDOWN" });
  // nobody's being away changes a config: the buttons are unavailable, and there
  await own.says("offline");
  await own.runsOn(device, { powerActions: [] });
  await expect.poll(() => components()?.shutdown).toEqual(TAKEN_OUT);
  await expect.poll(all).toEqual(TAKEN_OUT);
  await own.says("online");
});

test("the page hears each step of a power-off, and what the device is meanwhile", async () => {
  await own.runsOn(device);
  await pi.sees({ [device.key]: true });
  await vi.waitUntil(async () => (await hub.api.get(`/devices/${device.id}`)).body.power === "on", { timeout: 10_000 });
  const events: LiveEvent[] = [];
  const abort = new AbortController();
  const headers = { authorization: `Bearer ${hub.api.token}` };
  const stream = await fetch(`${hub.url}/api/events`, { signal: abort.signal, headers });
  const read = async () => {
    let rest = "";
    for await (const chunk of stream.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      const blocks = (rest + chunk).split("\n\n");
      rest = blocks.pop() ?? "";
      for (const block of blocks) {
        const [, event, data = ""] = /event: (.*)\ndata: (.*)$/.exec(block) ?? [];
        if (event) events.push(LiveEvent.parse({ event, data: JSON.parse(data) }));
      }
    }
  };
  const reading = read().catch(() => {}); // closed by the test
  await expect.poll(() => events[0]?.event).toBe("snapshot");
  const { body } = await hub.api.post(`/devices/${device.id}/power`, { action: "shutdown" });
  await vi.waitUntil(() => own.powerOrders().length > 0, { timeout: 10_000 });
  const [order] = own.powerOrders();
  if (!order) throw new Error("there is no order");
  const until = new Date(Date.now() + 60_000).toISOString();
  await own.tells(order, "announced", { until, users: 1 });
  const devices = () => events.flatMap((one) => (one.event === "device" && one.data.id === device.id ? one.data : []));
  await expect
    .poll(() => devices().at(-1)?.powerOff)
    .toMatchObject({ id: body.powerOff, action: "shutdown", stage: "announced", until: expect.any(String) });
  await own.tells(order, "acknowledged");
  await own.says("offline");
  await pi.sees({ [device.key]: false });
  const steps = () => events.flatMap((one) => (one.event === "power-off" ? one.data : []));
  await expect
    .poll(() => steps().map(({ stage }) => stage))
    .toEqual(["accepted", "sent", "announced", "acknowledged", "off"]);
  expect(steps()[0]).toMatchObject({ powerOff: body.powerOff, deviceId: device.id });
  await expect
    .poll(() => devices().at(-1))
    .toMatchObject({
      power: "off",
      powerOff: null,
      lastPowerOff: { outcome: "off" },
      canPowerOff: false,
      whyNoPowerOff: expect.stringContaining("offline"),
    });
  await expect
    .poll(() => home.lastJson(`powerbeacon/device/${device.key}/info`))
    .toMatchObject({ lastPowerOff: { outcome: "off", action: "shutdown" }, powerActions: [] });
  abort.abort();
  await reading;
});
