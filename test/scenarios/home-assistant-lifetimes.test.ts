import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { MqttClient } from "mqtt";
import { ORIGIN } from "../../ha-discovery/config.ts";
import { query } from "#test/fixtures/database.ts";
import {
  FAST_DISCOVERY,
  type TestHomeAssistant,
  type ThingType,
  configTopic,
  startHomeAssistant,
} from "#test/fixtures/home-assistant.ts";
import { type TestHub, startTestHub } from "#test/fixtures/hub.ts";
import type { TestMqttClient } from "#test/fixtures/mqtt.ts";
import { freshMac, startScriptedAgent } from "#test/fixtures/scripted-agent.ts";

/** Discovery over births, deletions, restarts and breaks: what comes back, what stays away, and what is not sent twice. */

let hub: TestHub;
let home: TestHomeAssistant;
let clusterId: string;
let device: { id: string; key: string };

beforeEach(async () => {
  hub = await startTestHub({}, { discoveryTiming: FAST_DISCOVERY });
  clusterId = (await hub.api.post("/clusters", { name: "Home" })).body.id;
  device = (await hub.api.post("/devices", { name: "NAS", mac: freshMac(), clusterId })).body;
  home = await startHomeAssistant(hub);
  await vi.waitFor(() => {
    const members = home.config("cluster", clusterId)?.components.power.group.length;
    if (members !== 1 || !home.config("device", device.id)) throw new Error("Home Assistant was not told yet");
  });
});

afterEach(async () => {
  await home.close();
  await hub.close();
});

const countOf = (pattern: RegExp) => home.mqtt.on(pattern).length;
const configCount = () => countOf(/^homeassistant\/.*\/config$/);
const noted = async () => {
  const rows = await query(hub.databaseUrl, "select topic, hash from discovery_config order by topic");
  return rows.map(({ topic }) => String(topic));
};
const request = (verb: string, { client } = home.mqtt) =>
  client.publishAsync(`powerbeacon/hub/request/${verb}`, "{}", { qos: 1 });
const giveBirth = ({ client }: TestMqttClient, prefix = "homeassistant") =>
  client.publishAsync(`${prefix}/status`, "online");
const takenBack = (messages: readonly { topic: string; text: string }[]) =>
  messages.flatMap(({ topic, text }) => (topic.endsWith("/config") && text === "" ? [topic] : [])).toSorted();

/** A client with the hub's own rights, which leaves what former hubs left. */
async function connectAsHub(): Promise<MqttClient> {
  const client = new MqttClient(() => hub.broker.connectHub(), { clientId: "another", reconnectPeriod: 0 });
  await new Promise((resolve) => client.once("connect", resolve));
  return client;
}

test("a birth is answered with availability and states, and with no config", async () => {
  const states = () => countOf(/^powerbeacon\/device\/nas\/(availability|state)$/);
  await expect.poll(states).toBeGreaterThanOrEqual(2);
  const [before, configs] = [states(), configCount()];
  await home.mqtt.client.publishAsync("homeassistant/status", "offline");
  await home.mqtt.client.publishAsync("homeassistant/status", "online");
  await expect.poll(() => states() - before).toBe(2);
  const [availability, state] = home.mqtt.on(/^powerbeacon\/device\/nas\/(availability|state)$/).slice(before);
  expect([availability?.topic, state?.topic].map((topic) => topic?.split("/").at(-1))).toEqual([
    "availability",
    "state",
  ]);
  expect(configCount()).toBe(configs);
});

