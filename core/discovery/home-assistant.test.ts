import { MqttClient } from "mqtt";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import {
  FAST_DISCOVERY,
  type TestHomeAssistant,
  configTopic,
  startHomeAssistant,
} from "#test/fixtures/home-assistant.ts";
import { type TestHub, startTestHub } from "#test/fixtures/hub.ts";
import { addSite } from "#test/fixtures/people.ts";
import { freshMac, freshName, startScriptedAgent } from "#test/fixtures/scripted-agent.ts";

/** What people see of discovery, and do about it, over HTTP. */

let hub: TestHub;
let home: TestHomeAssistant;
let cluster: { id: string; key: string };
let nas: { id: string; key: string };

beforeAll(async () => {
  hub = await startTestHub({}, { discoveryTiming: FAST_DISCOVERY });
  cluster = (await hub.api.post("/clusters", { name: "Home" })).body;
  nas = (await hub.api.post("/devices", { name: "NAS", mac: freshMac(), clusterId: cluster.id })).body;
  home = await startHomeAssistant(hub);
  await vi.waitFor(async () => {
    if ((await overview()).counts.published !== 3) throw new Error("not all is published yet");
  }, 10_000);
});

afterAll(async () => {
  await home.close();
  await hub.close();
});

const overview = async () => (await hub.api.get("/home-assistant")).body;
const thing = async (type: string, id: string) => (await hub.api.get(`/home-assistant/things/${type}/${id}`)).body;
const listed = async (query = "") => (await hub.api.get(`/home-assistant/things${query}`)).body;
const namesOf = (page: { items: { name: string }[] }) => page.items.map(({ name }) => name);
const preview = async (change: object) => (await hub.api.post("/home-assistant/preview", change)).body;
const stateOf = async (type: string, id: string) => (await thing(type, id)).state;

async function freshDevice(fields: object = {}) {
  const { body } = await hub.api.post("/devices", {
    name: freshName("Box"),
    mac: freshMac(),
    clusterId: cluster.id,
    ...fields,
  });
  await expect.poll(() => stateOf("device", body.id)).toBe("published");
  return body;
}

describe("the overview", () => {
  test("tells the settings, who listens and how many things are in which state", async () => {
    expect((await overview()).settings).toEqual({
      enabled: true,
      prefix: "homeassistant",
      format: "device",
      broker: "embedded",
    });
    const { clients } = (await overview()).listening;
    expect(clients).toEqual([{ name: "Home Assistant", clientId: expect.any(String), since: expect.any(String) }]);
    const other = await startHomeAssistant(hub, { name: "Another", clusterIds: [] });
    await expect.poll(async () => (await overview()).listening.clients).toHaveLength(2);
    await other.close();
    await expect.poll(async () => (await overview()).listening.clients).toEqual(clients);
  });

  test("tells of the last birth", async () => {
    const before = new Date().toISOString();
    expect((await overview()).listening.bornAt).toBeNull();
    await home.mqtt.client.publishAsync("homeassistant/status", "online");
    await expect.poll(async () => (await overview()).listening.bornAt).not.toBeNull();
    expect((await overview()).listening.bornAt >= before).toBe(true);
  });
});

describe("the list of things", () => {
  test("has the hub, then devices, clusters and agents by their names, page by page", async () => {
    const agent = await startScriptedAgent(hub, { name: "A Pi", clusterId: cluster.id });
    expect(namesOf(await listed("?limit=2"))).toEqual(["PowerBeacon", "NAS"]);
    const { next, total } = await listed("?limit=2");
    expect(total).toBe(4);
    expect(namesOf(await listed(`?limit=2&cursor=${next}`))).toEqual(["Home", "A Pi"]);
    expect(namesOf(await listed("?q=na"))).toEqual(["NAS"]);
    expect(namesOf(await listed("?type=cluster"))).toEqual(["Home"]);
    await expect.poll(async () => namesOf(await listed("?state=published"))).toHaveLength(4);
    await agent.close();
    await hub.api.delete(`/agents/${agent.id}`);
  });

  test("tells where a thing stands, since when and how large", async () => {
    const [, device] = (await listed()).items;
    expect(device).toMatchObject({ type: "device", id: nas.id, key: "nas", shown: true, state: "published" });
    expect(device.topics).toEqual([configTopic("device", nas.id)]);
    expect(device.bytes).toBe(Buffer.byteLength(home.mqtt.last(configTopic("device", nas.id)) ?? ""));
    expect(Date.now() - Date.parse(device.publishedAt)).toBeLessThan(3_600_000);
  });
});

