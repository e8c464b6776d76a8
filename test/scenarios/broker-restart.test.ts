import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { BrokerStore } from "#contracts/broker-store.ts";
import type { Key } from "#contracts/key.ts";
import type { Principal } from "#contracts/principal.ts";
import { createBrokerStore } from "#core/broker-store/broker-store.ts";
import type { Database } from "#core/kernel/database.ts";
import { createDatabase, query } from "#test/fixtures/database.ts";
import { openTestDatabase } from "#test/fixtures/opened-database.ts";
import { Peer } from "../../broker/conformance/peer.ts";
import { startTestBroker, type TestBroker } from "../../broker/testing.ts";

/** What the embedded broker keeps in Postgres for its clients, over a stop and over a kill. */

const SITE = randomUUID();
const TOPIC = "powerbeacon/device/nas/event";
const STATUS = "powerbeacon/agent/pi/status";
const lasting = (seconds = 600) => ({ clean: false, properties: { sessionExpiryInterval: seconds } });

let url: string;
let database: Database;
let people: Record<string, Principal>;
let running: Running[];

interface Running {
  readonly test: TestBroker;
  hub(topic: string, payload: string, options?: object): Promise<void>;
  /** A kill: from here on nothing of what it does is stored. */
  readonly kill: () => void;
}

beforeAll(async () => {
  url = await createDatabase();
  database = await openTestDatabase(url);
  await query(url, "insert into site (id, key, name, created_at) values ($1, 'house', 'House', now())", [SITE]);
});
afterAll(() => database.close());

beforeEach(() => {
  running = [];
  const integration = (name: string): Principal => ({
    type: "integration",
    id: name,
    username: name,
    siteId: SITE,
    permissions: new Set(["read", "discovery"]),
    clusters: null,
  });
  people = {
    ha: integration("ha"),
    other: integration("other"),
    pi: { type: "agent", id: "pi", username: "pi", key: "pi" as Key, cluster: "home" as Key },
  };
});
afterEach(async () => {
  for (const { test, kill } of running) {
    kill();
    await test.close();
  }
  for (const table of ["mqtt_session", "mqtt_retained"]) await query(url, `delete from ${table}`);
});

async function start(): Promise<Running> {
  const store = createBrokerStore(database);
  let isKilled = false;
  const place = { key: "home", siteId: SITE };
  const test = await startTestBroker({
    people,
    store: { load: store.load, save: async (changes) => (isKilled ? undefined : await store.save(changes)) },
    directory: {
      cluster: () => place,
      clusterOfDevice: () => place,
      clusterOfAgent: (key) => (key in people ? place : undefined),
    },
  });
  const hub = await test.hub();
  const made: Running = {
    test,
    hub: async (topic, payload, options) => void (await hub.mqtt.publishAsync(topic, payload, { qos: 1, ...options })),
    kill: () => {
      isKilled = true;
    },
  };
  running.push(made);
  return made;
}

function connect({ test }: Running, username = "ha", fields: object = lasting(), acknowledges = true): Promise<Peer> {
  return Peer.connect(test.port, 5, { username, clientId: username, fields, acknowledges });
}

/** How many rows there are in a table. */
async function rows(table: string): Promise<number> {
  const [row] = await query(url, `select count(*)::int as count from ${table}`);
  return row?.["count"] as number;
}