describe("a person who deletes it in Home Assistant", () => {
  const things: [ThingType, string, () => string][] = [
    ["device", "/devices", () => device.id],
    ["cluster", "/clusters", () => clusterId],
  ];

  test.each(things)(
    "finds the %s hidden here, now and after a restart, and may show it again",
    async (type, path, idOf) => {
      const id = idOf();
      const shown = async () => (await hub.api.get(`${path}/${id}`)).body.showInHomeAssistant;
      await home.delete(type, id);
      await expect.poll(shown).toBe(false);
      await hub.api.patch(`${path}/${id}`, { name: "Renamed" });
      await hub.restart();
      await home.close();
      home = await startHomeAssistant(hub, { name: "After" });
      await expect.poll(() => home.config("hub", home.hubId)).toBeTruthy();
      expect(await shown()).toBe(false);
      await request("send-discovery");
      await expect.poll(() => home.mqtt.last("powerbeacon/hub/response/send-discovery")).toBeDefined();
      expect(home.config(type, id)).toBeUndefined();

      await hub.api.patch(`${path}/${id}`, { showInHomeAssistant: true });
      await expect.poll(() => home.config(type, id)?.device.name).toBe("Renamed");
    },
  );

  test("finds the agent hidden here, and may show it again", async () => {
    const pi = await startScriptedAgent(hub, { name: "Pi", clusterId });
    await expect.poll(() => home.config("agent", pi.id)).toBeTruthy();
    await home.delete("agent", pi.id);
    await expect.poll(async () => (await hub.api.get(`/agents/${pi.id}`)).body.showInHomeAssistant).toBe(false);
    await hub.api.patch(`/agents/${pi.id}`, { name: "Renamed" });
    expect(home.config("agent", pi.id)).toBeNull();
    await hub.api.patch(`/agents/${pi.id}`, { showInHomeAssistant: true });
    await expect.poll(() => home.config("agent", pi.id)?.device.name).toBe("Renamed");
    await pi.close();
  });

  test("sees the hub itself no more, over a restart, until it is asked for", async () => {
    await home.delete("hub", home.hubId);
    await expect
      .poll(async () => (await query(hub.databaseUrl, "select 1 from discovery_config where hash is null")).length)
      .toBe(1);
    await hub.restart();
    await home.close();
    home = await startHomeAssistant(hub, { name: "After" });
    await expect.poll(() => home.config("device", device.id)).toBeTruthy();
    expect(home.config("hub", home.hubId)).toBeUndefined();
    await request("send-discovery");
    await expect.poll(() => home.config("hub", home.hubId)).toBeTruthy();
  });
});

describe("a hub that starts again", () => {
  test("publishes everything again on its own broker, which forgot it, to the byte", async () => {
    const before = home.mqtt.last(configTopic("device", device.id));
    await hub.restart();
    await home.close();
    home = await startHomeAssistant(hub, { name: "After" });
    await expect.poll(() => home.mqtt.last(configTopic("device", device.id))).toBe(before);
    await expect.poll(() => home.config("cluster", clusterId)).toBeTruthy();
    await expect.poll(() => home.config("hub", home.hubId)).toBeTruthy();
  });

  test("knows what it told of under another prefix, and takes it back", async () => {
    await expect.poll(noted).toHaveLength(3);
    const before = await noted();
    await hub.restart({ HA_DISCOVERY_PREFIX: "ha" });
    const other = await connectAsHub();
    const heard: { topic: string; text: string }[] = [];
    other.on("message", (topic, payload) => void heard.push({ topic, text: payload.toString() }));
    await other.subscribeAsync("homeassistant/#");
    await giveBirth(await home.connect([]), "ha");
    const topics = [configTopic("cluster", clusterId, "ha"), configTopic("device", device.id, "ha")];
    await expect.poll(noted).toEqual([...topics, configTopic("hub", home.hubId, "ha")]);
    expect(new Set(takenBack(heard))).toEqual(new Set(before));
    await other.endAsync(true);
  });

  test("tells of nothing when discovery is off, and says so when it is asked to send it", async () => {
    await hub.restart({ HA_DISCOVERY: "off" });
    await home.close();
    home = await startHomeAssistant(hub, { name: "After" });
    await hub.api.patch(`/devices/${device.id}`, { name: "Renamed" });
    await request("send-discovery");
    await expect
      .poll(() => home.mqtt.lastJson("powerbeacon/hub/response/send-discovery"))
      .toMatchObject({ status: "error", error: { code: "DISCOVERY_OFF" } });
    // what the broker had kept is taken back as soon as the hub is there
    const configs = () => new Map(home.mqtt.on(/\/config$/).map(({ topic, text }) => [topic, text]));
    await expect.poll(() => [...configs().values()].filter((text) => text !== "")).toEqual([]);
    expect(home.mqtt.on(/\/config$/).filter(({ text }) => text.includes("Renamed"))).toEqual([]);
  });
});

