import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startTestBroker, type TestBroker } from "./testing.ts";

let test: TestBroker;
beforeEach(async () => {
  test = await startTestBroker();
});
afterEach(() => test.close());

describe.each([4, 5] as const)("with MQTT version %i", (protocolVersion) => {
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
    expect(test.arrivals.map(({ connection }) => connection.takenFrom)).toEqual([null, "127.0.0.1"]);
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
