import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type RawClient, id, packet, subscription, text } from "./raw-client.ts";
import { type TestBroker, type TestClient, startTestBroker } from "./testing.ts";

/** Names that are made to slip through: nobody hears or says by them what is not theirs, and the broker stays. */

let test: TestBroker;
let hub: TestClient;

beforeEach(async () => {
  test = await startTestBroker();
  hub = await test.hub();
  await hub.mqtt.subscribeAsync("#", { qos: 1 });
});
afterEach(() => test.close());

const LONGEST = 65_535;
const SECRET = "of the shop";

/** Each is meant to pass for a topic of the shop, or for none at all. The user `office` is of the house. */
const tricks: readonly (readonly [what: string, name: string | Buffer])[] = [
  ["nothing", ""],
  ["an empty level before", "/powerbeacon/device/register/set"],
  ["an empty level within", "powerbeacon//device/register/set"],
  ["an empty level behind", "powerbeacon/device/register/set/"],
  ["an empty key", "powerbeacon/device//set"],
  ["U+0000 behind", "powerbeacon/device/register/set\0"],
  ["U+0000 within", "powerbeacon/device/nas\0/../register/set"],
  ["an overlong U+0000", Buffer.from("powerbeacon/device/register/set\xc0\x80", "latin1")],
  ["half a surrogate", Buffer.from("powerbeacon/device/register\xed\xa0\x80/set", "latin1")],
  ["65,535 bytes", `powerbeacon/device/register/set`.padEnd(LONGEST, "/x")],
  ["65,535 bytes of two-byte letters", "ä".repeat(LONGEST / 2)],
  ["a look-alike of the base", "p\u043Ewerbeacon/device/register/set"],
  ["a look-alike of a key", "powerbeacon/device/r\u0435gister/set"],
  ["a full-width key", "powerbeacon/device/\uFF52egister/set"],
  ["an invisible space", "powerbeacon/device/register\u200B/set"],
  ["a byte-order mark", "\uFEFFpowerbeacon/device/register/set"],
  ["another case", "PowerBeacon/Device/Register/Set"],
  ["a way up", "powerbeacon/device/nas/../register/set"],
  ["a word of every object", "powerbeacon/constructor/__proto__/set"],
  ["a key that every object has", "powerbeacon/device/__proto__/state"],
  ["the broker's own", "$SYS/broker/clients"],
  ["a share", "$share/group/powerbeacon/device/register/set"],
  ["a response of another", "powerbeacon/client/shop/response/1"],
  ["a response beside its own", "powerbeacon/client/ha/response/../../shop/response/1"],
  ["the hub's word", "powerbeacon/hub/status"],
  ["another's base", "powerbeacon2/device/register/set"],
];

const bytesOf = (name: string | Buffer) =>
  text(typeof name === "string" ? Buffer.from(name).subarray(0, LONGEST) : name);
const none = (version: 4 | 5) => (version === 5 ? [Buffer.from([0])] : []);

/** The hub hears what comes after, and nothing of what went before. */
async function hearsNothing(): Promise<void> {
  const ha = await test.connect("ha", { clientId: "honest" });
  await ha.mqtt.publishAsync("powerbeacon/device/nas/set", "honest", { qos: 1 });
  await expect.poll(() => hub.messages.map(({ payload }) => payload)).toEqual(["honest"]);
  hub.messages.length = 0;
}

async function answered(raw: RawClient, count: number): Promise<void> {
  await expect.poll(() => raw.isClosed || raw.packets.length >= count).toBe(true);
}