describe("a Home Assistant that is away", () => {
  beforeEach(async () => {
    await vi.waitFor(async () => {
      if ((await noted()).length !== 3) throw new Error("what Home Assistant was told is not noted yet");
    });
    await home.mqtt.close();
  });

  /** It was away, not restarted: what it knew it still knows, and it reads only what comes from now on. */
  async function comeBack(): Promise<TestMqttClient> {
    const back = await home.connect(["homeassistant/#", "powerbeacon/#"]);
    await giveBirth(back);
    return back;
  }

  /** Whatever the hub had to say of its things was said by then. */
  async function sendDiscovery(back: TestMqttClient): Promise<void> {
    const answers = () => back.on(/^powerbeacon\/hub\/response\/send-discovery$/).length;
    const before = answers();
    await request("send-discovery", back);
    await expect.poll(answers).toBe(before + 1);
  }

  test("finds all gone when it is back, however late, once discovery was turned off", async () => {
    const everything = await noted();
    await hub.restart({ HA_DISCOVERY: "off" });
    await hub.restart({ HA_DISCOVERY: "off" });
    const back = await comeBack();
    await expect.poll(noted).toEqual([]);
    expect(new Set(takenBack(back.on(/./)))).toEqual(new Set(everything));
  });

  test("finds all as it was when discovery is on again before it is back", async () => {
    const everything = await noted();
    await hub.restart({ HA_DISCOVERY: "off" });
    await hub.restart();
    const back = await comeBack();
    await sendDiscovery(back);
    expect(new Set(back.on(/\/config$/).map(({ topic }) => topic))).toEqual(new Set(everything));
    expect(takenBack(back.on(/./))).toEqual([]);
    expect(await noted()).toEqual(everything);
  });

  const starts: [string, () => Promise<void>][] = [
    ["in the same run", async () => {}],
    ["after a restart", () => hub.restart()],
  ];

  test.each(starts)(
    "finds a thing gone that was removed meanwhile, and hears no more of it, %s",
    async (_when, start) => {
      const topic = configTopic("device", device.id);
      const witness = await home.connect(["homeassistant/#"]);
      await hub.api.delete(`/devices/${device.id}`);
      await expect.poll(() => witness.last(topic)).toBe("");
      await start();
      const back = await comeBack();
      await expect.poll(noted).not.toContain(topic);
      const heard = takenBack(back.on(/./));
      expect(new Set(heard)).toEqual(new Set([topic]));

      const states = () => back.on(/^powerbeacon\/cluster\/home\/state$/).length;
      const before = states();
      await giveBirth(back);
      await expect.poll(states).toBeGreaterThan(before);
      await sendDiscovery(back);
      expect(takenBack(back.on(/./))).toEqual(heard);
    },
  );

  test("keeps a thing that was hidden and is shown again meanwhile, and loses it when it is hidden once more", async () => {
    const topic = configTopic("device", device.id);
    const witness = await home.connect(["homeassistant/#"]);
    await hub.api.patch(`/devices/${device.id}`, { showInHomeAssistant: false });
    await expect.poll(() => witness.last(topic)).toBe("");
    await hub.api.patch(`/devices/${device.id}`, { showInHomeAssistant: true });
    await expect.poll(() => witness.last(topic)).toBeTruthy();
    const back = await comeBack();
    await sendDiscovery(back);
    expect(takenBack(back.on(/./))).toEqual([]);

    await back.close();
    await hub.api.patch(`/devices/${device.id}`, { showInHomeAssistant: false });
    await expect.poll(() => witness.last(topic)).toBe("");
    const again = await comeBack();
    await expect.poll(() => takenBack(again.on(/./))).toEqual([topic]);
  });
});

describe("what the broker has", () => {
  const ghost = configTopic("device", "00000000-0000-4000-8000-000000000000");
  const ours = { origin: { name: ORIGIN }, availability: [{ topic: "powerbeacon/hub/status" }] };
  const foreign = new Map<string, object>([
    ["homeassistant/device/0x00124b/config", { origin: { name: "Zigbee2MQTT" } }],
    [
      configTopic("device", "00000000-0000-4000-8000-00000000000f"),
      { origin: { name: ORIGIN }, availability: [{ topic: "second-hub/hub/status" }] },
    ],
  ]);

  test("of ours without a thing is cleared whenever it is seen, and what is not ours stays", async () => {
    const other = await connectAsHub();
    for (const [topic, config] of foreign)
      await other.publishAsync(topic, JSON.stringify(config), { qos: 1, retain: true });
    await other.publishAsync(ghost, JSON.stringify(ours), { qos: 1, retain: true });
    await expect.poll(() => home.mqtt.last(ghost)).toBe("");
    for (const topic of foreign.keys()) expect(home.mqtt.last(topic)).toContain("origin");
    await other.endAsync(true);
  });

  test("is compared after a break: what is missing comes back, a ghost goes, and the rest is not sent again", async () => {
    const [devices, clusters] = [home.count("device", device.id), home.count("cluster", clusterId)];
    hub.broker.disconnect("hub");
    const other = await connectAsHub();
    await other.publishAsync(configTopic("device", device.id), "", { qos: 1, retain: true });
    await other.publishAsync(ghost, JSON.stringify(ours), { qos: 1, retain: true });
    await other.endAsync(true);
    await expect.poll(() => home.config("device", device.id)).toBeTruthy();
    await expect.poll(() => home.mqtt.last(ghost)).toBe("");
    expect(home.count("device", device.id)).toBe(devices + 2); // taken away, and back
    expect(home.count("cluster", clusterId)).toBe(clusters);
    expect((await hub.api.get(`/devices/${device.id}`)).body.showInHomeAssistant).toBe(true);
  });
});
