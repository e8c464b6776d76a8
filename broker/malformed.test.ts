import net from "node:net";
import { once } from "node:events";
import { afterEach, describe, expect, it } from "vitest";
import { generate } from "mqtt-packet";
import { connectPacket, id, packet, publish, subscription, text } from "./raw-client.ts";
import { startTestBroker, type TestBroker } from "./testing.ts";

let test: TestBroker;
afterEach(() => test.close());

async function start(): Promise<void> {
  test = await startTestBroker();
}

describe.each([4, 5] as const)("a client of version %i", (version) => {
  it("is let go for text that is no UTF-8, or holds U+0000", async () => {
    await start();
    const bad = [
      packet(0x30, text("powerbeacon/\0"), ...(version === 5 ? [Buffer.from([0])] : []), Buffer.from("x")),
      packet(0x30, text(Buffer.from([0xc3, 0x28])), ...(version === 5 ? [Buffer.from([0])] : []), Buffer.from("x")),
      // a surrogate
      packet(
        0x30,
        text(Buffer.from([0xed, 0xa0, 0x80])),
        ...(version === 5 ? [Buffer.from([0])] : []),
        Buffer.from("x"),
      ),
      packet(0x82, id(1), ...(version === 5 ? [Buffer.from([0])] : []), text("a\0b"), Buffer.from([0])),
    ];
    for (const bytes of bad) {
      const raw = await test.letIn(version);
      raw.send(bytes);
      await expect.poll(() => raw.isClosed).toBe(true);
      expect(raw.packets.slice(1)).toMatchObject(version === 5 ? [{ cmd: "disconnect", reasonCode: 0x81 }] : []);
    }
    const named = await test.raw();
    named.connect(version, { clientId: "a\0b" });
    await expect.poll(() => named.isClosed).toBe(true);
    expect(await test.isServing()).toBe(true);
  });

  it("may write U+FFFD and other odd letters", async () => {
    await start();
    const raw = await test.letIn(version, { clientId: "\uFFFD 𝄞 é" });
    expect(raw.packets[0]).toMatchObject({ cmd: "connack" });
  });

  it.each([
    ["a Will with QoS 3", (bytes: Buffer) => bytes.map((byte, at) => (at === 9 ? byte | 0x1c : byte)), {}],
    ["a reserved flag", (bytes: Buffer) => bytes.map((byte, at) => (at === 9 ? byte | 0x01 : byte)), {}],
    [
      "a Will on a filter",
      (bytes: Buffer) => bytes,
      { will: { topic: "a/#", payload: Buffer.from("x"), qos: 0, retain: false } },
    ],
  ])("is not let in with %s", async (_what, change, fields) => {
    await start();
    const raw = await test.raw();
    const will = { topic: "powerbeacon/x", payload: Buffer.from("x"), qos: 0, retain: false };
    raw.send(Buffer.from(change(generate(connectPacket(version, { will, ...fields })))));
    await expect.poll(() => raw.isClosed).toBe(true);
    expect(test.asked).toEqual([]);
    expect(await test.isServing()).toBe(true);
  });

  it.each([
    ["PUBLISH", publish("powerbeacon/device/nas/set", 0, 1)],
    ["SUBSCRIBE", packet(0x82, id(0), text("a"), Buffer.from([0]))],
    ["UNSUBSCRIBE", packet(0xa2, id(0), text("a"))],
  ])("is let go for packet identifier 0 in %s", async (_what, bytes) => {
    await start();
    const raw = await test.letIn(4);
    raw.send(bytes);
    await expect.poll(() => raw.isClosed).toBe(true);
    expect(await test.isServing()).toBe(true);
  });

  it.each(["a#", "a/+b", "#/a", "a/#/b", "+a", "", `${"a/".repeat(150)}#`])(
    "is refused the filter %j",
    async (filter) => {
      await start();
      const raw = await test.letIn(version);
      raw.send({
        cmd: "subscribe",
        messageId: 1,
        subscriptions: [subscription(filter), subscription("powerbeacon/#")],
      });
      await expect
        .poll(() => raw.packets[1])
        .toMatchObject({ cmd: "suback", granted: [version === 5 ? 0x8f : 0x80, 0] });
      expect(await test.isServing()).toBe(true);
    },
  );

  it.each(["a/#", "+/a", "", "/".repeat(150)])("is refused the topic %j", async (topic) => {
    await start();
    const raw = await test.letIn(version);
    const properties = version === 5 ? [Buffer.from([0])] : [];
    raw.send(packet(0x32, text(topic), id(9), ...properties, Buffer.from("x")));
    const reason = () => (raw.packets[1] && "reasonCode" in raw.packets[1] ? raw.packets[1].reasonCode : null);
    await expect.poll(() => (version === 4 ? raw.isClosed : reason())).toBe(version === 4 ? true : 0x90);
    expect(await test.isServing()).toBe(true);
  });

  it("is let go for a packet that no client sends, or a second CONNECT", async () => {
    await start();
    for (const bytes of [
      packet(0x20, Buffer.from([0, 0, 0])),
      packet(0xd0),
      packet(0xf0, Buffer.from([0, 0])),
      packet(0x00),
    ]) {
      const raw = await test.letIn(version);
      raw.send(bytes);
      await expect.poll(() => raw.isClosed).toBe(true);
    }
    const twice = await test.letIn(version);
    twice.send(connectPacket(version));
    await expect.poll(() => twice.isClosed).toBe(true);
    expect(await test.isServing()).toBe(true);
  });

  it("may say anything at all without harm to others", async () => {
    await start();
    const valid = [
      generate(connectPacket(version), { protocolVersion: version }),
      publish("powerbeacon/device/nas/set", 1, 2),
      generate(
        { cmd: "subscribe", messageId: 2, subscriptions: [subscription("powerbeacon/#", 1)] },
        { protocolVersion: version },
      ),
    ];
    // every byte of a valid dialogue flipped in turn, so that the same bytes are tried every time
    const dialogue = Buffer.concat(valid);
    for (let at = 0; at < dialogue.length; at++) {
      const broken = Buffer.from(dialogue);
      broken[at] = (broken[at] ?? 0) ^ (at % 2 === 0 ? 0xff : 0x11);
      const socket = net.connect(test.port, "127.0.0.1");
      socket.on("error", () => {});
      socket.end(broken);
      socket.resume();
      await once(socket, "close");
    }
    expect(await test.isServing()).toBe(true);
  });
});

