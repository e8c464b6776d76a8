import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { EventMessage } from "#contracts/event.ts";
import { UpdateInfo, updateOf } from "#contracts/update.ts";
import { VERSION } from "#core/version.ts";
import { FAST_DISCOVERY, type TestHomeAssistant, startHomeAssistant } from "#test/fixtures/home-assistant.ts";
import { type TestAgent, type TestHub, startTestHub } from "#test/fixtures/hub.ts";
import { enrolBody, freshMac, startScriptedAgent } from "#test/fixtures/scripted-agent.ts";

/** Every topic that any config names, walked: it is published, and what is asked there is answered. */

// oxlint-disable-next-line typescript/no-explicit-any
type Component = Record<string, any>;

let hub: TestHub;
let home: TestHomeAssistant;
let pi: TestAgent;

beforeAll(async () => {
  hub = await startTestHub({}, { discoveryTiming: FAST_DISCOVERY });
  const { body: cluster } = await hub.api.post("/clusters", { name: "Home" });
  pi = await hub.startAgent({ name: "Pi", clusterId: cluster.id });
  const { body: enrolment } = await hub.api.post("/enrolments", { clusterId: cluster.id });
  await hub.api.post("/agents/enrol", enrolBody(enrolment.code, "Never Came"));
  const watch = { icmp: false, arp: false };
  const device = (await hub.api.post("/devices", { name: "NAS", mac: freshMac(), clusterId: cluster.id, watch })).body;
  home = await startHomeAssistant(hub);
  await vi.waitFor(() => {
    const isWhole = home.config("cluster", cluster.id)?.components.power.group.length === 1;
    if (!isWhole || configs().length !== 5 || !home.config("device", device.id)) throw new Error("not all is told yet");
  }, 10_000);
});

afterAll(async () => {
  await home.close();
  await hub.close();
});

/** The configs that stand. */
const configs = () => {
  const texts = new Map(home.mqtt.on(/^homeassistant\/.*\/config$/).map(({ topic, text }) => [topic, text]));
  return [...texts.values()].filter((text) => text !== "").map((text) => JSON.parse(text) as Component);
};
/** Their components, but those that are only named to be taken out. */
const components = () =>
  configs().flatMap((config) =>
    Object.values<Component>(config["components"]).filter((component) => component["unique_id"] !== undefined),
  );

test("every kind of thing is there with all of its components", () => {
  const keys = new Set(components().map(({ unique_id }) => String(unique_id).replace(/_[0-9a-f-]{36}_/, " ")));
  expect([...keys].toSorted()).toEqual([
    "powerbeacon_agent clock_offset",
    "powerbeacon_agent connection",
    "powerbeacon_agent disk",
    "powerbeacon_agent load",
    "powerbeacon_agent memory",
    "powerbeacon_agent started",
    "powerbeacon_agent temperature",
    "powerbeacon_agent update",
    "powerbeacon_cluster devices_on",
    "powerbeacon_cluster power",
    "powerbeacon_cluster problem",
    "powerbeacon_cluster wake_all",
    "powerbeacon_device activity",
    "powerbeacon_device armed",
    "powerbeacon_device phase",
    "powerbeacon_device power",
    "powerbeacon_device reachable",
    "powerbeacon_device seen",
    "powerbeacon_device wake",
    "powerbeacon_device wake_time",
    "powerbeacon_hub activity",
    "powerbeacon_hub agents_online",
    "powerbeacon_hub connection",
    "powerbeacon_hub devices_on",
    "powerbeacon_hub republish",
    "powerbeacon_hub update",
  ]);
});

test("every topic that a config names to be read has a retained message, but for events and what only an agent that came can say", async () => {
  const named = new Set<string>();
  for (const { availability } of [...configs(), ...components()])
    for (const { topic } of availability ?? []) named.add(topic);
  for (const { platform, ...component } of components())
    for (const [option, value] of Object.entries(component))
      if (option.endsWith("_topic") && option !== "command_topic" && platform !== "event") named.add(value);
  expect(named.size).toBe(14);

  const reader = await home.connect([...named]);
  const missing = () => {
    const retained = new Set(reader.on(/./).flatMap((message) => (message.retained ? [message.topic] : [])));
    return [...named].filter((topic) => !retained.has(topic));
  };
  const never = ["powerbeacon/agent/never-came/heartbeat", "powerbeacon/agent/never-came/update"];
  await expect.poll(() => missing().toSorted()).toEqual(never);
  expect(reader.last("powerbeacon/agent/never-came/status")).toBe("offline");
  for (const topic of ["powerbeacon/hub/update", `powerbeacon/agent/${pi.key}/update`])
    expect(UpdateInfo.parse(reader.lastJson(topic))).toEqual(updateOf(VERSION));
});

describe("every command topic", () => {
  test("is answered for every payload that its config has", async () => {
    const answers = () => home.mqtt.on(/^powerbeacon\/(.*\/result|hub\/response\/.*)$/).length;
    let asked = 0;
    for (const component of components()) {
      const topic = component["command_topic"];
      const payloads = ["payload_press", "payload_on", "payload_off"].flatMap((option) => component[option] ?? []);
      for (const payload of topic === undefined ? [] : payloads) {
        const before = answers();
        await home.mqtt.client.publishAsync(topic, payload, { qos: 1, retain: component["retain"] });
        await expect.poll(answers).toBeGreaterThan(before);
        asked++;
        await endWakes();
      }
    }
    expect(asked).toBe(7); // two switches with two sides, and three buttons
  });

  async function endWakes(): Promise<void> {
    const { body } = await hub.api.get("/wakes");
    for (const { id, outcome } of body.items) if (outcome === null) await hub.api.delete(`/wakes/${id}`);
  }
});

test("every event topic tells of types that its config lists, and is never retained", async () => {
  const events = components().filter(({ platform }) => platform === "event");
  expect(events).toHaveLength(2);
  const guest = await startScriptedAgent(hub, { name: "Guest" });
  await guest.close();
  await expect.poll(() => home.mqtt.on(/^powerbeacon\/event$/).length).toBeGreaterThan(2);
  for (const { state_topic, event_types } of events) {
    const told = home.mqtt.on(/./).filter(({ topic }) => topic === state_topic);
    expect(told.length).toBeGreaterThan(0);
    for (const { text, retained } of told) {
      expect(event_types).toContain(EventMessage.parse(JSON.parse(text)).event_type);
      expect(retained).toBe(false);
    }
  }
});
