import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startTestBroker, type TestBroker } from "./testing.ts";

let test: TestBroker;
beforeEach(async () => {
  test = await startTestBroker();
});
afterEach(() => test.close());

async function answerTo(published: Promise<unknown>): Promise<unknown> {
  try {
    await published;
    return "acknowledged";
  } catch (error) {
    return (error as { code: number }).code; // mqtt rejects with the reason code of the acknowledgement
  }
}

describe("MQTT 5", () => {
  it("tells its limits in CONNACK", async () => {
    const raw = await test.raw();
    raw.connect(5, { keepalive: 0, clientId: "", properties: { sessionExpiryInterval: 0xffffffff } });
    await expect
      .poll(() => raw.packets[0])
      .toMatchObject({
        cmd: "connack",
        reasonCode: 0,
        properties: {
          serverKeepAlive: 300,
          maximumPacketSize: 256 * 1024,
          sharedSubscriptionAvailable: true,
          sessionExpiryInterval: 24 * 60 * 60,
          assignedClientIdentifier: expect.stringMatching(/^pb-/),
        },
      });
  });

  it("lets a shorter keep-alive stand", async () => {
    const raw = await test.raw();
    raw.connect(5, { keepalive: 20 });
    await expect.poll(() => raw.commands).toEqual(["connack"]);
    expect(raw.packets[0]).not.toHaveProperty("properties.serverKeepAlive");
  });

  it("carries the response topic, correlation data, expiry and user properties to the hub, but no claimed name or site", async () => {
    const hub = await test.hub();
    await hub.mqtt.subscribeAsync("powerbeacon/#", { qos: 1 });
    const ha = await test.connect("ha", { protocolVersion: 5 });
    const properties = {
      responseTopic: "powerbeacon/client/ha/response/1",
      correlationData: Buffer.from("42"),
      messageExpiryInterval: 10,
      userProperties: { room: "attic", "pb-by": "hub", "pb-site": "shop", "pb-token": "token-ann" },
    };
    await ha.mqtt.publishAsync("powerbeacon/cluster/home/wake", "*", { qos: 1, properties });
    await expect
      .poll(() => hub.messages[0]?.properties)
      .toEqual({
        ...properties,
        userProperties: { room: "attic", "pb-by": "ha", "pb-site": "house" },
      });
  });

  it("tells the hub with which token a person published", async () => {
    const hub = await test.hub();
    await hub.mqtt.subscribeAsync("powerbeacon/#", { qos: 1 });
    const ben = await test.connect("~ben", { protocolVersion: 5 });
    await ben.mqtt.publishAsync("powerbeacon/device/nas/set", "ON", { qos: 1 });
    const stamps = { "pb-by": "~ben", "pb-site": "house", "pb-token": "token-ben" };
    await expect.poll(() => hub.messages[0]?.properties?.userProperties).toEqual(stamps);
  });

  it("shows who published, and of which site, to nobody but the hub", async () => {
    const hub = await test.hub();
    const ha = await test.connect("ha", { protocolVersion: 5 });
    await ha.mqtt.subscribeAsync(["powerbeacon/agent/+/status", "powerbeacon/event"]);
    const pi = await test.connect("pi", { protocolVersion: 5 });
    const properties = { userProperties: { "pb-by": "hub", "pb-site": "house", "pb-token": "token-ann" } };
    await pi.mqtt.publishAsync("powerbeacon/agent/pi/status", "online", { qos: 1, retain: true, properties });
    await hub.mqtt.publishAsync("powerbeacon/event", "{}", { qos: 1, properties });
    await expect.poll(() => ha.messages).toHaveLength(2);
    for (const { properties } of ha.messages) expect(properties?.userProperties ?? {}).toEqual({});
  });

  it("takes what the hub says of one site to that site alone", async () => {
    const hub = await test.hub();
    const [ha, shop] = [await test.connect("ha"), await test.connect("shop")];
    for (const { mqtt } of [ha, shop]) await mqtt.subscribeAsync("powerbeacon/#", { qos: 1 });
    const say = (site: string | null, payload: string) =>
      hub.mqtt.publishAsync("powerbeacon/event", payload, {
        qos: 1,
        ...(site !== null && { properties: { userProperties: { "pb-site": site } } }),
      });
    await say("house", "of the house");
    await say("shop", "of the shop");
    await say(null, "of all");
    await expect.poll(() => ha.on("powerbeacon/event")).toEqual(["of the house", "of all"]);
    await expect.poll(() => shop.on("powerbeacon/event")).toEqual(["of the shop", "of all"]);
  });

  it("keeps the retain flag for the hub, which asks for it", async () => {
    const hub = await test.hub();
    await hub.mqtt.subscribeAsync("powerbeacon/#", { qos: 1, rap: true });
    const pi = await test.connect("pi");
    await pi.mqtt.publishAsync("powerbeacon/agent/pi/status", "online", { qos: 1, retain: true });
    await expect.poll(() => hub.messages[0]?.retain).toBe(true);
  });

  it("answers each filter of a SUBSCRIBE with its own reason, equal and odd ones too", async () => {
    const raw = await test.raw();
    raw.connect(5);
    const filters = ["powerbeacon/#", "powerbeacon/#", "a/b#", "a+/b", "$share/g/powerbeacon/#", "__proto__", "$SYS/#"];
    raw.send({
      cmd: "subscribe",
      messageId: 3,
      subscriptions: filters.map((topic) => ({ topic, qos: 2, nl: false, rap: false, rh: 0 })),
    });
    await expect
      .poll(() => raw.packets[1])
      .toMatchObject({ cmd: "suback", granted: [1, 1, 0x8f, 0x8f, 1, 0x87, 0x87] });
  });

  it("says which subscription a message came for", async () => {
    const hub = await test.hub();
    await hub.mqtt.publishAsync("powerbeacon/hub/info", "{}", { qos: 1, retain: true });
    const ha = await test.connect("ha", { protocolVersion: 5 });
    await ha.mqtt.subscribeAsync("powerbeacon/hub/+", { qos: 1, properties: { subscriptionIdentifier: 9 } });
    await hub.mqtt.publishAsync("powerbeacon/hub/status", "online", { qos: 1 });
    await expect.poll(() => ha.messages.map(({ properties }) => properties?.subscriptionIdentifier)).toEqual([9, 9]);
  });

  it("sends no message larger than the client takes", async () => {
    const hub = await test.hub();
    const ha = await test.connect("ha", { protocolVersion: 5, properties: { maximumPacketSize: 100 } });
    await ha.mqtt.subscribeAsync("powerbeacon/#", { qos: 1 });
    await hub.mqtt.publishAsync("powerbeacon/event", "x".repeat(200), { qos: 1 });
    await hub.mqtt.publishAsync("powerbeacon/event", "small", { qos: 1 });
    await expect.poll(() => ha.messages.map(({ payload }) => payload)).toEqual(["small"]);
  });

  it("has no more unacknowledged messages under way than the client takes", async () => {
    const hub = await test.hub();
    const raw = await test.raw();
    raw.connect(5, { properties: { receiveMaximum: 2 } });
    raw.send({
      cmd: "subscribe",
      messageId: 1,
      subscriptions: [{ topic: "powerbeacon/#", qos: 1, nl: false, rap: false, rh: 0 }],
    });
    await expect.poll(() => raw.commands).toEqual(["connack", "suback"]);
    for (let at = 0; at < 5; at++) await hub.mqtt.publishAsync("powerbeacon/event", `${at}`, { qos: 1 });
    raw.send({ cmd: "pingreq" });
    await expect.poll(() => raw.commands).toContain("pingresp");
    expect(raw.commands.filter((cmd) => cmd === "publish")).toHaveLength(2);
    const first = raw.packets.find((packet) => packet.cmd === "publish");
    raw.send({ cmd: "puback", messageId: first?.messageId ?? 0 });
    await expect.poll(() => raw.commands.filter((cmd) => cmd === "publish")).toHaveLength(3);
  });

  it("forgets a message whose lifetime ended while its reader was away", async () => {
    const hub = await test.hub();
    const options = {
      protocolVersion: 5 as const,
      clientId: "t",
      clean: false,
      properties: { sessionExpiryInterval: 60 },
    };
    const first = await test.connect("ha", options);
    await first.mqtt.subscribeAsync("powerbeacon/event", { qos: 1 });
    await first.mqtt.endAsync();
    await expect.poll(() => test.departures).toEqual(["ha"]);
    await hub.mqtt.publishAsync("powerbeacon/event", "old", { qos: 1, properties: { messageExpiryInterval: 1 } });
    await hub.mqtt.publishAsync("powerbeacon/event", "lasting", { qos: 1 });
    const sentAt = Date.now();
    await expect.poll(() => Date.now() - sentAt, { timeout: 3_000 }).toBeGreaterThan(1_000);
    const again = await test.connect("ha", options);
    await expect.poll(() => again.messages.map(({ payload }) => payload)).toEqual(["lasting"]);
  });
});

describe("a response topic", () => {
  it("may be the client's own", async () => {
    const hub = await test.hub();
    const ha = await test.connect("ha", { protocolVersion: 5 });
    const responseTopic = "powerbeacon/client/ha/response/1";
    await ha.mqtt.subscribeAsync(responseTopic, { qos: 1 });
    await hub.mqtt.publishAsync(responseTopic, "{}", { qos: 1 });
    await expect.poll(() => ha.on(responseTopic)).toEqual(["{}"]);
  });

  it.each(["powerbeacon/client/reader/response/1", "powerbeacon/agent/pi/order", "elsewhere"])(
    "%s is refused, so that nobody borrows the hub's rights",
    async (responseTopic) => {
      const ha = await test.connect("ha", { protocolVersion: 5 });
      const published = ha.mqtt.publishAsync("powerbeacon/cluster/home/wake", "*", {
        qos: 1,
        properties: { responseTopic },
      });
      expect(await answerTo(published)).toBe(0x87);
      expect(test.refusals).toMatchObject([{ username: "ha", action: "publish", topic: "cluster/home/wake" }]);
    },
  );
});
