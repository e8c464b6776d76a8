import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { EVENT, lasting, openStoredBrokers, STATUS, type StoredBrokers } from "#test/fixtures/stored-broker.ts";

/** What the embedded broker keeps of sessions in Postgres, over a stop and over a kill. */

let at: StoredBrokers;
beforeAll(async () => {
  at = await openStoredBrokers();
});
afterEach(() => at.reset());
afterAll(() => at.close());

describe("after a kill", () => {
  test("a session is there with its subscriptions, and with what waits for it", async () => {
    const first = await at.start();
    const peer = await first.connect();
    await peer.subscribe([EVENT], { subscriptionIdentifier: 5 });
    await peer.leave();
    const properties = {
      contentType: "text/plain",
      correlationData: Buffer.from([0, 255]),
      userProperties: { a: ["1", "2"] },
    };
    await first.hub(EVENT, "one", { properties: { ...properties, messageExpiryInterval: 100 } });
    await first.hub(EVENT, "two");
    await expect.poll(() => at.rows("mqtt_queued")).toBe(2);
    first.kill();
    const second = await at.start();
    const back = await second.connect();
    expect(back.connack.sessionPresent).toBe(true);
    const [one, two] = await back.messages();
    expect(one).toMatchObject({
      payload: Buffer.from("one"),
      dup: false,
      properties: { ...properties, subscriptionIdentifier: 5 },
    });
    expect(one?.properties?.messageExpiryInterval).toBeLessThanOrEqual(100);
    expect(two).toMatchObject({ payload: Buffer.from("two") });
    await second.hub(EVENT, "three");
    expect(await back.payloads()).toEqual(["three"]);
    await expect.poll(() => at.rows("mqtt_queued")).toBe(0);
  });

  test("what was under way is sent again with its identifier, before what came later", async () => {
    const first = await at.start();
    const peer = await first.connect("ha", lasting(), false);
    await peer.subscribe([EVENT]);
    await first.hub(EVENT, "under way");
    const [message] = await peer.messages();
    await expect.poll(() => at.rows("mqtt_queued")).toBe(1);
    first.kill();
    const second = await at.start();
    await second.hub(EVENT, "later");
    const [again, later] = await (await second.connect()).messages();
    expect(again).toMatchObject({ payload: message?.payload, messageId: message?.messageId, dup: true });
    expect(later).toMatchObject({ payload: Buffer.from("later"), dup: false });
  });

  test("a message that waits for many is in memory once", async () => {
    const first = await at.start();
    for (const name of ["ha", "other"]) {
      const peer = await first.connect(name);
      await peer.subscribe([EVENT]);
      peer.raw.socket.destroy();
    }
    await expect.poll(() => first.test.departures).toHaveLength(2);
    await first.hub(EVENT, "for both");
    await expect.poll(() => at.rows("mqtt_queued")).toBe(2);
    const [one, other] = (await at.store.load()).queued;
    expect(one?.payload.toString()).toBe("for both");
    expect(other?.payload).toBe(one?.payload);
  });

  test("a message of QoS 2 still counts once", async () => {
    const first = await at.start();
    const pi = await first.connect("pi");
    await pi.publish(STATUS, "once", { qos: 2, messageId: 9 });
    await expect.poll(() => at.query("select awaiting_pubrel from mqtt_session")).toEqual([{ awaiting_pubrel: [9] }]);
    first.kill();
    const second = await at.start();
    const observer = await second.connect("ha");
    await observer.subscribe([STATUS]);
    const back = await second.connect("pi");
    await back.publish(STATUS, "once", { qos: 2, messageId: 9, dup: true });
    expect(await observer.messages()).toEqual([]);
  });

  test("an agent that was there has left its Will, so that nobody takes it for online", async () => {
    const first = await at.start();
    const will = { topic: STATUS, payload: Buffer.from("offline"), qos: 1, retain: true };
    const pi = await first.connect("pi", { will });
    await pi.publish(STATUS, "online", { retain: true });
    await expect.poll(() => at.rows("mqtt_retained")).toBe(1);
    first.kill();
    const observer = await (await at.start()).connect();
    await observer.subscribe([STATUS]);
    expect(await observer.payloads()).toEqual(["offline"]);
    await expect
      .poll(() => at.query("select convert_from(payload, 'utf8') as payload from mqtt_retained"))
      .toEqual([{ payload: "offline" }]);
  });

  test("a Will with a delay waits for its client, which may come back", async () => {
    const first = await at.start();
    const will = {
      topic: STATUS,
      payload: Buffer.from("offline"),
      qos: 1,
      retain: true,
      properties: { willDelayInterval: 300 },
    };
    const pi = await first.connect("pi", { ...lasting(), will });
    await pi.publish(STATUS, "online", { retain: true });
    await expect.poll(() => at.rows("mqtt_retained")).toBe(1);
    first.kill();
    const second = await at.start();
    await second.connect("pi");
    const observer = await second.connect();
    await observer.subscribe([STATUS]);
    expect(await observer.payloads()).toEqual(["online"]);
  });

  test("a session whose credential was deleted meanwhile is gone, with all its rows", async () => {
    const first = await at.start();
    const peer = await first.connect();
    await peer.subscribe([EVENT]);
    await peer.leave();
    await first.hub(EVENT, "for nobody");
    await expect.poll(() => at.rows("mqtt_queued")).toBe(1);
    first.kill();
    const { ha } = at.people;
    delete at.people["ha"];
    const second = await at.start();
    await expect.poll(async () => [await at.rows("mqtt_session"), await at.rows("mqtt_queued")]).toEqual([0, 0]);
    Object.assign(at.people, { ha });
    const back = await second.connect();
    expect(back.connack.sessionPresent).toBe(false);
  });

  test("a session whose time is up is gone", async () => {
    const first = await at.start();
    const peer = await first.connect("ha", lasting(600));
    await peer.subscribe([EVENT]);
    await peer.leave();
    await expect.poll(() => at.query("select id from mqtt_session where left_at is not null")).toHaveLength(1);
    first.kill();
    await at.query("update mqtt_session set left_at = now() - interval '601 seconds'");
    const second = await at.start();
    await expect.poll(() => at.rows("mqtt_session")).toBe(0);
    expect((await second.connect()).connack.sessionPresent).toBe(false);
  });
});

