import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { DiscoveryConfig } from "#contracts/discovery.ts";
import {
  FAST_DISCOVERY,
  type TestHomeAssistant,
  configTopic,
  startHomeAssistant,
} from "#test/fixtures/home-assistant.ts";
import { type TestHub, startTestHub } from "#test/fixtures/hub.ts";
import {
  INVENTORY,
  type ScriptedAgent,
  freshMac,
  freshName,
  startScriptedAgent,
} from "#test/fixtures/scripted-agent.ts";

/** Home Assistant as the hub sees it: a client that reads configs and the topics that they name. */

let hub: TestHub;
let clusterId: string;
let pi: ScriptedAgent;
let home: TestHomeAssistant;

beforeAll(async () => {
  hub = await startTestHub({ PUBLIC_URL: "https://power.example.org/" }, { discoveryTiming: FAST_DISCOVERY });
  clusterId = (await hub.api.post("/clusters", { name: "Home" })).body.id;
  pi = await startScriptedAgent(hub, { name: "Pi", clusterId });
  home = await startHomeAssistant(hub);
});

afterAll(async () => {
  await home.close();
  await pi.close();
  await hub.close();
});

const addDevice = async (fields: object = {}) =>
  (await hub.api.post("/devices", { name: freshName("Box"), mac: freshMac(), clusterId, ...fields })).body;

/** A device that Home Assistant has been told of, with its cluster's newest config. */
async function shownDevice(fields: object = {}) {
  const device = await addDevice(fields);
  await expect.poll(() => home.config("device", device.id)).toBeTruthy();
  await expect
    .poll(() => home.config("cluster", clusterId)?.components.power.group)
    .toContain(`powerbeacon_device_${device.id}_power`);
  return device;
}

const configs = () =>
  new Map(home.mqtt.on(/^homeassistant\/device\/.*\/config$/).map(({ topic, text }) => [topic, text] as const));