describe("a client of version 3.1.1", () => {
  it("is not let in with a lasting session and no identifier", async () => {
    await start();
    const raw = await test.raw();
    // the generator refuses to write this one
    raw.send(packet(0x10, text("MQTT"), Buffer.from([4, 0xc0, 0, 0]), text(""), text("ha"), text("right")));
    await expect.poll(() => raw.packets[0]).toMatchObject({ cmd: "connack", returnCode: 2 });
    await expect.poll(() => raw.isClosed).toBe(true);
  });

  it("is not let in with a password and no user name", async () => {
    await start();
    const raw = await test.raw();
    raw.send(packet(0x10, text("MQTT"), Buffer.from([4, 0x42, 0, 0]), text("x"), text("right")));
    await expect.poll(() => raw.isClosed).toBe(true);
    expect(test.asked).toEqual([]);
  });

  it("does not get QoS 1 on a filter that it asked with QoS 0", async () => {
    await start();
    const hub = await test.hub();
    const ha = await test.connect("ha");
    await ha.mqtt.subscribeAsync("powerbeacon/+", { qos: 0 });
    await hub.mqtt.publishAsync("powerbeacon/event", "{}", { qos: 2 });
    await expect.poll(() => ha.messages[0]?.qos).toBe(0);
  });
});

describe("a client of version 5", () => {
  it.each([
    ["a property twice", Buffer.from([8, 0x03, 0, 1, 0x61, 0x03, 0, 1, 0x62])],
    ["a property of another packet", Buffer.from([2, 0x0b, 1])],
    ["a property that is cut off", Buffer.from([2, 0x03, 0])],
    ["an unknown property", Buffer.from([2, 0x7f, 0])],
    ["a topic alias", Buffer.from([3, 0x23, 0, 1])],
  ])("is let go for a PUBLISH with %s, and readers are not", async (_what, properties) => {
    await start();
    const reader = await test.connect("ha", { protocolVersion: 5 });
    await reader.mqtt.subscribeAsync("powerbeacon/#");
    const raw = await test.letIn(5, { username: "pi" });
    raw.send(packet(0x30, text("powerbeacon/agent/pi/status"), properties, Buffer.from("x")));
    await expect.poll(() => raw.isClosed).toBe(true);
    expect(reader.mqtt.connected).toBe(true);
    expect(reader.messages).toEqual([]);
  });
});