describe("a thing", () => {
  test("is shown with what stands there and what is to stand there", async () => {
    const [config] = (await thing("device", nas.id)).configs;
    expect(config.published).toEqual(home.config("device", nas.id));
    expect(config).toMatchObject({ topic: configTopic("device", nas.id), wanted: config.published, differs: false });
  });

  test("that is hidden is shown as it would be", async () => {
    const box = await freshDevice();
    await hub.api.patch(`/devices/${box.id}`, { showInHomeAssistant: false });
    await expect.poll(async () => (await thing("device", box.id)).configs[0].published).toBeNull();
    const hidden = await thing("device", box.id);
    expect(hidden).toMatchObject({ shown: false, state: "hidden" });
    expect(hidden.configs[0]).toMatchObject({ wanted: { device: { name: box.name } }, differs: false });
    await hub.api.patch(`/devices/${box.id}`, { showInHomeAssistant: true });
    await expect.poll(() => stateOf("device", box.id)).toBe("published");
    await hub.api.delete(`/devices/${box.id}`);
  });

  test("of another site is not there, and the hub is everywhere", async () => {
    const away = await addSite(hub, freshName("Away"));
    expect((await away.api.get(`/home-assistant/things/device/${nas.id}`)).status).toBe(404);
    expect((await away.api.get(`/home-assistant/things/cluster/${nas.id}`)).status).toBe(404);
    expect(namesOf((await away.api.get("/home-assistant/things")).body)).toEqual(["PowerBeacon"]);
    expect((await away.api.get(`/home-assistant/things/hub/${home.hubId}`)).body.configs[0].differs).toBe(false);
    expect((await away.api.post("/home-assistant/send", { thing: { type: "device", id: nas.id } })).status).toBe(404);
  });
});

describe("a preview", () => {
  test("of another format names the setting, and counts what comes and goes", async () => {
    const before = home.mqtt.on(/^homeassistant\/.*\/config$/).length;
    const { settings, published, cleared, unchanged, configs } = await preview({
      format: "single",
      thing: { type: "device", id: nas.id },
    });
    expect(settings).toEqual([{ name: "HA_DISCOVERY_FORMAT", value: "single" }]);
    expect(cleared.topics).toContain(configTopic("device", nas.id));
    expect({ cleared: cleared.messages, unchanged: unchanged.messages }).toEqual({ cleared: 3, unchanged: 0 });
    expect(published.messages).toBe(6 + 8 + 4);
    expect(configs).toHaveLength(8);
    expect(configs[0].topic).toBe(`homeassistant/switch/powerbeacon_device_${nas.id}/power/config`);
    expect(published.bytes).toBeGreaterThan(JSON.stringify(configs[0].payload).length);
    expect(home.mqtt.on(/^homeassistant\/.*\/config$/)).toHaveLength(before);
  });

  test("of another prefix moves everything", async () => {
    const { settings, published, cleared } = await preview({ prefix: "ha" });
    expect(settings).toEqual([{ name: "HA_DISCOVERY_PREFIX", value: "ha" }]);
    expect(published.topics).toContain(configTopic("device", nas.id, "ha"));
    expect([published.messages, cleared.messages]).toEqual([3, 3]);
  });

  test("of hiding a thing shows all that speaks of it", async () => {
    const { settings, published, cleared, unchanged } = await preview({
      shown: [{ type: "device", id: nas.id, shown: false }],
    });
    expect(settings).toEqual([]);
    expect(cleared.topics).toEqual([configTopic("device", nas.id)]);
    expect(published.topics).toEqual([configTopic("cluster", cluster.id)]); // it names its members
    expect(unchanged.messages).toBe(1);
    expect((await thing("device", nas.id)).shown).toBe(true);
  });

  test.each([
    ["a prefix that is none", { prefix: "a/+/b" }, 422],
    ["a thing that is not there", { shown: [{ type: "device", id: crypto.randomUUID(), shown: true }] }, 404],
  ])("of %s is refused", async (_what, change, status) => {
    expect((await hub.api.post("/home-assistant/preview", change)).status).toBe(status);
  });
});