const messages = () => home.mqtt.on(/^homeassistant\//).length;

describe("every thing", () => {
  test("has a config that Home Assistant can read, with its page and its place", async () => {
    const device = await shownDevice({ name: "NAS Basement", mac: "02:00:00:00:aa:01", os: "linux" });
    await expect.poll(() => home.config("agent", pi.id)).toBeTruthy();
    expect(home.config("device", device.id)).toMatchObject({
      device: {
        name: "NAS Basement",
        connections: [["mac", "02:00:00:00:aa:01"]],
        suggested_area: "Home",
        configuration_url: "https://power.example.org/devices/nas-basement",
        via_device: `powerbeacon_hub_${home.hubId}`,
      },
      components: { power: { default_entity_id: "switch.nas_basement" } },
    });
    expect(home.config("hub", home.hubId).device).toMatchObject({ configuration_url: "https://power.example.org/" });
    for (const text of configs().values()) if (text) DiscoveryConfig.parse(JSON.parse(text));
    expect(home.mqtt.on(/unassigned/).filter(({ topic }) => topic.startsWith("homeassistant"))).toEqual([]);
  });

  test("is gone from Home Assistant when it is removed", async () => {
    const { body: lab } = await hub.api.post("/clusters", { name: freshName("Lab") });
    const device = await shownDevice();
    const guest = await startScriptedAgent(hub, { name: freshName("Guest"), clusterId });
    await expect.poll(() => home.config("cluster", lab.id)).toBeTruthy();
    await expect.poll(() => home.config("agent", guest.id)).toBeTruthy();
    await hub.api.delete(`/devices/${device.id}`);
    await hub.api.delete(`/clusters/${lab.id}`);
    await hub.api.delete(`/agents/${guest.id}`);
    await expect.poll(() => home.config("device", device.id)).toBeNull();
    await expect.poll(() => home.config("cluster", lab.id)).toBeNull();
    await expect.poll(() => home.config("agent", guest.id)).toBeNull();
    await expect
      .poll(() => home.config("cluster", clusterId).components.power.group)
      .not.toContain(`powerbeacon_device_${device.id}_power`);
    const reader = await home.connect(["homeassistant/#", "powerbeacon/hub/status"]);
    await expect.poll(() => reader.last(configTopic("hub", home.hubId))).toBeDefined();
    expect(reader.last(configTopic("device", device.id))).toBeUndefined();
    await guest.close();
  });
});

describe("a change", () => {
  test("of a name reaches Home Assistant and changes no id, and no other thing's config", async () => {
    const device = await shownDevice();
    const before = home.config("device", device.id);
    await hub.api.patch(`/devices/${device.id}`, { name: "Renamed" });
    await expect.poll(() => home.config("device", device.id).device.name).toBe("Renamed");
    const after = home.config("device", device.id);
    expect(after).toEqual({ ...before, device: { ...before.device, name: "Renamed" } });
    const cluster = home.count("cluster", clusterId);
    await hub.api.patch(`/clusters/${clusterId}`, { name: "At Home" });
    await expect.poll(() => home.config("device", device.id).device.suggested_area).toBe("At Home");
    await expect.poll(() => home.count("cluster", clusterId)).toBe(cluster + 1);
    expect(home.config("cluster", clusterId).components.power.unique_id).toBe(`powerbeacon_cluster_${clusterId}_power`);
  });

  test("of what Home Assistant is not told publishes nothing", async () => {
    const device = await shownDevice();
    const before = messages();
    await hub.api.patch(`/devices/${device.id}`, { description: "ours alone", watch: { icmp: false } });
    await hub.api.patch(`/clusters/${clusterId}`, { tags: ["ours"] });
    await home.mqtt.client.publishAsync(`powerbeacon/hub/request/nothing`, "{}", { qos: 1 });
    await expect.poll(() => home.mqtt.last("powerbeacon/hub/response/nothing")).toBeDefined();
    await shownDevice(); // whatever came before it would have come by now
    const changed = new Set(
      home.mqtt
        .on(/^homeassistant\//)
        .slice(before)
        .map(({ topic }) => topic),
    );
    expect(changed).not.toContain(configTopic("device", device.id));
  });

  test("that others follow at once comes at most once in a while, and the last one wins", async () => {
    const device = await shownDevice();
    const [before, startedMs] = [home.count("device", device.id), performance.now()];
    const rename = (number: number) => hub.api.patch(`/devices/${device.id}`, { name: `Box ${number}` });
    await Promise.all(Array.from({ length: 19 }, (_, number) => rename(number)));
    await rename(20);
    await expect.poll(() => home.config("device", device.id).device.name).toBe("Box 20");
    const paces = (performance.now() - startedMs) / FAST_DISCOVERY.paceMs;
    expect(home.count("device", device.id) - before).toBeLessThan(paces + 3);
  });

  test("is followed by the states that the config names", async () => {
    const device = await shownDevice();
    const states = () => home.mqtt.on(new RegExp(`^powerbeacon/device/${device.key}/(state|availability)$`)).length;
    await expect.poll(states).toBeGreaterThanOrEqual(2);
    const before = states();
    await hub.api.patch(`/devices/${device.id}`, { name: "Told Again" });
    await expect.poll(() => states() - before).toBe(2);
  });
});

test("an agent is shown on the machine that it runs on, as long as that is shown itself", async () => {
  const via = () => home.config("agent", pi.id)?.device.via_device;
  await expect.poll(via).toBe(`powerbeacon_hub_${home.hubId}`);
  const machine = await shownDevice({ mac: INVENTORY.interfaces[0].mac });
  await expect.poll(via).toBe(`powerbeacon_device_${machine.id}`);
  await hub.api.patch(`/devices/${machine.id}`, { showInHomeAssistant: false });
  await expect.poll(via).toBe(`powerbeacon_hub_${home.hubId}`);
});

test("a client of some clusters sees their configs alone, and hears when one is taken back", async () => {
  const { body: office } = await hub.api.post("/clusters", { name: freshName("Office") });
  const own = await addDevice({ clusterId: office.id });
  const agent = await startScriptedAgent(hub, { name: freshName("Attic"), clusterId: office.id });
  const foreign = await shownDevice();
  const limited = await startHomeAssistant(hub, { name: freshName("Office HA"), clusterIds: [office.id] });
  const seen = () => new Set(limited.mqtt.on(/^homeassistant\//).map(({ topic }) => topic));
  const theirs = [configTopic("device", own.id), configTopic("cluster", office.id), configTopic("agent", agent.id)];
  await expect.poll(seen).toEqual(new Set(theirs));
  await hub.api.patch(`/devices/${foreign.id}`, { name: "Renamed Elsewhere" });
  await expect.poll(() => home.config("device", foreign.id).device.name).toBe("Renamed Elsewhere");
  await hub.api.delete(`/devices/${own.id}`);
  await expect.poll(() => limited.config("device", own.id)).toBeNull();
  expect(seen()).toEqual(new Set(theirs));
  await expect(limited.delete("device", foreign.id)).rejects.toThrow("Not authorized");
  await limited.close();
  await agent.close();
});