describe("after a kill", () => {
  test("a session is there with its subscriptions, and with what waits for it", async () => {
    const first = await start();
    const peer = await connect(first);
    await peer.subscribe([TOPIC], { subscriptionIdentifier: 5 });
    await peer.leave();
    const properties = {
      contentType: "text/plain",
      correlationData: Buffer.from([0, 255]),
      userProperties: { a: ["1", "2"] },
    };
    await first.hub(TOPIC, "one", { properties: { ...properties, messageExpiryInterval: 100 } });
    await first.hub(TOPIC, "two");
    await expect.poll(() => rows("mqtt_queued")).toBe(2);
    first.kill();
    const second = await start();
    const back = await connect(second);
    expect(back.connack.sessionPresent).toBe(true);
    const [one, two] = await back.messages();
    expect(one).toMatchObject({
      payload: Buffer.from("one"),
      dup: false,
      properties: { ...properties, subscriptionIdentifier: 5 },
    });
    expect(one?.properties?.messageExpiryInterval).toBeLessThanOrEqual(100);
    expect(two).toMatchObject({ payload: Buffer.from("two") });
    await second.hub(TOPIC, "three");
    expect(await back.payloads()).toEqual(["three"]);
    await expect.poll(() => rows("mqtt_queued")).toBe(0);
  });

  test("what was under way is sent again with its identifier, before what came later", async () => {
    const first = await start();
    const peer = await connect(first, "ha", lasting(), false);
    await peer.subscribe([TOPIC]);
    await first.hub(TOPIC, "under way");
    const [message] = await peer.messages();
    await expect.poll(() => rows("mqtt_queued")).toBe(1);
    first.kill();
    const second = await start();
    await second.hub(TOPIC, "later");
    const [again, later] = await (await connect(second)).messages();
    expect(again).toMatchObject({ payload: message?.payload, messageId: message?.messageId, dup: true });
    expect(later).toMatchObject({ payload: Buffer.from("later"), dup: false });
  });

  test("a message of QoS 2 still counts once", async () => {
    const first = await start();
    const pi = await connect(first, "pi");
    await pi.publish(STATUS, "once", { qos: 2, messageId: 9 });
    await expect.poll(() => query(url, "select awaiting_pubrel from mqtt_session")).toEqual([{ awaiting_pubrel: [9] }]);
    first.kill();
    const second = await start();
    const observer = await connect(second, "ha");
    await observer.subscribe([STATUS]);
    const back = await connect(second, "pi");
    await back.publish(STATUS, "once", { qos: 2, messageId: 9, dup: true });
    expect(await observer.messages()).toEqual([]);
  });

  test("an agent that was there has left its Will, so that nobody takes it for online", async () => {
    const first = await start();
    const will = { topic: STATUS, payload: Buffer.from("offline"), qos: 1, retain: true };
    const pi = await connect(first, "pi", { will });
    await pi.publish(STATUS, "online", { retain: true });
    await expect.poll(() => rows("mqtt_retained")).toBe(1);
    first.kill();
    const observer = await connect(await start());
    await observer.subscribe([STATUS]);
    expect(await observer.payloads()).toEqual(["offline"]);
    await expect
      .poll(() => query(url, "select convert_from(payload, 'utf8') as payload from mqtt_retained"))
      .toEqual([{ payload: "offline" }]);
  });

  test("a Will with a delay waits for its client, which may come back", async () => {
    const first = await start();
    const will = {
      topic: STATUS,
      payload: Buffer.from("offline"),
      qos: 1,
      retain: true,
      properties: { willDelayInterval: 300 },
    };
    const pi = await connect(first, "pi", { ...lasting(), will });
    await pi.publish(STATUS, "online", { retain: true });
    await expect.poll(() => rows("mqtt_retained")).toBe(1);
    first.kill();
    const second = await start();
    await connect(second, "pi");
    const observer = await connect(second);
    await observer.subscribe([STATUS]);
    expect(await observer.payloads()).toEqual(["online"]);
  });

  test("a session whose credential was deleted meanwhile is gone, with all its rows", async () => {
    const first = await start();
    const peer = await connect(first);
    await peer.subscribe([TOPIC]);
    await peer.leave();
    await first.hub(TOPIC, "for nobody");
    await expect.poll(() => rows("mqtt_queued")).toBe(1);
    first.kill();
    const { ha } = people;
    delete people["ha"];
    await start();
    await expect.poll(async () => [await rows("mqtt_session"), await rows("mqtt_queued")]).toEqual([0, 0]);
    people["ha"] = ha as Principal;
    const back = await connect(running[1] as Running);
    expect(back.connack.sessionPresent).toBe(false);
  });

  test("a session whose time is up is gone", async () => {
    const first = await start();
    const peer = await connect(first, "ha", lasting(600));
    await peer.subscribe([TOPIC]);
    await peer.leave();
    await expect.poll(() => query(url, "select id from mqtt_session where left_at is not null")).toHaveLength(1);
    first.kill();
    await query(url, "update mqtt_session set left_at = now() - interval '601 seconds'");
    const second = await start();
    await expect.poll(() => rows("mqtt_session")).toBe(0);
    expect((await connect(second)).connack.sessionPresent).toBe(false);
  });
});

