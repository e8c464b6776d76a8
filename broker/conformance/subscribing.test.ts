import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isMissing } from "#test/fixtures/commands.ts";
import { mosquitto, ours, type RunningCandidate } from "./candidates.ts";
import type { Peer } from "./peer.ts";

/** MQTT 5 §3.8 to §3.11, §4.7, §4.8: subscriptions, alone and shared. */

const retained = { qos: 1, retain: true } as const;
const parent = (topic: string) => topic.slice(0, topic.lastIndexOf("/"));
const shared = (group: string, topic: string) => `$share/${group}/${topic}`;

/** How many of these messages each of several clients got. */
async function counts(peers: readonly Peer[]): Promise<number[]> {
  const got: number[] = [];
  for (const peer of peers) got.push((await peer.messages()).length);
  return got;
}

describe.each([ours, mosquitto])("$name", ({ command, start }) => {
  describe.skipIf(command !== null && isMissing(command))("with MQTT 5", () => {
    let at: RunningCandidate;
    beforeAll(async () => {
      at = await start();
    });
    afterAll(() => at.close());

    test("[MQTT-3.8.4-6], [MQTT-3.9.3-1] one SUBACK answers all filters, in their order", async () => {
      const peer = await at.connect(5);
      const { granted } = await peer.subscribe([
        { topic: at.topic(), qos: 1 },
        { topic: at.topic(), qos: 0 },
      ]);
      expect(granted).toEqual([1, 0]);
    });

    test("[MQTT-3.8.3-2] a SUBSCRIBE without a filter ends the connection", async () => {
      const peer = await at.connect(5);
      peer.raw.send(Buffer.from([0x82, 3, 0, 1, 0]));
      expect(await peer.isClosed()).toBe(true);
    });

    test("[MQTT-3.8.2-1] a message tells the identifier of its subscription, a retained one too", async () => {
      const [peer, topic] = [await at.connect(5), at.topic()];
      await at.publish(topic, "kept", retained);
      await peer.subscribe([topic], { subscriptionIdentifier: 268_435_455 });
      await at.publish(topic, "new");
      const identifiers = (await peer.messages()).map(({ properties }) => properties?.subscriptionIdentifier);
      expect(identifiers).toEqual([268_435_455, 268_435_455]);
      await at.publish(topic, "", retained);
    });

    test("[MQTT-3.3.4-3], [MQTT-3.3.4-2] filters that overlap give one message with all their identifiers and the highest QoS", async () => {
      const [peer, topic] = [await at.connect(5), at.topic()];
      await peer.subscribe([{ topic, qos: 0 }], { subscriptionIdentifier: 7 });
      await peer.subscribe([{ topic: `${parent(topic)}/+`, qos: 1 }], { subscriptionIdentifier: 8 });
      await peer.subscribe([{ topic: `${parent(topic)}/#`, qos: 0 }]);
      await at.publish(topic, "once");
      const messages = await peer.messages();
      const got = messages.flatMap(({ properties }) => properties?.subscriptionIdentifier ?? []);
      expect(new Set(got)).toEqual(new Set([7, 8]));
      expect(Math.max(...messages.map(({ qos }) => qos))).toBe(1);
    });

    test("[MQTT-3.8.4-3] a filter that is sent again replaces its subscription, the identifier too", async () => {
      const [peer, topic] = [await at.connect(5), at.topic()];
      await peer.subscribe([{ topic, qos: 1 }], { subscriptionIdentifier: 1 });
      await peer.subscribe([{ topic, qos: 0 }], { subscriptionIdentifier: 2 });
      await at.publish(topic, "x");
      expect(await peer.messages()).toMatchObject([{ qos: 0, properties: { subscriptionIdentifier: 2 } }]);
    });

    test.each([
      [0, ["kept", "kept"]],
      [1, ["kept"]],
      [2, []],
    ])("[MQTT-3.3.1-9] to [MQTT-3.3.1-11] Retain Handling %i", async (rh, expected) => {
      const [peer, topic] = [await at.connect(5), at.topic()];
      await at.publish(topic, "kept", retained);
      for (const _time of ["first", "second"]) await peer.subscribe([{ topic, rh }]);
      expect(await peer.payloads()).toEqual(expected);
      await at.publish(topic, "", retained);
    });

    test.each([
      [true, true],
      [false, false],
    ])("[MQTT-3.3.1-12], [MQTT-3.3.1-13] Retain As Published %s", async (rap, retain) => {
      const [peer, topic] = [await at.connect(5), at.topic()];
      await peer.subscribe([{ topic, rap }]);
      await at.publish(topic, "x", retained);
      expect(await peer.messages()).toMatchObject([{ retain }]);
      await at.publish(topic, "", retained);
    });

    test("[MQTT-3.8.3-3] No Local keeps a client's own messages from it", async () => {
      const { username, topic } = at.agent();
      const [peer, other] = [await at.connect(5, { username }), await at.connect(5)];
      await peer.subscribe([{ topic, nl: true }]);
      await other.subscribe([{ topic }]);
      await peer.publish(topic, "mine");
      expect(await other.payloads()).toEqual(["mine"]);
      expect(await peer.messages()).toEqual([]);
    });

    test("[MQTT-3.11.3-1] UNSUBACK tells for each filter whether there was such a subscription", async () => {
      const [peer, topic] = [await at.connect(5), at.topic()];
      await peer.subscribe([topic]);
      expect(await peer.unsubscribe([topic, `${topic}/other`, topic])).toMatchObject({ granted: [0, 0x11, 0x11] });
      await at.publish(topic, "x");
      expect(await peer.messages()).toEqual([]);
    });

    test("[MQTT-3.10.3-2] an UNSUBSCRIBE without a filter ends the connection", async () => {
      const peer = await at.connect(5);
      peer.raw.send(Buffer.from([0xa2, 3, 0, 1, 0]));
      expect(await peer.isClosed()).toBe(true);
    });

    test("[MQTT-4.7.2-1] no wildcard at the beginning matches a topic that begins with $", async () => {
      const peer = await at.connect(5);
      await peer.subscribe(["+/broker/version"]);
      expect(await peer.messages()).toEqual([]);
    });

    test.each([4, 5] as const)(
      "§4.8.2 clients of version %i share a subscription: each message goes to one of them",
      async (version) => {
        const topic = at.topic();
        const peers = [await at.connect(version), await at.connect(version), await at.connect(version)];
        for (const peer of peers) await peer.subscribe([shared("three", topic)]);
        for (let sent = 0; sent < 9; sent++) await at.publish(topic, `${sent}`);
        expect(await counts(peers)).toEqual([3, 3, 3]);
      },
    );

    test("§4.8.2 groups have each message apart, and who subscribes alone has all", async () => {
      const topic = at.topic();
      const [a, b, alone] = [await at.connect(5), await at.connect(5), await at.connect(5)];
      await a.subscribe([shared("a", topic)]);
      await b.subscribe([shared("b", topic)]);
      await alone.subscribe([topic]);
      for (let sent = 0; sent < 4; sent++) await at.publish(topic, `${sent}`);
      expect(await counts([a, b, alone])).toEqual([4, 4, 4]);
    });

    test("§4.8.2 who leaves a group is sent nothing more", async () => {
      const topic = at.topic();
      const [stays, leaves, unsubscribes] = [await at.connect(5), await at.connect(5), await at.connect(5)];
      for (const peer of [stays, leaves, unsubscribes]) await peer.subscribe([shared("fewer", topic)]);
      await leaves.leave();
      expect(await unsubscribes.unsubscribe([shared("fewer", topic)])).toMatchObject({ granted: [0] });
      for (let sent = 0; sent < 4; sent++) await at.publish(topic, `${sent}`);
      expect(await counts([stays, unsubscribes])).toEqual([4, 0]);
    });
  });
});

