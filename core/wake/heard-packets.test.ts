import { afterAll, beforeAll, expect, test } from "vitest";
import { type TestHub, startTestHub } from "#test/fixtures/hub.ts";
import { type TestMqttClient, connectMqtt } from "#test/fixtures/mqtt.ts";
import {
  INVENTORY,
  type ScriptedAgent,
  freshMac,
  freshName,
  startScriptedAgent,
} from "#test/fixtures/scripted-agent.ts";

let hub: TestHub;
let home: TestMqttClient;
let clusterId: string;
let sender: ScriptedAgent;
let witness: ScriptedAgent;

beforeAll(async () => {
  hub = await startTestHub();
  clusterId = (await hub.api.post("/clusters", { name: "Lab" })).body.id;
  sender = await startScriptedAgent(hub, { name: "Sender", clusterId });
  witness = await startScriptedAgent(hub, { name: "Witness", clusterId });
  const { body } = await hub.api.post("/mqtt-clients", { name: "HA", permissions: ["read", "wake"] });
  home = await connectMqtt(hub.mqttUrl, { username: body.username, password: body.password, protocolVersion: 5 }, [
    "powerbeacon/#",
  ]);
});

afterAll(async () => {
  await home.close();
  await sender.close();
  await witness.close();
  await hub.close();
});

async function addDevice(fields: object = {}) {
  const { body } = await hub.api.post("/devices", { name: freshName("Box"), mac: freshMac(), clusterId, ...fields });
  return body;
}

async function hears(mac: string, from: string): Promise<void> {
  const at = new Date().toISOString();
  await witness.publish("sightings", { at, full: false, sightings: [], packets: [{ mac, at, from, port: 9 }] });
}

const stagesOf = async (wake: string) =>
  (await hub.api.get(`/wakes/${wake}`)).body.stages.map(({ stage }: { stage: string }) => stage);
const eventsOf = (key: string) =>
  home.on(new RegExp(`device/${key}/event$`)).map(({ text }) => JSON.parse(text) as Record<string, unknown>);

/** A wake by one agent, with the order that it got. */
async function wake(device: { id: string; key: string }) {
  const { body } = await hub.api.post(`/devices/${device.id}/wake`);
  const orders = () => sender.orders().filter(({ targets }) => targets.some((target) => target.device === device.key));
  await expect.poll(() => orders().length).toBeGreaterThan(0);
  const [order] = orders();
  if (!order) throw new Error("there is no order");
  return { id: body.wake as string, order };
}

const OWN_ADDRESS = INVENTORY.interfaces[0].addresses[0].replace("/24", "");

test("a packet that another agent heard is a stage of the wake, after the one that tells of its sending", async () => {
  const device = await addDevice({ agentIds: [sender.id] });
  const { id, order } = await wake(device);
  await hears(device.mac, OWN_ADDRESS);
  await hears(device.mac, OWN_ADDRESS);
  await sender.answers(order, "sent");
  await expect.poll(() => stagesOf(id)).toEqual(["accepted", "sent", "on-wire"]);
  const { stages } = (await hub.api.get(`/wakes/${id}`)).body;
  expect(stages.at(-1)).toMatchObject({ stage: "on-wire", agent: "witness", from: OWN_ADDRESS, port: 9 });
  await expect
    .poll(() => home.on(/wake\/result$/).map(({ text }) => JSON.parse(text).stage))
    .toEqual(expect.arrayContaining(["on-wire"]));
  expect(eventsOf(device.key).map(({ event_type }) => event_type)).not.toContain("magic_packet_seen");
});

test("a packet that was heard means that the wake had no answer, also when no agent said that it sent", async () => {
  const device = await addDevice({ agentIds: [sender.id], wake: { windowSeconds: 5 } });
  const { id } = await wake(device);
  await hears(device.mac, OWN_ADDRESS);
  await expect.poll(() => stagesOf(id), { timeout: 15_000 }).toEqual(["accepted", "on-wire", "no-answer"]);
});

test("a packet of somebody else is an event, and the reason why a device comes up by itself", async () => {
  const device = await addDevice();
  await witness.sees({ [device.key]: false });
  await sender.sees({ [device.key]: false });
  await expect.poll(async () => (await hub.api.get(`/devices/${device.id}`)).body.power).toBe("off");
  await hears(device.mac, "192.168.1.20");
  await hears(device.mac, "192.168.1.20");
  await hears("02:77:00:00:00:01", "192.168.1.20"); // nobody's
  await witness.sees({ [device.key]: true });
  await expect.poll(() => eventsOf(device.key).map(({ event_type }) => event_type)).toContain("came_up_by_itself");
  expect(eventsOf(device.key)).toMatchObject([
    { event_type: "magic_packet_seen", device: device.key, agent: "witness", reason: "from 192.168.1.20" },
    { event_type: "came_up_by_itself", device: device.key, reason: "After a magic packet from 192.168.1.20" },
  ]);
});

test("a flood of packets from everywhere is told of in part", async () => {
  const device = await addDevice();
  const at = new Date().toISOString();
  const packets = Array.from({ length: 500 }, (_, n) => ({
    mac: device.mac,
    at,
    from: `10.1.${n % 250}.${n >> 1}`,
    port: 9,
  }));
  await witness.publish("sightings", { at, full: false, sightings: [], packets });
  await hub.api.get("/devices?limit=1");
  await expect.poll(() => eventsOf(device.key).length).toBeGreaterThan(0);
  expect(eventsOf(device.key).length).toBeLessThanOrEqual(40);
});
