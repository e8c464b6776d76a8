import { once } from "node:events";
import { type Server, type Socket, connect, createServer } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createApi } from "#test/fixtures/api.ts";
import { createDatabase } from "#test/fixtures/database.ts";
import { type TestHub, startTestHub } from "#test/fixtures/hub.ts";
import { connectMqtt } from "#test/fixtures/mqtt.ts";

/** A connection to the database that breaks when a change was committed and before the hub hears of it. */

const PASSWORD = "correct horse battery";
let hub: TestHub;
let way: Server;
/** Cuts connections once their commit was handed on; so many times. */
let cuts = 0;

beforeAll(async () => {
  const target = new URL(await createDatabase());
  const { hostname, port } = target;
  way = createServer((client) => {
    const server = connect(Number(port), hostname);
    const end = () => [client, server].map((socket: Socket) => socket.destroy());
    for (const socket of [client, server]) socket.on("error", end).on("close", end);
    let isCut = false;
    client.on("data", (words) => {
      server.write(words);
      if (cuts === 0 || !/\bcommit\b/i.test(words.toString("latin1"))) return;
      cuts--;
      isCut = true;
    });
    // the server's answer says that the commit is done
    server.on("data", (words) => (isCut ? end() : client.write(words)));
  });
  await once(way.listen(0, "127.0.0.1"), "listening");
  target.port = String((way.address() as { port: number }).port);
  hub = await startTestHub({ DATABASE_URL: target.toString() });
});

afterAll(async () => {
  await hub.close();
  way.close();
});

/** Makes a change whose answer from the database is lost. */
async function lost(change: () => Promise<{ status: number }>): Promise<void> {
  cuts = 1;
  expect((await change()).status).toBe(503);
  expect(cuts).toBe(0);
}

test("what was revoked in that moment is revoked", async () => {
  const { body: user } = await hub.api.post("/users", { username: "ann", password: PASSWORD, role: "user" });
  const ann = await createApi(hub.url).logIn({ username: "ann", password: PASSWORD });
  const { body: made } = await ann.post("/tokens", { name: "Script", permissions: ["device:read"] });
  const script = createApi(hub.url, made.token);
  const { body: client } = await hub.api.post("/mqtt-clients", { name: "Home", permissions: ["read"] });
  const { body: device } = await hub.api.post("/devices", { name: "NAS", mac: "02:00:00:00:55:01" });
  const mqtt = await connectMqtt(hub.mqttUrl, { username: client.username, password: client.password });
  const closed = new Promise<void>((resolve) => mqtt.client.once("close", () => resolve()));

  await lost(() => ann.delete(`/tokens/${made.id}`));
  await expect.poll(async () => (await script.get("/devices")).status).toBe(401);
  await lost(() => hub.api.delete(`/mqtt-clients/${client.id}`));
  await closed;
  await lost(() => hub.api.delete(`/devices/${device.id}`));
  await expect.poll(async () => (await hub.api.get(`/devices/${device.id}`)).status).toBe(404);
  await lost(() => hub.api.patch(`/users/${user.id}`, { enabled: false }));
  await expect.poll(async () => (await ann.get("/devices")).status).toBe(401);
});