describe("sending again", () => {
  test("sends one thing, or everything", async () => {
    const count = home.count("device", nas.id);
    const { body } = await hub.api.post("/home-assistant/send", { thing: { type: "device", id: nas.id } });
    expect(body).toEqual({ configs: 1, waiting: 0 });
    await expect.poll(() => home.count("device", nas.id)).toBe(count + 1);
    expect((await hub.api.post("/home-assistant/send", {})).body).toEqual({ configs: 3, waiting: 0 });
    await expect.poll(() => home.count("device", nas.id)).toBe(count + 2);
  });

  test("brings the hub back that a person deleted in Home Assistant", async () => {
    await home.delete("hub", home.hubId);
    await expect.poll(() => stateOf("hub", home.hubId)).toBe("hidden");
    await hub.api.post("/home-assistant/send", { thing: { type: "hub", id: home.hubId } });
    expect(await stateOf("hub", home.hubId)).toBe("published");
    await expect.poll(() => home.config("hub", home.hubId)).toBeTruthy();
  });

  test("does not send what is hidden", async () => {
    const box = await freshDevice();
    await hub.api.patch(`/devices/${box.id}`, { showInHomeAssistant: false });
    const { status, body } = await hub.api.post("/home-assistant/send", { thing: { type: "device", id: box.id } });
    expect({ status, code: body.code }).toEqual({ status: 409, code: "CONFLICT" });
    await hub.api.delete(`/devices/${box.id}`);
  });
});

test("cleaning up takes back once more what is gone, and says what that was", async () => {
  const box = await freshDevice();
  await hub.api.delete(`/devices/${box.id}`);
  await expect.poll(() => home.config("device", box.id)).toBeNull();
  const { cleared } = (await hub.api.post("/home-assistant/clean-up")).body;
  expect(cleared).toContainEqual({ topic: configTopic("device", box.id), why: "gone" });
  expect((await hub.api.post("/home-assistant/clean-up")).body.cleared).toEqual([]);
});

describe("a hub that starts again with other settings", () => {
  test("hands everything over to the other format, under another prefix too", async () => {
    await hub.restart({ HA_DISCOVERY_FORMAT: "single" });
    const { settings } = await overview();
    expect(settings.format).toBe("single");
    await expect.poll(() => stateOf("device", nas.id)).toBe("published");
    const { topics, configs } = await thing("device", nas.id);
    expect(topics).toHaveLength(8);
    expect(configs.every(({ differs }: { differs: boolean }) => !differs)).toBe(true);
    const leftovers = (await hub.api.post("/home-assistant/clean-up")).body.cleared;
    expect(leftovers).toContainEqual({ topic: configTopic("device", nas.id), why: "format" });
    const reader = new MqttClient(() => hub.broker.connectHub(), { clientId: "reader", reconnectPeriod: 0 });
    const standing = new Set<string>();
    reader.on("message", (topic, payload) => void (payload.length > 0 && standing.add(topic)));
    await reader.subscribeAsync("homeassistant/#");
    await expect.poll(() => [...standing].filter((topic) => topic.includes(nas.id))).toHaveLength(8);
    expect([...standing]).not.toContain(configTopic("device", nas.id));
    await reader.endAsync(true);
  });

  test("tells of nothing when discovery is off", async () => {
    await hub.restart({ HA_DISCOVERY: "off" });
    expect((await overview()).settings.enabled).toBe(false);
    await expect.poll(() => stateOf("device", nas.id)).toBe("not-yet");
    expect((await thing("device", nas.id)).configs[0]).toMatchObject({ published: null, differs: false });
    const { status, body } = await hub.api.post("/home-assistant/send", {});
    expect({ status, code: body.code }).toEqual({ status: 409, code: "DISCOVERY_OFF" });
  });
});
