import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { connectPacket, startTestBroker, type TestBroker } from "./testing.ts";

let test: TestBroker;
beforeEach(async () => {
  test = await startTestBroker();
});
afterEach(() => test.close());

const signed = "eyJhbGciOiJFZERTQSJ9.e30.c2ln";

async function answerTo(published: Promise<unknown>): Promise<unknown> {
  try {
    await published;
    return "acknowledged";
  } catch (error) {
    return (error as { code: number }).code; // mqtt rejects with the reason code of the acknowledgement
  }
}

describe.each([4, 5] as const)("with MQTT version %i", (protocolVersion) => {
  it("a request reaches the hub with the name of who published it", async () => {
    const hub = await test.hub();
    await hub.mqtt.subscribeAsync("powerbeacon/#", { qos: 1 });
    const ha = await test.connect("ha", { protocolVersion });
    await ha.mqtt.publishAsync("powerbeacon/cluster/home/wake", "nas", { qos: 1 });
    await expect.poll(() => hub.messages).toHaveLength(1);
    expect(hub.messages[0]).toMatchObject({ payload: "nas", properties: { userProperties: { "pb-by": "ha" } } });
  });

  it.each([0, 1, 2] as const)("a message of QoS %i arrives once, with QoS 1 at most", async (qos) => {
    const hub = await test.hub();
    await hub.mqtt.subscribeAsync(["powerbeacon/#", "powerbeacon/device/+/set"], { qos: 2 });
    const ha = await test.connect("ha", { protocolVersion });
    await ha.mqtt.publishAsync("powerbeacon/device/nas/set", "ON", { qos });
    await ha.mqtt.publishAsync("powerbeacon/device/nas/set", "OFF", { qos });
    await expect.poll(() => hub.messages.map(({ payload }) => payload)).toEqual(["ON", "OFF"]);
    expect(hub.messages[0]?.qos).toBe(Math.min(qos, 1));
  });

  it("an agent gets the signed orders of its own cluster and nothing else", async () => {
    const hub = await test.hub();
    const pi = await test.connect("pi", { protocolVersion });
    await pi.mqtt.subscribeAsync("#", { qos: 1 });
    for (const topic of ["cluster/home/wake", "cluster/office/wake", "agent/attic/order", "agent/pi/order"])
      await hub.mqtt.publishAsync(`powerbeacon/${topic}`, signed, { qos: 1 });
    await hub.mqtt.publishAsync("powerbeacon/cluster/home/wake", "plain", { qos: 1 });
    await hub.mqtt.publishAsync("powerbeacon/hub/status", "online", { qos: 1 });
    await expect.poll(() => pi.on("powerbeacon/hub/status")).toEqual(["online"]);
    expect(pi.messages.map(({ topic }) => topic)).toEqual([
      "powerbeacon/cluster/home/wake",
      "powerbeacon/agent/pi/order",
      "powerbeacon/hub/status",
    ]);
  });

  it("an integration sees its own clusters, and a device that is moved at once", async () => {
    const hub = await test.hub();
    const reader = await test.connect("reader", { protocolVersion });
    await reader.mqtt.subscribeAsync("powerbeacon/#", { qos: 1 });
    await hub.mqtt.publishAsync("powerbeacon/device/printer/state", "hidden", { qos: 1 });
    test.devices.set("printer", "home");
    await hub.mqtt.publishAsync("powerbeacon/device/printer/state", "seen", { qos: 1 });
    await expect.poll(() => reader.messages.map(({ payload }) => payload)).toEqual(["seen"]);
  });

  it("rights that are taken away count for the next message", async () => {
    const hub = await test.hub();
    const reader = await test.connect("reader", { protocolVersion });
    await reader.mqtt.subscribeAsync("powerbeacon/#");
    await hub.mqtt.publishAsync("powerbeacon/device/nas/state", "ON", { qos: 1 });
    await expect.poll(() => reader.messages).toHaveLength(1);
    const principal = test.people["reader"];
    if (principal?.type === "integration") principal.permissions = new Set(["wake"]);
    await hub.mqtt.publishAsync("powerbeacon/device/nas/state", "OFF", { qos: 1 });
    if (principal?.type === "integration") principal.permissions = new Set(["read"]);
    await hub.mqtt.publishAsync("powerbeacon/device/nas/state", "ON", { qos: 1 });
    await expect.poll(() => reader.messages.map(({ payload }) => payload)).toEqual(["ON", "ON"]);
  });

  it("retained messages come with a subscription, as far as they may be read", async () => {
    const hub = await test.hub();
    await hub.mqtt.publishAsync("powerbeacon/device/nas/state", "ON", { qos: 1, retain: true });
    await hub.mqtt.publishAsync("powerbeacon/device/printer/state", "ON", { qos: 1, retain: true });
    const reader = await test.connect("reader", { protocolVersion });
    await reader.mqtt.subscribeAsync("powerbeacon/device/+/state", { qos: 0 });
    await expect.poll(() => reader.messages).toHaveLength(1);
    expect(reader.messages[0]).toMatchObject({ topic: "powerbeacon/device/nas/state", retain: true, qos: 0 });
    expect(test.broker.figures().retained).toBe(2);
  });

  it("a retained request is refused and reported, and neither kept nor forwarded", async () => {
    const hub = await test.hub();
    await hub.mqtt.subscribeAsync("powerbeacon/#", { qos: 1 });
    const ha = await test.connect("ha", { protocolVersion });
    const published = ha.mqtt.publishAsync("powerbeacon/cluster/home/wake", "", { qos: 1, retain: true });
    expect(await answerTo(published)).toBe(protocolVersion === 5 ? 0x87 : "acknowledged");
    await ha.mqtt.publishAsync("powerbeacon/cluster/home/wake", "", { qos: 1 });
    await expect.poll(() => hub.messages).toHaveLength(1);
    expect(test.refusals).toEqual([
      {
        username: "ha",
        action: "publish",
        topic: "cluster/home/wake",
        reason: expect.stringContaining("never retained"),
      },
    ]);
    expect(test.broker.figures()).toMatchObject({ retained: 0, refusals: 1 });
  });

  it.each([0, 1, 2] as const)("a refused message of QoS %i does not close the connection", async (qos) => {
    const ha = await test.connect("ha", { protocolVersion });
    const published = ha.mqtt.publishAsync("powerbeacon/device/nas/state", "ON", { qos });
    expect(await answerTo(published)).toBe(protocolVersion === 5 && qos > 0 ? 0x87 : "acknowledged");
    await ha.mqtt.publishAsync("powerbeacon/device/nas/set", "ON", { qos: 1 });
    expect(ha.mqtt.connected).toBe(true);
    expect(test.broker.figures().refusals).toBe(1);
  });

  it("a Will is published when the connection breaks, and not after a DISCONNECT", async () => {
    const hub = await test.hub();
    await hub.mqtt.subscribeAsync("powerbeacon/#", { qos: 1, rap: true });
    const will = {
      topic: "powerbeacon/agent/pi/status",
      payload: Buffer.from("offline"),
      qos: 1 as const,
      retain: true,
    };
    const polite = await test.connect("pi", { protocolVersion, will });
    await polite.mqtt.endAsync();
    await expect.poll(() => test.departures).toEqual(["pi"]);
    const broken = await test.connect("pi", { protocolVersion, will });
    broken.mqtt.stream.destroy();
    await expect.poll(() => hub.messages).toHaveLength(1);
    expect(hub.messages[0]).toMatchObject({ topic: will.topic, payload: "offline", retain: true });
    expect(test.broker.figures().retained).toBe(1);
  });

  it("a Will comes within one and a half keep-alives of the last sign of life", async () => {
    const hub = await test.hub();
    await hub.mqtt.subscribeAsync("powerbeacon/#", { qos: 1 });
    const raw = await test.raw();
    const will = { topic: "powerbeacon/agent/pi/status", payload: Buffer.from("offline"), qos: 1, retain: true };
    raw.connect(protocolVersion, { username: "pi", keepalive: 1, will });
    const start = Date.now();
    await expect.poll(() => hub.messages, { timeout: 5_000 }).toHaveLength(1);
    expect(Date.now() - start).toBeLessThan(2_000);
  });

  it("a Will that its client may not publish is refused, and the client let in without it", async () => {
    const hub = await test.hub();
    await hub.mqtt.subscribeAsync("powerbeacon/#");
    const will = {
      topic: "powerbeacon/agent/attic/status",
      payload: Buffer.from("offline"),
      qos: 1 as const,
      retain: true,
    };
    const pi = await test.connect("pi", { protocolVersion, will });
    pi.mqtt.stream.destroy();
    await expect.poll(() => test.departures).toEqual(["pi"]);
    expect(test.refusals).toMatchObject([{ username: "pi", action: "will", topic: "agent/attic/status" }]);
    await hub.mqtt.publishAsync("powerbeacon/event", "{}", { qos: 1 });
    await expect.poll(() => hub.messages.map(({ topic }) => topic)).toEqual(["powerbeacon/event"]);
  });

  it("two clients with the same identifier and different credentials do not disturb each other", async () => {
    const ha = await test.connect("ha", { protocolVersion, clientId: "same" });
    const reader = await test.connect("reader", { protocolVersion, clientId: "same" });
    await ha.mqtt.publishAsync("powerbeacon/device/nas/set", "ON", { qos: 1 });
    expect([ha.mqtt.connected, reader.mqtt.connected]).toEqual([true, true]);
  });

  it("a second connection of one credential with the same identifier takes over the first", async () => {
    const first = await test.connect("ha", { protocolVersion, clientId: "same" });
    const closed = new Promise<void>((resolve) => first.mqtt.once("close", resolve));
    const second = await test.connect("ha", { protocolVersion, clientId: "same" });
    await closed;
    expect(second.mqtt.connected).toBe(true);
    expect(test.arrivals.map(({ who }) => who)).toEqual(["ha", "ha"]);
    expect(test.departures).toEqual(["ha"]);
  });

  it("a lasting session gets what was published while its client was away, and is its owner's alone", async () => {
    const hub = await test.hub();
    const lasting = { protocolVersion, clientId: "tablet", clean: false, properties: { sessionExpiryInterval: 60 } };
    const options = protocolVersion === 5 ? lasting : { ...lasting, properties: {} };
    const first = await test.connect("reader", options);
    await first.mqtt.subscribeAsync("powerbeacon/device/+/state", { qos: 1 });
    await first.mqtt.endAsync();
    await expect.poll(() => test.departures).toEqual(["reader"]);
    await hub.mqtt.publishAsync("powerbeacon/device/nas/state", "ON", { qos: 1 });
    await hub.mqtt.publishAsync("powerbeacon/device/printer/state", "ON", { qos: 1 });
    await hub.mqtt.publishAsync("powerbeacon/device/nas/state", "OFF", { qos: 1 });
    const other = await test.connect("ha", options);
    await other.mqtt.publishAsync("powerbeacon/device/nas/set", "ON", { qos: 1 });
    expect(other.messages).toEqual([]);
    const again = await test.connect("reader", options);
    await expect.poll(() => again.messages.map(({ payload }) => payload)).toEqual(["ON", "OFF"]);
  });

  it.each([
    ["ha", "wrong", { 4: 4, 5: 0x86 }],
    ["nobody", "right", { 4: 4, 5: 0x86 }],
  ])("%s with the password %s is refused", async (username, password, codes) => {
    await expect(test.connect(username, { protocolVersion, password })).rejects.toMatchObject({
      code: codes[protocolVersion],
    });
  });

  it("a client whose credential is revoked is disconnected at once, and its Will published", async () => {
    const hub = await test.hub();
    await hub.mqtt.subscribeAsync("powerbeacon/#", { qos: 1 });
    const raw = await test.raw();
    const will = { topic: "powerbeacon/agent/pi/status", payload: Buffer.from("offline"), qos: 1, retain: true };
    raw.connect(protocolVersion, { username: "pi", will });
    await expect.poll(() => raw.commands).toEqual(["connack"]);
    test.broker.disconnect("agent-pi");
    raw.send({
      cmd: "publish",
      topic: "powerbeacon/agent/pi/receipt",
      payload: "late",
      qos: 0,
      retain: false,
      dup: false,
    });
    await expect.poll(() => raw.isClosed).toBe(true);
    expect(raw.packets.slice(1)).toMatchObject(protocolVersion === 5 ? [{ cmd: "disconnect", reasonCode: 0x98 }] : []);
    await expect.poll(() => hub.messages.map(({ payload }) => payload)).toEqual(["offline"]);
  });

  it("packets sent together with CONNECT are handled once the client is let in", async () => {
    const hub = await test.hub();
    await hub.mqtt.subscribeAsync("powerbeacon/#", { qos: 1 });
    const raw = await test.raw();
    raw.connect(protocolVersion);
    raw.send({
      cmd: "publish",
      topic: "powerbeacon/device/nas/set",
      payload: "ON",
      qos: 1,
      messageId: 7,
      retain: false,
      dup: false,
    });
    await expect.poll(() => raw.commands).toEqual(["connack", "puback"]);
    await expect.poll(() => hub.messages.map(({ payload }) => payload)).toEqual(["ON"]);
  });
});

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
          sharedSubscriptionAvailable: false,
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

  it("carries the response topic, correlation data, expiry and user properties to the hub, but no claimed name", async () => {
    const hub = await test.hub();
    await hub.mqtt.subscribeAsync("powerbeacon/#", { qos: 1 });
    const ha = await test.connect("ha", { protocolVersion: 5 });
    const properties = {
      responseTopic: "powerbeacon/client/ha/response/1",
      correlationData: Buffer.from("42"),
      messageExpiryInterval: 10,
      userProperties: { room: "attic", "pb-by": "hub" },
    };
    await ha.mqtt.publishAsync("powerbeacon/cluster/home/wake", "*", { qos: 1, properties });
    await expect
      .poll(() => hub.messages[0]?.properties)
      .toEqual({
        ...properties,
        userProperties: { room: "attic", "pb-by": "ha" },
      });
  });

  it("shows who published to nobody but the hub", async () => {
    const ha = await test.connect("ha", { protocolVersion: 5 });
    await ha.mqtt.subscribeAsync("powerbeacon/agent/+/status");
    const pi = await test.connect("pi", { protocolVersion: 5 });
    const properties = { userProperties: { "pb-by": "hub" } };
    await pi.mqtt.publishAsync("powerbeacon/agent/pi/status", "online", { qos: 1, retain: true, properties });
    await expect.poll(() => ha.messages).toHaveLength(1);
    expect(ha.messages[0]?.properties?.userProperties ?? {}).toEqual({});
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
      .toMatchObject({ cmd: "suback", granted: [1, 1, 0x8f, 0x8f, 0x9e, 0x87, 0x87] });
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

describe("authentication", () => {
  it.each([
    [4, 3],
    [5, 0x88],
  ] as const)("that nobody can decide now is answered in version %i with code %i", async (protocolVersion, code) => {
    const unavailable = await startTestBroker({ authenticate: () => Promise.reject(new Error("no database")) });
    await expect(unavailable.connect("ha", { protocolVersion })).rejects.toMatchObject({ code });
    await unavailable.close();
  });

  it("is given what the client showed", async () => {
    await test.connect("pi", { clientId: "pi-1", protocolVersion: 5 });
    expect(test.asked).toEqual([
      { clientId: "pi-1", username: "pi", password: Buffer.from("right"), address: "127.0.0.1", protocolVersion: 5 },
    ]);
    expect(test.arrivals).toEqual([
      { who: "pi", connection: { clientId: "pi-1", address: "127.0.0.1", protocolVersion: 5 } },
    ]);
  });

  it("keeps out who shows nothing", async () => {
    const raw = await test.raw();
    raw.send(connectPacket(4, { username: undefined, password: undefined }));
    await expect.poll(() => raw.packets[0]).toMatchObject({ cmd: "connack", returnCode: 4 });
    await expect.poll(() => raw.isClosed).toBe(true);
  });
});

describe("a lasting session", () => {
  it("sends again what was not acknowledged, with its identifier and marked as repeated", async () => {
    const hub = await test.hub();
    const raw = await test.raw();
    raw.connect(4, { clean: false });
    raw.send({ cmd: "subscribe", messageId: 1, subscriptions: [{ topic: "powerbeacon/event", qos: 1 }] });
    await expect.poll(() => raw.commands).toEqual(["connack", "suback"]);
    await hub.mqtt.publishAsync("powerbeacon/event", "acknowledged", { qos: 1 });
    await hub.mqtt.publishAsync("powerbeacon/event", "not", { qos: 1 });
    await expect.poll(() => raw.packets).toHaveLength(4);
    raw.send({ cmd: "puback", messageId: raw.packets[2]?.messageId ?? 0 });
    raw.send({ cmd: "pingreq" });
    await expect.poll(() => raw.commands).toContain("pingresp");
    raw.socket.destroy();
    await expect.poll(() => test.departures).toEqual(["ha"]);
    await hub.mqtt.publishAsync("powerbeacon/event", "new", { qos: 1 });
    const again = await test.raw();
    again.connect(4, { clean: false });
    const messageId = raw.packets[3]?.messageId;
    await expect
      .poll(() => again.packets.slice(1))
      .toMatchObject([
        { cmd: "publish", payload: Buffer.from("not"), dup: true, messageId },
        { cmd: "publish", payload: Buffer.from("new"), dup: false },
      ]);
  });

  it("of version 5 can be resumed for a last time", async () => {
    const hub = await test.hub();
    const lasting = { protocolVersion: 5, clientId: "t", clean: false } as const;
    const first = await test.connect("ha", { ...lasting, properties: { sessionExpiryInterval: 60 } });
    await first.mqtt.subscribeAsync("powerbeacon/event", { qos: 1 });
    await first.mqtt.endAsync();
    await expect.poll(() => test.departures).toHaveLength(1);
    await hub.mqtt.publishAsync("powerbeacon/event", "missed", { qos: 1 });
    const last = await test.connect("ha", lasting);
    await expect.poll(() => last.messages.map(({ payload }) => payload)).toEqual(["missed"]);
    await last.mqtt.endAsync();
    await expect.poll(() => test.departures).toHaveLength(2);
    const raw = await test.raw();
    raw.connect(5, { clientId: "t", clean: false });
    await expect.poll(() => raw.packets[0]).toMatchObject({ cmd: "connack", sessionPresent: false });
  });

  it("is gone when its credential is revoked", async () => {
    const fields = { clean: false };
    const raw = await test.raw();
    raw.connect(4, fields);
    raw.send({ cmd: "subscribe", messageId: 1, subscriptions: [{ topic: "powerbeacon/event", qos: 1 }] });
    await expect.poll(() => raw.commands).toEqual(["connack", "suback"]);
    test.broker.disconnect("integration-ha");
    await expect.poll(() => raw.isClosed).toBe(true);
    const again = await test.raw();
    again.connect(4, fields);
    await expect.poll(() => again.packets[0]).toMatchObject({ cmd: "connack", sessionPresent: false });
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

it("a client of MQTT 3.1 is served", async () => {
  const hub = await test.hub();
  const old = await test.connect("ha", { protocolVersion: 3, protocolId: "MQIsdp" });
  await old.mqtt.subscribeAsync("powerbeacon/event", { qos: 1 });
  await hub.mqtt.publishAsync("powerbeacon/event", "{}", { qos: 1 });
  await expect.poll(() => old.on("powerbeacon/event")).toEqual(["{}"]);
});

it("clients wait while the hub is behind, and lose nothing", async () => {
  const small = await startTestBroker({ limits: { hubBacklogBytes: 100_000 } });
  const hub = await small.hub();
  await hub.mqtt.subscribeAsync("powerbeacon/#", { qos: 1 });
  // the hub stops reading, as it does while it is busy
  hub.mqtt.stream.cork();
  const ha = await small.connect("ha");
  const payload = "x".repeat(50_000);
  await Promise.all(
    Array.from({ length: 100 }, async () => ha.mqtt.publishAsync("powerbeacon/device/nas/set", payload, { qos: 1 })),
  );
  hub.mqtt.stream.uncork();
  await expect.poll(() => hub.messages).toHaveLength(100);
  expect(small.broker.figures()).toMatchObject({ droppedClients: 0, droppedMessages: 0 });
  await small.close();
});