describe.each([4, 5] as const)("with MQTT version %i", (version) => {
  it("no trick of a topic is published", async () => {
    for (const flags of [0x30, 0x32, 0x33, 0x35])
      await Promise.all(
        tricks.map(async ([what, name]) => {
          const raw = await test.letIn(version, { username: "office", clientId: what });
          const identifier = (flags & 0x06) === 0 ? [] : [id(7)];
          raw.send(packet(flags, bytesOf(name), ...identifier, ...none(version), Buffer.from("trick")));
          raw.send({ cmd: "pingreq" });
          await answered(raw, 2);
          raw.socket.destroy();
        }),
      );
    await hearsNothing();
    expect(test.broker.figures().retained).toBe(0);
  });

  it("no trick of a Will is published", async () => {
    await Promise.all(
      tricks.map(async ([what, name]) => {
        const raw = await test.raw();
        raw.version = version;
        // a Will with QoS 1, retained; user name and password
        const header = [text("MQTT"), Buffer.from([version, 0xee, 0, 0]), ...none(version), text(what)];
        const will = [...none(version), bytesOf(name), text("trick")];
        raw.send(packet(0x10, ...header, ...will, text("office"), text("right")));
        await answered(raw, 1);
        raw.socket.destroy();
      }),
    );
    const clients = test.arrivals.filter(({ who }) => who !== "hub");
    await expect.poll(() => test.departures.length).toBe(clients.length);
    await hearsNothing();
    expect(test.broker.figures().retained).toBe(0);
  });

  it("no trick of a filter hears of another site", async () => {
    const shop = ["device/register/state", "device/register/info", "cluster/till/info", "agent/counter/status"];
    const wide = ["#", "+/#", "+/+/+/+", "/#", "$share/g/#", "$share/g/powerbeacon/#", "$share//#", "$SYS/#", "$+/#"];
    const names = shop.map((topic) => `powerbeacon/${topic}`);
    const filters = [...tricks.map(([, name]) => name), ...wide, ...names];
    const spies = await Promise.all(
      filters.map(async (filter, at) => {
        const spy = await test.letIn(version, { clientId: `spy-${at}` });
        spy.send(packet(0x82, id(1), ...none(version), bytesOf(filter), Buffer.from([1])));
        await answered(spy, 2);
        return spy;
      }),
    );
    for (const topic of shop)
      for (const retain of [false, true])
        await hub.mqtt.publishAsync(`powerbeacon/${topic}`, SECRET, { qos: 1, retain });
    const own = { qos: 1, properties: { userProperties: { "pb-site": "shop" } } } as const;
    await hub.mqtt.publishAsync("powerbeacon/event", SECRET, own);
    await hub.mqtt.publishAsync("powerbeacon/hub/response/x", SECRET, own);
    await Promise.all(
      spies.map(async (spy) => {
        spy.send({ cmd: "subscribe", messageId: 2, subscriptions: [subscription("#", 1)] });
        await answered(spy, 3);
      }),
    );
    expect(spies.flatMap((spy) => spy.packets.filter(({ cmd }) => cmd === "publish"))).toEqual([]);
    hub.messages.length = 0;
    await hearsNothing();
  });

  it("who is not let in says and hears nothing, whatever comes with the CONNECT", async () => {
    const strangers = [
      { username: undefined, password: undefined },
      { username: "ha", password: Buffer.from("wrong") },
      { username: "hub", password: Buffer.from("right") },
      { username: "constructor", password: Buffer.from("right") },
      { username: "HA", password: Buffer.from("right") },
      { username: "ha\u200B", password: Buffer.from("right") },
      { username: "~", password: Buffer.from("right") },
      { username: "x".repeat(LONGEST), password: Buffer.from("right") },
    ];
    const raws = await Promise.all(
      strangers.map(async (fields, at) => {
        const raw = await test.raw();
        raw.connect(version, { clientId: `stranger-${at}`, ...fields });
        raw.send({ cmd: "subscribe", messageId: 1, subscriptions: [subscription("#", 1)] });
        raw.send(packet(0x32, text("powerbeacon/device/nas/set"), id(2), ...none(version), Buffer.from("stranger")));
        return raw;
      }),
    );
    await hub.mqtt.publishAsync("powerbeacon/hub/status", "online", { qos: 1 });
    await expect.poll(() => raws.map((raw) => raw.isClosed)).toEqual(raws.map(() => true));
    expect(raws.flatMap((raw) => raw.commands.filter((cmd) => cmd !== "connack"))).toEqual([]);
    hub.messages.length = 0;
    await hearsNothing();
  });

  it("who takes the identifier of another, or its internal name, gets nothing of its session", async () => {
    const lasting = { clean: false, ...(version === 5 && { properties: { sessionExpiryInterval: 60 } }) };
    const owner = await test.letIn(version, { ...lasting, username: "shop", clientId: "till" });
    owner.send({ cmd: "subscribe", messageId: 1, subscriptions: [subscription("powerbeacon/#", 1)] });
    await answered(owner, 2);
    owner.socket.destroy();
    await expect.poll(() => test.departures).toEqual(["shop"]);
    await hub.mqtt.publishAsync("powerbeacon/device/register/event", SECRET, { qos: 1 });
    for (const clientId of ["till", "integration-shop/till", "../integration-shop/till", "integration-shop"]) {
      const thief = await test.letIn(version, { ...lasting, username: "ha", clientId });
      thief.send({ cmd: "pingreq" });
      await answered(thief, 2);
      expect(thief.packets[0]).toMatchObject({ sessionPresent: false });
      expect(thief.commands).toEqual(["connack", "pingresp"]);
    }
    const back = await test.letIn(version, { ...lasting, username: "shop", clientId: "till" });
    await expect.poll(() => back.commands).toEqual(["connack", "publish"]);
  });
});

it("a response topic of another makes nobody the hub's mouth", async () => {
  const ha = await test.letIn(5);
  for (const responseTopic of ["powerbeacon/client/shop/response/1", "powerbeacon/device/nas/state", "x", "$SYS/x"])
    ha.send({
      cmd: "publish",
      topic: "powerbeacon/device/nas/set",
      payload: "trick",
      qos: 1,
      messageId: 1,
      retain: false,
      dup: false,
      properties: { responseTopic },
    });
  await expect.poll(() => ha.packets.slice(1)).toHaveLength(4);
  for (const answer of ha.packets.slice(1)) expect(answer).toMatchObject({ cmd: "puback", reasonCode: 0x87 });
  await hearsNothing();
});

it("names without end fill no memory", async () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const raw = await test.letIn(4);
  const flood = async (names: number) => {
    for (let at = 0; at < names; at++) {
      const name = `powerbeacon/device/${at}-${"ж".repeat(480)}/set`;
      raw.socket.write(packet(0x30, text(name), Buffer.from("x")));
      raw.send({ cmd: "subscribe", messageId: 1 + at, subscriptions: [subscription(name)] });
    }
    await expect.poll(() => raw.packets.length).toBeGreaterThanOrEqual(names);
    raw.packets.length = 0;
    test.refusals.length = 0;
    hub.messages.length = 0;
    collect();
    return process.memoryUsage().heapUsed;
  };
  const before = await flood(500);
  const after = await flood(5_000);
  expect(after - before).toBeLessThan(4 * 1024 * 1024);
});
