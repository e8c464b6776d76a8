import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isMissing } from "#test/fixtures/commands.ts";
import { type TestHub, startTestHub } from "#test/fixtures/hub.ts";
import { HUB_USERS, type MosquittoServer, startMosquitto } from "#test/fixtures/mosquitto-server.ts";
import { type TestMqttClient, connectMqtt } from "#test/fixtures/mqtt.ts";
import { BEHIND_PROXY } from "#test/fixtures/people.ts";
import type { Cell } from "./mqtt-access-table.ts";
import { type AccessWorld, PEOPLE, SEATS, type Seat, expectedUnseen, openAccessWorld } from "./mqtt-access-world.ts";

/** The files that the hub writes, held against the table of MQTT rights by a real Mosquitto. */

const seats = SEATS.filter(({ kind }) => !PEOPLE.has(kind));

const NOT_AUTHORIZED = 0x87;

/** Whether the broker took it, or said that this client may not. */
async function isTaken(published: Promise<unknown>): Promise<boolean> {
  try {
    await published;
    return true;
  } catch (error) {
    if ((error as { code?: number }).code !== NOT_AUTHORIZED) throw error;
    return false;
  }
}

describe.skipIf(isMissing("mosquitto"))("on Mosquitto", () => {
  let mosquitto: MosquittoServer;
  let hub: TestHub;
  let world: AccessWorld;
  let mouth: TestMqttClient;

  beforeAll(async () => {
    mosquitto = await startMosquitto();
    hub = await startTestHub({ ...BEHIND_PROXY, HA_DISCOVERY: "off" }, { mosquitto });
    world = await openAccessWorld(hub, seats);
    const { MQTT_PASSWORD: password } = mosquitto.settings();
    mouth = await hub.connect({ username: HUB_USERS[0], password: password ?? "", protocolVersion: 5 });
    for (const seat of seats) await world.clientOf(seat).client.subscribeAsync("#", { qos: 1 });
  }, 120_000);

  afterAll(async () => {
    await mouth.close();
    await world.close();
    await hub.close();
    await mosquitto.close();
  });

  const namesOf = (some: readonly Cell[]) => some.map(({ name }) => name);
  const allowed = (seat: Seat, ...rights: Parameters<typeof expectedUnseen>[3]) =>
    namesOf(world.cells.filter((cell) => expectedUnseen(world.cells, seat, cell, rights)));

  test("everybody hears what the table says, and nothing else", async () => {
    for (const { topic } of world.cells) await mouth.client.publishAsync(topic, `hear ${topic}`, { qos: 1 });
    for (const seat of seats) {
      const client = world.clientOf(seat);
      await client.client.subscribeAsync("settled/#"); // answered after everything that was published before
      const heard = new Set(client.on(/./).map(({ text }) => text));
      const found = namesOf(world.cells.filter(({ topic }) => heard.has(`hear ${topic}`)));
      expect([seat.name, found]).toEqual([seat.name, allowed(seat, "r")]);
    }
  });

  test.each(seats)("$name publishes what the table says, and nothing else", async (seat) => {
    const publish = (topic: string) => world.clientOf(seat).client.publishAsync(topic, "", { qos: 1 });
    const taken: Cell[] = [];
    for (const cell of world.cells) if (await isTaken(publish(cell.topic))) taken.push(cell);
    expect(namesOf(taken)).toEqual(allowed(seat, "p", "t", "e"));
  });

  test("nobody comes in without a password of the file's", async () => {
    const { username = "" } = world.clientOf(seats[0] as Seat).client.options;
    for (const shown of [{}, { username }, { username, password: "wrong" }, { username: "nobody", password: "x" }])
      await expect(connectMqtt(hub.mqttUrl, { ...shown, protocolVersion: 5 })).rejects.toThrow(
        /authorized|user ?name/i,
      );
  });

  test("a credential that is revoked loses its connection and cannot come back", async () => {
    const { body } = await hub.api.post("/mqtt-clients", { name: "Gone", permissions: ["read"] });
    const shown = { username: body.username, password: body.password, protocolVersion: 5 } as const;
    const client = await hub.connect(shown);
    await hub.api.delete(`/mqtt-clients/${body.id}`);
    await expect.poll(() => client.client.connected, { timeout: 10_000 }).toBe(false);
    await expect(connectMqtt(hub.mqttUrl, shown)).rejects.toThrow();
  });

  test("rights that are given or taken away count a moment later", async () => {
    const { body } = await hub.api.post("/mqtt-clients", { name: "Changing", permissions: ["read"] });
    const client = await hub.connect({ username: body.username, password: body.password, protocolVersion: 5 });
    const topic = "powerbeacon/cluster/unassigned/wake";
    const asks = () => isTaken(client.client.publishAsync(topic, "nobody", { qos: 1 }));
    expect(await asks()).toBe(false);
    await hub.api.patch(`/mqtt-clients/${body.id}`, { permissions: ["wake"] });
    await expect.poll(asks, { timeout: 10_000 }).toBe(true);
    await hub.api.patch(`/mqtt-clients/${body.id}`, { permissions: ["read"] });
    await expect.poll(asks, { timeout: 10_000 }).toBe(false);
    await client.close();
  });
});
