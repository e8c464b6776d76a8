import mqtt, { type IClientOptions } from "mqtt";
import { afterAll, beforeAll, expect, test } from "vitest";
import { query } from "#test/fixtures/database.ts";
import { FAST_DISCOVERY } from "#test/fixtures/home-assistant.ts";
import { type TestHub, startTestHub } from "#test/fixtures/hub.ts";

/** A whole hub that starts again, and clients of its broker that were away meanwhile. */

let hub: TestHub;
beforeAll(async () => {
  hub = await startTestHub({}, { discoveryTiming: FAST_DISCOVERY });
});
afterAll(() => hub.close());

async function makeClient(permissions: string[]) {
  const { body } = await hub.api.post("/mqtt-clients", { name: "Away", permissions });
  const options: IClientOptions = {
    username: body.username,
    password: body.password,
    clientId: "away",
    clean: false,
    protocolVersion: 5,
    properties: { sessionExpiryInterval: 600 },
    reconnectPeriod: 0,
  };
  return { id: body.id as string, options };
}

/** Connects, and listens from the first message on. */
async function connect(options: IClientOptions) {
  const got: string[] = [];
  const client = mqtt.connect(hub.mqttUrl, options);
  client.on("message", (topic, payload) => got.push(`${topic} ${payload.toString()}`));
  await new Promise((resolve, reject) => client.once("connect", resolve).once("error", reject));
  return { client, got };
}

test("a client that was away finds its session and what was said meanwhile, and one that was deleted finds nothing", async () => {
  const { id, options } = await makeClient(["read"]);
  const { body: device } = await hub.api.post("/devices", { name: "NAS", mac: "02:00:00:00:00:01" });
  const topic = `powerbeacon/device/${device.key}/availability`;
  const first = await connect(options);
  await first.client.subscribeAsync(topic, { qos: 1, rh: 2 });
  await first.client.endAsync();

  await hub.restart();
  await expect.poll(async () => (await query(hub.databaseUrl, "select topic from mqtt_queued"))[0]).toEqual({ topic });
  await hub.restart();
  const back = await connect(options);
  await expect.poll(() => back.got[0]).toBe(`${topic} offline`);
  await back.client.endAsync();

  await hub.api.delete(`/mqtt-clients/${id}`);
  await expect.poll(async () => await query(hub.databaseUrl, "select client_id from mqtt_session")).toEqual([]);
});

test("an agent that does not come back is offline after a restart, for everybody", async () => {
  const agent = await hub.startAgent({ name: "Pi" });
  const { options } = await makeClient(["read"]);
  await hub.restart();
  await expect
    .poll(async () => (await hub.api.get(`/agents/${agent.id}`)).body.status, { timeout: 15_000 })
    .toBe("online");
  await agent.close();
  await hub.restart();
  const reader = await connect({ ...options, clean: true });
  await reader.client.subscribeAsync(`powerbeacon/agent/${agent.key}/status`, { qos: 1 });
  await expect.poll(() => reader.got).toEqual([`powerbeacon/agent/${agent.key}/status offline`]);
  expect((await hub.api.get(`/agents/${agent.id}`)).body.status).toBe("offline");
  await reader.client.endAsync();
});

test("an unchanged hub tells Home Assistant nothing again, and who comes finds all; a changed one tells what changed", async () => {
  const { body: device } = await hub.api.post("/devices", { name: "Told", mac: "02:00:00:00:00:02" });
  const { options } = await makeClient(["read", "discovery"]);
  const CONFIGS = "homeassistant/device/+/config";
  const published = () =>
    query(hub.databaseUrl, "select topic, hash, published_at from discovery_config order by topic");
  const kept = async () =>
    (await query(hub.databaseUrl, "select topic from mqtt_retained where topic like '%/config' order by topic")).map(
      ({ topic }) => topic,
    );
  await expect.poll(async () => (await published()).map(({ topic }) => topic)).toHaveLength((await found()).length);
  await expect.poll(kept).toEqual((await published()).map(({ topic }) => topic));
  const before = await published();

  await hub.restart();
  const reader = await connect({ ...options, clean: true });
  await reader.client.subscribeAsync(CONFIGS, { qos: 1 });
  await expect.poll(() => reader.got.length).toBe(before.length);
  const since = reader.got.length;
  await hub.api.patch(`/devices/${device.id}`, { name: "Renamed" });
  await expect.poll(() => reader.got.slice(since)).toEqual([expect.stringContaining('"name":"Renamed"')]);
  await expect.poll(async () => changed(before, await published())).toEqual([expect.stringContaining(device.id)]);
  await reader.client.endAsync();

  async function found(): Promise<unknown[]> {
    const { body } = await hub.api.get("/home-assistant/things?limit=200");
    return body.items;
  }

  function changed(rows: readonly Record<string, unknown>[], now: readonly Record<string, unknown>[]): unknown[] {
    const told = new Map(rows.map((row) => [row["topic"], JSON.stringify(row)]));
    return now.filter((row) => told.get(row["topic"]) !== JSON.stringify(row)).map(({ topic }) => topic);
  }
});