describe("retained messages", () => {
  test("of clients are there after a kill, what was cleared is not, and the hub's own are left to the hub", async () => {
    const first = await start();
    const pi = await connect(first, "pi", {});
    await pi.publish(STATUS, "online", { retain: true, properties: { contentType: "text/plain" } });
    await pi.publish("powerbeacon/agent/pi/inventory", "{}", { retain: true });
    await first.hub("powerbeacon/hub/status", "online", { retain: true });
    const ha = await connect(first, "ha", {});
    await ha.publish("homeassistant/status", "online", { retain: true });
    await expect.poll(() => rows("mqtt_retained")).toBe(3);
    await pi.publish("powerbeacon/agent/pi/inventory", "", { retain: true });
    await expect.poll(() => rows("mqtt_retained")).toBe(2);
    first.kill();
    const observer = await connect(await start());
    await observer.subscribe(["#"]);
    const got = await observer.messages();
    expect(got.map(({ topic }) => topic).toSorted((a, b) => a.localeCompare(b))).toEqual([
      "homeassistant/status",
      STATUS,
    ]);
    expect(got.find(({ topic }) => topic === STATUS)).toMatchObject({
      retain: true,
      qos: 1,
      properties: { contentType: "text/plain" },
    });
  });

  test("of an agent that was deleted meanwhile do not come back", async () => {
    const first = await start();
    const pi = await connect(first, "pi", {});
    await pi.publish(STATUS, "online", { retain: true });
    await expect.poll(() => rows("mqtt_retained")).toBe(1);
    first.kill();
    delete people["pi"];
    const second = await start();
    expect(second.test.broker.figures().retained).toBe(0);
    await expect.poll(() => rows("mqtt_retained")).toBe(0);
  });

  test("that the hub replaced or cleared do not come back", async () => {
    const first = await start();
    const pi = await connect(first, "pi", {});
    for (const what of ["status", "inventory"])
      await pi.publish(`powerbeacon/agent/pi/${what}`, "of the agent", { retain: true });
    await expect.poll(() => rows("mqtt_retained")).toBe(2);
    await first.hub(STATUS, "of the hub", { retain: true });
    await first.hub("powerbeacon/agent/pi/inventory", "", { retain: true });
    await expect.poll(() => rows("mqtt_retained")).toBe(0);
  });

  test("whose lifetime is over do not come back", async () => {
    const first = await start();
    const pi = await connect(first, "pi", {});
    await pi.publish(STATUS, "online", { retain: true, properties: { messageExpiryInterval: 600 } });
    await expect.poll(() => rows("mqtt_retained")).toBe(1);
    first.kill();
    await query(url, "update mqtt_retained set expires_at = now() - interval '1 second'");
    expect((await start()).test.broker.figures().retained).toBe(0);
    await expect.poll(() => rows("mqtt_retained")).toBe(0);
  });
});

test("a stop stores everything at once, the Wills of who was there among it", async () => {
  const first = await start();
  const away = await connect(first, "other");
  await away.subscribe([STATUS, TOPIC]);
  await away.leave();
  const will = { topic: STATUS, payload: Buffer.from("offline"), qos: 1, retain: true };
  await connect(first, "pi", { will });
  await first.hub(TOPIC, "just now");
  await first.test.close();
  const back = await connect(await start(), "other");
  expect(await back.payloads()).toEqual(["just now", "offline"]);
});

test("the broker goes on while the store does not answer, and stores what counts then", async () => {
  const real = createBrokerStore(database);
  let attempts = 0;
  const store: BrokerStore = {
    load: real.load,
    save: async (changes) => {
      if (attempts++ < 3) throw new Error("not now");
      await real.save(changes);
    },
  };
  const broker = await startTestBroker({
    people,
    store,
    directory: {
      cluster: () => undefined,
      clusterOfDevice: () => ({ key: "home", siteId: SITE }),
      clusterOfAgent: () => undefined,
    },
  });
  const made: Running = { test: broker, hub: async () => {}, kill: () => {} };
  running.push(made);
  const hub = await broker.hub();
  const peer = await connect(made, "ha", lasting(), false);
  await peer.subscribe([TOPIC]);
  await hub.mqtt.publishAsync(TOPIC, "acknowledged", { qos: 1 });
  const [first] = await peer.messages();
  await expect.poll(() => attempts).toBeGreaterThan(1);
  peer.raw.send({ cmd: "puback", messageId: first?.messageId ?? 0 });
  await hub.mqtt.publishAsync(TOPIC, "not", { qos: 1 });
  expect(await peer.payloads()).toEqual(["not"]);
  const stored = () => query(url, "select convert_from(payload, 'utf8') as payload from mqtt_queued");
  await expect.poll(stored, { timeout: 10_000 }).toEqual([{ payload: "not" }]);
});
