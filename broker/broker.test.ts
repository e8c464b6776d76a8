import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { connectPacket } from "./raw-client.ts";
import { HOME, startTestBroker, type TestBroker } from "./testing.ts";

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
    test.places.devices.set("printer", HOME);
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
    expect(Date.now() - start).toBeLessThan(5_000);
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
      { who: "pi", connection: { clientId: "pi-1", address: "127.0.0.1", protocolVersion: 5, takenFrom: null } },
    ]);
  });

  it("keeps out who shows nothing", async () => {
    const raw = await test.raw();
    raw.send(connectPacket(4, { username: undefined, password: undefined }));
    await expect.poll(() => raw.packets[0]).toMatchObject({ cmd: "connack", returnCode: 4 });
    await expect.poll(() => raw.isClosed).toBe(true);
  });
});

it("a client of MQTT 3.1 is served", async () => {
  const hub = await test.hub();
  const old = await test.connect("ha", { protocolVersion: 3, protocolId: "MQIsdp" });
  await old.mqtt.subscribeAsync("powerbeacon/event", { qos: 1 });
  await hub.mqtt.publishAsync("powerbeacon/event", "{}", { qos: 1 });
  await expect.poll(() => old.on("powerbeacon/event")).toEqual(["{}"]);
});
