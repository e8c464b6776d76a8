import { once } from "node:events";
import type { AddressInfo } from "node:net";
import ssh2 from "ssh2";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { query } from "#test/fixtures/database.ts";
import { type TestHub, startTestHub } from "#test/fixtures/hub.ts";
import { connectMqtt } from "#test/fixtures/mqtt.ts";
import { type PlainBroker, startPlainBroker } from "#test/fixtures/plain-broker.ts";
import { freshMac, freshName } from "#test/fixtures/scripted-agent.ts";

/** Machines without an agent: what was taken back, overruled or too late does not take them down. */

/** Enough for a loaded machine; nothing here is about time. */
const PATIENCE = { timeout: 10_000 };

let broker: PlainBroker;
let hub: TestHub;

beforeAll(async () => {
  broker = await startPlainBroker();
  hub = await startTestHub({ MQTT_URL: broker.url, OUTBOUND_ALLOWED: "127.0.0.1" });
});
afterAll(async () => {
  await hub.close();
  await broker.stop();
});

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

async function addDevice(method: object) {
  const { body } = await hub.api.post("/devices", { name: freshName("Box"), mac: freshMac() });
  const { body: set, status } = await hub.api.put(`/devices/${body.id}/power-method`, { method });
  expect(status).toBe(200);
  const powerOff = () => hub.api.post(`/devices/${body.id}/power`, { action: "shutdown", force: true });
  const last = async () => (await hub.api.get(`/devices/${body.id}/power-offs`)).body.items[0]?.stages.at(-1);
  return { id: body.id as string, publicKey: set.publicKey as string, powerOff, last };
}

/** A machine that is slow to let the hub in. */
async function slowMachine() {
  const { private: hostKey } = ssh2.utils.generateKeyPairSync("ed25519");
  const commands: string[] = [];
  const knocks: (() => void)[] = [];
  let gone = 0;
  const server = new ssh2.Server({ hostKeys: [hostKey] }, (client) => {
    client.on("error", () => {}); // it went away
    client.on("close", () => gone++);
    client.on("authentication", (context) => void knocks.push(() => context.accept()));
    client.on("session", (accept) => {
      accept().on("exec", (acceptExec, _reject, { command }) => {
        commands.push(command);
        const channel = acceptExec();
        channel.exit(0);
        channel.end();
      });
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  closers.push(() => server.close());
  const { port } = server.address() as AddressInfo;
  const device = await addDevice({
    type: "ssh",
    host: "127.0.0.1",
    port,
    username: "root",
    hostKey: null,
    commands: { shutdown: "poweroff" },
  });
  return {
    ...device,
    commands,
    knocked: () => vi.waitUntil(() => knocks.length > 0, PATIENCE),
    /** Lets in whoever is still there. */
    letIn: async () => {
      for (const letIn of knocks.splice(0)) letIn();
      await vi.waitUntil(() => gone > 0, PATIENCE);
    },
  };
}

describe("a machine that is slow to let the hub in by SSH", () => {
  test("is not told to go down once that was called back", async () => {
    const box = await slowMachine();
    const { body } = await box.powerOff();
    await box.knocked();
    expect(await hub.api.delete(`/power-offs/${body.powerOff}`)).toMatchObject({
      status: 200,
      body: { stage: "cancelled" },
    });
    await box.letIn();
    expect(box.commands).toEqual([]);
  });

  test("is not told to go down once it is to be woken", async () => {
    const box = await slowMachine();
    await box.powerOff();
    await box.knocked();
    await hub.api.post(`/devices/${box.id}/wake`);
    await expect.poll(box.last, PATIENCE).toMatchObject({ stage: "cancelled", reason: "It is to be woken" });
    await box.letIn();
    expect(box.commands).toEqual([]);
  });

  test("goes down without the database, too", async () => {
    const box = await slowMachine();
    await query(hub.databaseUrl, "alter table power_method rename to power_method_away");
    try {
      const { body } = await box.powerOff();
      await box.knocked();
      await box.letIn();
      const stage = async () => (await hub.api.get(`/power-offs/${body.powerOff}`)).body.stage;
      await expect.poll(stage, PATIENCE).toBe("acknowledged");
      expect(box.commands).toEqual(["poweroff"]);
    } finally {
      await query(hub.databaseUrl, "alter table power_method_away rename to power_method");
    }
  });
});

test("a plug that was away is not switched off when it comes back", async () => {
  const topic = "cmnd/late/POWER";
  const session = { clientId: "late-plug", clean: false, protocolVersion: 4 } as const;
  const before = await connectMqtt(broker.url, session, [topic]);
  await before.close();
  const box = await addDevice({
    type: "mqtt",
    topic,
    payloads: { shutdown: "OFF" },
    stateTopic: null,
    statePath: null,
    wattsTopic: null,
    wattsPath: null,
    standbyWatts: null,
  });
  await box.powerOff();
  await expect.poll(box.last, PATIENCE).toMatchObject({ stage: "acknowledged" });
  const after = await connectMqtt(broker.url, session, ["cmnd/other"]);
  const sender = await connectMqtt(broker.url, {});
  await sender.client.publishAsync("cmnd/other", "now", { qos: 1 });
  await vi.waitUntil(() => after.on(/other$/).length > 0, PATIENCE);
  expect(after.on(/POWER$/)).toEqual([]);
  await sender.close();
  await after.close();
});
