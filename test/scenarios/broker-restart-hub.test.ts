import mqtt, { type IClientOptions } from "mqtt";
import { afterAll, beforeAll, expect, test } from "vitest";
import { query } from "#test/fixtures/database.ts";
import { type TestHub, startTestHub } from "#test/fixtures/hub.ts";

/** A whole hub that starts again, and clients of its broker that were away meanwhile. */

let hub: TestHub;
beforeAll(async () => {
  hub = await startTestHub();
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