describe("this broker", () => {
  let at: RunningCandidate;
  beforeAll(async () => {
    at = await ours.start();
  });
  afterAll(() => at.close());

  test("[MQTT-3.3.4-2] filters that overlap give one copy", async () => {
    const [peer, topic] = [await at.connect(5), at.topic()];
    await peer.subscribe([{ topic, qos: 0 }], { subscriptionIdentifier: 7 });
    await peer.subscribe([{ topic: `${parent(topic)}/+`, qos: 1 }], { subscriptionIdentifier: 8 });
    await peer.subscribe([shared("too", topic)], { subscriptionIdentifier: 9 });
    await at.publish(topic, "once");
    const messages = await peer.messages();
    expect(messages).toMatchObject([{ qos: 1 }]);
    const { subscriptionIdentifier } = messages[0]?.properties ?? {};
    expect(new Set([subscriptionIdentifier].flat())).toEqual(new Set([7, 8, 9]));
  });

  test("§3.9.3 SUBACK refuses filter by filter, and says why", async () => {
    const peer = await at.connect(5, { username: "reader" });
    const suback = await peer.subscribe([
      "powerbeacon/agent/pi/order",
      "a/#/b",
      "$share//x",
      "$share/g",
      "$share/a+/x",
    ]);
    expect(suback).toMatchObject({
      granted: [0x87, 0x8f, 0x8f, 0x8f, 0x8f],
      properties: { reasonString: "this client may not read this topic" },
    });
  });

  test("[MQTT-3.1.2-29] SUBACK says no more than codes to who wants no problem information", async () => {
    const peer = await at.connect(5, {
      username: "reader",
      fields: { properties: { requestProblemInformation: false } },
    });
    const suback = await peer.subscribe(["powerbeacon/agent/pi/order"]);
    expect(suback.granted).toEqual([0x87]);
    expect(suback.properties).toBeUndefined();
  });

  test("§3.9.2.1.2 the reason is left out of a SUBACK that would be too large with it", async () => {
    const peer = await at.connect(5, { username: "reader", fields: { properties: { maximumPacketSize: 40 } } });
    expect((await peer.subscribe(["powerbeacon/agent/pi/order"])).properties).toBeUndefined();
  });

  test("§3.8.4 QoS 2 is granted as QoS 1", async () => {
    const peer = await at.connect(5);
    expect(await peer.subscribe([{ topic: at.topic(), qos: 2 }])).toMatchObject({ granted: [1] });
  });

  test("§4.8.2 a shared subscription gets no retained messages when it begins", async () => {
    const [peer, topic] = [await at.connect(5), at.topic()];
    await at.publish(topic, "kept", retained);
    await peer.subscribe([shared("late", topic)]);
    expect(await peer.messages()).toEqual([]);
    await at.publish(topic, "", retained);
  });

  test("[MQTT-3.8.3-4] No Local on a shared subscription ends the connection", async () => {
    const peer = await at.connect(5);
    await expect(peer.subscribe([{ topic: shared("g", at.topic()), nl: true }])).rejects.toThrow("closed");
  });

  test("§4.8.2 a shared message goes to nobody who may not read it", async () => {
    const filter = "$share/rights/powerbeacon/device/+/state";
    const [all, few] = [await at.connect(5), await at.connect(5, { username: "reader" })];
    for (const peer of [all, few]) await peer.subscribe([filter]);
    for (let sent = 0; sent < 4; sent++) await at.publish("powerbeacon/device/printer/state", `${sent}`);
    expect(await counts([all, few])).toEqual([4, 0]);
  });

  test("§4.8.2 groups of two sites have nothing to do with each other", async () => {
    const [house, shop] = [await at.connect(5), await at.connect(5, { username: "shop" })];
    for (const peer of [house, shop]) await peer.subscribe(["$share/same/powerbeacon/hub/status"]);
    for (let sent = 0; sent < 4; sent++) await at.publish("powerbeacon/hub/status", "online");
    expect(await counts([house, shop])).toEqual([4, 4]);
  });

  test("§4.8.2 who has no room is passed over, and waits only where nobody has any", async () => {
    const topic = at.topic();
    const full = await at.connect(5, { acknowledges: false, fields: { properties: { receiveMaximum: 1 } } });
    const free = await at.connect(5);
    for (const peer of [full, free]) await peer.subscribe([shared("room", topic)]);
    for (let sent = 0; sent < 5; sent++) await at.publish(topic, `${sent}`);
    expect(await counts([full, free])).toEqual([1, 4]);
  });

  test("§4.8.2 who is away is kept a message only where nobody is there", async () => {
    const [topic, clientId] = [at.topic(), "shares-and-leaves"];
    const fields = { clean: false, properties: { sessionExpiryInterval: 60 } };
    const away = await at.connect(5, { clientId, fields });
    const there = await at.connect(5);
    for (const peer of [away, there]) await peer.subscribe([shared("away", topic)]);
    await away.leave();
    await at.publish(topic, "for who is there");
    expect(await there.payloads()).toEqual(["for who is there"]);
    await there.leave();
    await at.publish(topic, "for who comes back");
    const back = await at.connect(5, { clientId, fields });
    expect(await back.payloads()).toEqual(["for who comes back"]);
  });
});
