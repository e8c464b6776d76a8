import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { DiscoveryConfig } from "#contracts/discovery.ts";
import { query } from "#test/fixtures/database.ts";
import { type TestHub, startTestHub } from "#test/fixtures/hub.ts";
import { type TestMqttClient, connectMqtt } from "#test/fixtures/mqtt.ts";
import { type ScriptedAgent, freshMac, freshName, startScriptedAgent } from "#test/fixtures/scripted-agent.ts";

/** Home Assistant as the hub sees it: a client that reads configs and the topics that they name. */

const TIMING = { paceMs: 300, birthDelayMs: [50, 100], quietMs: 100 } as const;

let hub: TestHub;
let clusterId: string;
let pi: ScriptedAgent;
let credential: { username: string; password: string; protocolVersion: 5 };
let home: TestMqttClient;
const clients: TestMqttClient[] = [];

beforeAll(async () => {
  hub = await startTestHub({ PUBLIC_URL: "https://power.example.org/" }, { discoveryTiming: TIMING });
  clusterId = (await hub.api.post("/clusters", { name: "Home" })).body.id;
  pi = await startScriptedAgent(hub, { name: "Pi", clusterId });
  credential = await makeCredential("Home Assistant");
  home = await connectMqtt(hub.mqttUrl, credential, ["powerbeacon/#", "homeassistant/#"]);
});

afterEach(async () => {
  for (const client of clients.splice(0)) await client.close();
});

afterAll(async () => {
  await home.close();
  await pi.close();
  await hub.close();
});

async function makeCredential(name: string, clusterIds: string[] | null = null) {
  const permissions = ["read", "wake", "discovery"];
  const { body } = await hub.api.post("/mqtt-clients", { name, permissions, clusterIds });
  return { username: body.username, password: body.password, protocolVersion: 5 as const };
}

/** Another client with the same rights, as Home Assistant after its start. */
async function connect(filters: string[], as: object = credential): Promise<TestMqttClient> {
  const client = await connectMqtt(hub.mqttUrl, as, filters);
  clients.push(client);
  return client;
}

const addDevice = async (fields: object = {}) =>
  (await hub.api.post("/devices", { name: freshName("Box"), mac: freshMac(), clusterId, ...fields })).body;
const configTopic = (type: string, id: string, prefix = "homeassistant") =>
  `${prefix}/device/powerbeacon_${type}_${id}/config`;
const configOf = (type: string, id: string) => home.lastJson(configTopic(type, id));
const countOf = (type: string, id: string) =>
  home.on(/config$/).filter(({ topic }) => topic === configTopic(type, id)).length;
const hubConfigTopic = () => home.on(/\/powerbeacon_hub_.*\/config$/)[0]?.topic ?? "";
/** What the broker has on the topics that match. */
async function retained(filter: string): Promise<Map<string, string>> {
  const client = await connect([filter, "powerbeacon/hub/status"]);
  await expect.poll(() => client.last("powerbeacon/hub/status")).toBe("online");
  await expect.poll(() => client.on(/./).length).toBeGreaterThan(0);
  return new Map(client.on(/./).map(({ topic, text }) => [topic, text]));
}

describe("every thing", () => {
  test("has a config that Home Assistant can read, and appears there with its page", async () => {
    const device = await addDevice({ name: "NAS Basement", mac: "02:00:00:00:aa:01", os: "linux" });
    await expect.poll(() => configOf("device", device.id)).toBeTruthy();
    await expect
      .poll(() => configOf("cluster", clusterId)?.components.power.group)
      .toContain(`powerbeacon_device_${device.id}_power`);
    await expect.poll(() => configOf("agent", pi.id)).toBeTruthy();
    await expect.poll(hubConfigTopic).not.toBe("");
    expect(configOf("device", device.id)).toMatchObject({
      device: {
        name: "NAS Basement",
        connections: [["mac", "02:00:00:00:aa:01"]],
        suggested_area: "Home",
        configuration_url: "https://power.example.org/devices/nas-basement",
      },
      components: { power: { default_entity_id: "switch.nas_basement" } },
    });
    for (const { text, topic } of home.on(/\/config$/)) {
      expect(topic).toMatch(/^homeassistant\/device\/powerbeacon_(hub|device|cluster|agent)_[0-9a-f-]{36}\/config$/);
      DiscoveryConfig.parse(JSON.parse(text));
    }
  });

  test("names only topics that have a retained message, or that take what the config says", async () => {
    const device = await addDevice();
    const { body: enrolled } = await hub.api.post("/enrolments", { clusterId });
    expect(enrolled.code).toBeDefined();
    await expect.poll(() => configOf("device", device.id)).toBeTruthy();
    const configs = [...(await retained("homeassistant/#")).values()].flatMap((text) =>
      text.startsWith("{") ? [JSON.parse(text)] : [],
    );
    expect(configs.length).toBeGreaterThanOrEqual(4);
    const named = new Set<string>();
    for (const config of configs) {
      for (const { topic } of config.availability) named.add(topic);
      for (const component of Object.values<Record<string, any>>(config.components)) {
        if (component["platform"] !== "event" && component["state_topic"]) named.add(component["state_topic"]);
        if (component["json_attributes_topic"]) named.add(component["json_attributes_topic"]);
        for (const { topic } of component["availability"] ?? []) named.add(topic);
      }
    }
    const reader = await connect([...named]);
    await expect.poll(() => [...named].filter((topic) => reader.last(topic) === undefined)).toEqual([]);
    expect(reader.on(/./).every((message) => message.retained)).toBe(true);
  });
});
