import { MqttClient } from "mqtt";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type TestHub, startTestHub } from "#test/fixtures/hub.ts";
import { type TestMqttClient, connectMqtt } from "#test/fixtures/mqtt.ts";
import { BEHIND_PROXY } from "#test/fixtures/people.ts";
import { type Cell, expected, rowNames } from "./mqtt-access-table.ts";
import { type AccessWorld, SEATS, type Seat, openAccessWorld, seen } from "./mqtt-access-world.ts";

/** Every topic × every kind of client × where the thing lies: publish, publish retained, subscribe and hear, on a whole hub. */

let hub: TestHub;
let mouth: MqttClient;
let ear: TestMqttClient;
let cells: readonly Cell[];
let world: AccessWorld;

beforeAll(async () => {
  hub = await startTestHub({ ...BEHIND_PROXY, HA_DISCOVERY: "off" });
  world = await openAccessWorld(hub);
  ({ cells } = world);
  mouth = new MqttClient(() => hub.broker.connectHub(), { protocolVersion: 5, reconnectPeriod: 0 });
  await new Promise((resolve) => mouth.once("connect", resolve));
  const ears = new MqttClient(() => hub.broker.connectHub(), { protocolVersion: 5, reconnectPeriod: 0 });
  ear = collect(ears);
  await ears.subscribeAsync("#", { qos: 1 });
  for (const seat of SEATS) await clientOf(seat).client.subscribeAsync("#", { qos: 1 });
}, 120_000);

afterAll(async () => {
  mouth.end(true);
  await ear.close();
  await world.close();
  await hub.close();
});

function collect(client: MqttClient): TestMqttClient {
  const received: { topic: string; text: string }[] = [];
  client.on("message", (topic, payload) => received.push({ topic, text: payload.toString() }));
  const on = () => received.map((message) => ({ ...message, retained: false, packet: {} as never }));
  return { client, on, last: () => undefined, lastJson: () => undefined, close: () => client.endAsync(true) };
}

/** The reason code of a SUBSCRIBE. */
async function codeOf({ client }: TestMqttClient, filter: string): Promise<number> {
  return await new Promise((resolve) =>
    client.subscribe(filter, { qos: 1 }, (_error, _granted, packet) => {
      const [granted = 0x80] = packet?.granted ?? [];
      resolve(Number(granted) <= 2 ? 0 : Number(granted));
    }),
  );
}

/** What the broker takes from a client. */
async function takenOf({ client }: TestMqttClient, messageFor: (cell: Cell) => { body: string; retain: boolean }) {
  const taken: Cell[] = [];
  for (const cell of cells) {
    const { body, retain } = messageFor(cell);
    try {
      await client.publishAsync(cell.topic, body, { qos: 1, retain });
      taken.push(cell);
    } catch (error) {
      if ((error as { code?: number }).code !== 0x87) throw error;
    }
  }
  return taken;
}

const clientOf = (seat: Seat) => world.clientOf(seat);
const bodyOf = (text: string, { isSigned }: Cell) => (isSigned ? `eyJ ${text}` : text);
const namesOf = (some: readonly Cell[]) => some.map(({ name }) => name);

test("the table has a row for every topic of the contracts, and for no other", () => {
  expect(rowNames.inTable.toSorted()).toEqual(rowNames.ofChannels.toSorted());
  expect(cells.length * SEATS.length).toBeGreaterThan(1_000);
});

test("everybody hears of each thing what the table says, and nothing else", async () => {
  for (const cell of cells) {
    const site = cell.place === "away" ? world.sites.away.id : world.sites.home.id;
    const properties = cell.isOfSite ? { properties: { userProperties: { "pb-site": site } } } : {};
    await mouth.publishAsync(cell.topic, bodyOf(`hear ${cell.name}`, cell), { qos: 1, ...properties });
  }
  for (const seat of SEATS) {
    await codeOf(clientOf(seat), "settled/#"); // answered after everything that was published before
    const heard = new Set(
      clientOf(seat)
        .on(/./)
        .map(({ text }) => text),
    );
    const right = cells.filter((cell) => expected(seat.kind, cell, seen(seat, cell.place), "r"));
    const wrong = cells.filter((cell) => heard.has(bodyOf(`hear ${cell.name}`, cell)));
    expect([seat.name, namesOf(wrong)]).toEqual([seat.name, namesOf(right)]);
  }
});

describe.each(SEATS)("$name", (seat) => {
  test("subscribes to the names that it could read", async () => {
    const granted: Cell[] = [];
    const names = cells.filter(({ place, isOfSite }) => !isOfSite || place === "own");
    for (const cell of names) if ((await codeOf(clientOf(seat), cell.topic)) === 0) granted.push(cell);
    // a topic may carry orders beside requests
    const right = names.filter((cell) =>
      cells.some(({ topic, ...other }) => {
        const place = cell.isOfSite ? "own" : seen(seat, cell.place);
        return topic === cell.topic && expected(seat.kind, { topic, ...other }, place, "r");
      }),
    );
    expect(namesOf(granted)).toEqual(namesOf(right));
  });

  test.each([
    ["p", false],
    ["t", true],
  ] as const)("publishes (%s) what the table says, and the hub hears nothing else", async (right, retain) => {
    const bodyFor = (cell: Cell) => bodyOf(`${right}|${seat.name}|${cell.name}`, cell);
    const taken = await takenOf(clientOf(seat), (cell) => ({ body: bodyFor(cell), retain }));
    const allowed = cells.filter((cell) => expected(seat.kind, cell, seen(seat, cell.place), right));
    expect(namesOf(taken)).toEqual(namesOf(allowed));
    const heard = () => ear.on(/./).flatMap(({ text }) => (text.includes(`${right}|${seat.name}|`) ? [text] : []));
    await expect.poll(() => heard().length).toBeGreaterThanOrEqual(allowed.length);
    // what is asked of a thing of the hub's may be repeated in the hub's answer
    expect(heard().filter((text) => !text.startsWith("{"))).toEqual(allowed.map(bodyFor));
  });

  test("clears retained messages where the table says", async () => {
    const taken = await takenOf(clientOf(seat), () => ({ body: "", retain: true }));
    const allowed = cells.filter((cell) =>
      (["t", "e"] as const).some((right) => expected(seat.kind, cell, seen(seat, cell.place), right)),
    );
    expect(namesOf(taken)).toEqual(namesOf(allowed));
  });
});

test("who shows nothing, or what is not theirs, is not let in", async () => {
  const { username = "" } = clientOf({ name: "admin", kind: "admin", site: "home" }).client.options;
  const shown = [{}, { username }, { username, password: "right" }, { username: "hub", password: "hub" }];
  for (const credentials of shown)
    await expect(connectMqtt(hub.mqttUrl, credentials)).rejects.toThrow(/user ?name|authorized/i);
});