test("a stop stores everything at once, the Wills of who was there among it", async () => {
  const first = await at.start();
  const away = await first.connect("other");
  await away.subscribe([STATUS, EVENT]);
  await away.leave();
  const will = { topic: STATUS, payload: Buffer.from("offline"), qos: 1, retain: true };
  await first.connect("pi", { will });
  await first.hub(EVENT, "just now");
  await first.test.close();
  const back = await (await at.start()).connect("other");
  expect(await back.payloads()).toEqual(["just now", "offline"]);
});

test("the broker goes on while the store does not answer, and stores what counts then", async () => {
  let attempts = 0;
  const broker = await at.start({
    load: at.store.load,
    save: async (changes) => {
      if (attempts++ < 3) throw new Error("not now");
      await at.store.save(changes);
    },
  });
  const peer = await broker.connect("ha", lasting(), false);
  await peer.subscribe([EVENT]);
  await broker.hub(EVENT, "acknowledged");
  const [first] = await peer.messages();
  await expect.poll(() => attempts).toBeGreaterThan(1);
  peer.raw.send({ cmd: "puback", messageId: first?.messageId ?? 0 });
  await broker.hub(EVENT, "not");
  expect(await peer.payloads()).toEqual(["not"]);
  const stored = () => at.query("select convert_from(payload, 'utf8') as payload from mqtt_queued");
  await expect.poll(stored, { timeout: 10_000 }).toEqual([{ payload: "not" }]);
});
