import { once } from "node:events";
import net from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { generate } from "mqtt-packet";
import type { BrokerLimits } from "./limits.ts";
import { connectPacket, type RawClient, startTestBroker, type TestBroker } from "./testing.ts";

let test: TestBroker;
afterEach(() => test.close());

async function start(limits: Partial<BrokerLimits> = {}): Promise<void> {
  test = await startTestBroker({ limits });
}

/** What every test here ends with: the broker still serves others. */
async function expectItServes(): Promise<void> {
  const hub = await test.hub();
  await hub.mqtt.subscribeAsync("powerbeacon/#", { qos: 1 });
  const ha = await test.connect("ha");
  await ha.mqtt.publishAsync("powerbeacon/device/nas/set", "still here", { qos: 1 });
  await expect.poll(() => hub.messages.at(-1)?.payload).toBe("still here");
}

async function isServing(): Promise<boolean> {
  await expectItServes();
  return true;
}

async function letIn(version: 4 | 5, fields: object = {}): Promise<RawClient> {
  const raw = await test.raw();
  raw.connect(version, fields);
  await expect.poll(() => raw.commands).toEqual(["connack"]);
  return raw;
}

const text = (value: string | Buffer) => {
  const bytes = Buffer.from(value);
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 0xff]), bytes]);
};
const packet = (header: number, ...parts: Buffer[]) => {
  const rest = Buffer.concat(parts);
  const length: number[] = [];
  let left = rest.length;
  do {
    length.push((left & 0x7f) | (left > 0x7f ? 0x80 : 0));
    left >>= 7;
  } while (left > 0);
  return Buffer.concat([Buffer.from([header, ...length]), rest]);
};
const id = (number: number) => Buffer.from([number >> 8, number & 0xff]);
const publish = (topic: string, messageId: number, qos: 0 | 1 | 2) =>
  generate({ cmd: "publish", topic, payload: "x", qos, messageId, retain: false, dup: false });
const subscription = (topic: string, qos: 0 | 1 | 2 = 0) => ({ topic, qos, nl: false, rap: false, rh: 0 });
const namesOfEveryObject = ["constructor", "__proto__", "toString", "hasOwnProperty", "valueOf"];

const filters = (prefix: string) =>
  Array.from({ length: 1_500 }, (_, at) => subscription(`powerbeacon/+/${prefix}${at}/#`, 1));

describe.each([4, 5] as const)("a client of version %i", (version) => {
  it.each(namesOfEveryObject)("may be called %s, and subscribe to it", async (name) => {
    await start();
    const raw = await letIn(version, { clientId: name, username: "ha" });
    raw.send({
      cmd: "subscribe",
      messageId: 1,
      subscriptions: [subscription(`powerbeacon/${name}/#`), subscription(`${name}/+`)],
    });
    raw.send({ cmd: "subscribe", messageId: 2, subscriptions: [subscription(name), subscription(name)] });
    raw.send({ cmd: "unsubscribe", messageId: 3, unsubscriptions: [name] });
    await expect.poll(() => raw.commands).toEqual(["connack", "suback", "suback", "unsuback"]);
    await expectItServes();
  });

  it.each(namesOfEveryObject)("is kept out with the user name %s", async (name) => {
    await start();
    const raw = await test.raw();
    raw.connect(version, { username: name, clientId: name });
    await expect.poll(() => raw.isClosed).toBe(true);
    await expectItServes();
  });

  it("may subscribe to __proto__ with a lasting session", async () => {
    await start();
    const fields = {
      clean: false,
      clientId: "__proto__",
      ...(version === 5 ? { properties: { sessionExpiryInterval: 60 } } : {}),
    };
    const raw = await letIn(version, fields);
    raw.send({
      cmd: "subscribe",
      messageId: 1,
      subscriptions: [subscription("+/__proto__", 1), subscription("constructor/#", 1)],
    });
    await expect.poll(() => raw.commands).toContain("suback");
    raw.socket.destroy();
    await expect.poll(() => test.departures).toEqual(["ha"]);
    const again = await test.raw();
    again.connect(version, fields);
    await expect.poll(() => again.packets[0]).toMatchObject({ cmd: "connack", sessionPresent: true });
    await expectItServes();
  });

  it("may send a second PUBREL for one packet", async () => {
    await start();
    const raw = await letIn(version);
    raw.send({
      cmd: "publish",
      topic: "powerbeacon/device/nas/set",
      payload: "x",
      qos: 2,
      messageId: 5,
      retain: false,
      dup: false,
    });
    raw.send({ cmd: "pubrel", messageId: 5 });
    raw.send({ cmd: "pubrel", messageId: 5 });
    raw.send({ cmd: "pubrel", messageId: 6 });
    await expect.poll(() => raw.commands).toEqual(["connack", "pubrec", "pubcomp", "pubcomp", "pubcomp"]);
    await expectItServes();
  });

  it("has a message of QoS 2 published once, however often it sends it", async () => {
    await start();
    const hub = await test.hub();
    await hub.mqtt.subscribeAsync("powerbeacon/device/+/set", { qos: 1 });
    const raw = await letIn(version);
    const message = {
      cmd: "publish",
      topic: "powerbeacon/device/nas/set",
      payload: "x",
      qos: 2,
      messageId: 5,
      retain: false,
    } as const;
    raw.send({ ...message, dup: false });
    raw.send({ ...message, dup: true });
    raw.send({ cmd: "pubrel", messageId: 5 });
    raw.send({ ...message, dup: false });
    await expect.poll(() => raw.commands).toEqual(["connack", "pubrec", "pubrec", "pubcomp", "pubrec"]);
    expect(hub.messages).toHaveLength(2);
  });

  it("has few messages of QoS 2 whose PUBREL is awaited", async () => {
    await start({ awaitingPubrel: 4 });
    const raw = await letIn(version);
    for (let at = 1; at <= 6; at++)
      raw.send({
        cmd: "publish",
        topic: "powerbeacon/device/nas/set",
        payload: "x",
        qos: 2,
        messageId: at,
        retain: false,
        dup: false,
      });
    // 3.1.1 has no way to refuse one message
    const answers = () => raw.packets.slice(1).map((one) => ("reasonCode" in one ? one.reasonCode : -1));
    await expect
      .poll(() => (version === 4 ? raw.isClosed : answers()))
      .toEqual(version === 4 ? true : [0, 0, 0, 0, 0x97, 0x97]);
    await expectItServes();
  });

  it("is refused a packet that is too large at its header", async () => {
    await start();
    const raw = await letIn(version);
    // a PUBLISH that announces 256 MB
    raw.send(Buffer.from([0x30, 0xff, 0xff, 0xff, 0x7f]));
    await expect.poll(() => raw.isClosed).toBe(true);
    expect(raw.packets.slice(1)).toMatchObject(version === 5 ? [{ cmd: "disconnect", reasonCode: 0x95 }] : []);
    expect(test.problems).toEqual([expect.stringContaining("too large")]);
    await expectItServes();
  });

  it("is refused a large CONNECT at its header", async () => {
    await start();
    const raw = await test.raw();
    raw.send(Buffer.from([0x10, 0xff, 0xff, 0xff, 0x7f]));
    await expect.poll(() => raw.isClosed).toBe(true);
    const modest = await test.raw();
    modest.connect(version, { clientId: "x".repeat(5_000) });
    await expect.poll(() => modest.isClosed).toBe(true);
    expect(test.asked).toEqual([]);
    await expectItServes();
  });

  it("may publish the largest packet", async () => {
    await start();
    const ha = await test.connect("ha", { protocolVersion: version });
    await ha.mqtt.publishAsync("powerbeacon/device/nas/set", "x".repeat(256 * 1024 - 100), { qos: 1 });
    expect(ha.mqtt.connected).toBe(true);
  });

  it("subscribes to thousands of filters with a lasting session in no time, and not to more than it may have", async () => {
    await start();
    const raw = await letIn(version, {
      clean: false,
      ...(version === 5 ? { properties: { sessionExpiryInterval: 60 } } : {}),
    });
    const begin = performance.now();
    raw.send({ cmd: "subscribe", messageId: 1, subscriptions: filters("a") });
    raw.send({ cmd: "subscribe", messageId: 2, subscriptions: filters("b") });
    raw.send({ cmd: "subscribe", messageId: 3, subscriptions: filters("c") });
    await expect.poll(() => raw.packets).toHaveLength(4);
    expect(performance.now() - begin).toBeLessThan(1_000);
    const granted = raw.packets.slice(1).map((one) => ("granted" in one ? (one.granted as number[]) : []));
    expect(granted.map((codes) => codes.filter((code) => code === 1).length)).toEqual([1_000, 1_000, 0]);
    expect(granted[0]?.at(-1)).toBe(version === 5 ? 0x97 : 0x80);
  });

  it("that does not read is dropped, and publishers never wait for it", async () => {
    await start({ outputBytesIntegration: 256 * 1024 });
    const hub = await test.hub();
    const frozen = await letIn(version);
    frozen.send({ cmd: "subscribe", messageId: 1, subscriptions: [subscription("powerbeacon/#", 0)] });
    await expect.poll(() => frozen.commands).toContain("suback");
    frozen.socket.pause();
    const reader = await test.connect("reader");
    await reader.mqtt.subscribeAsync("powerbeacon/#");
    const payload = "x".repeat(64 * 1024);
    for (let at = 0; at < 200 && test.broker.figures().droppedClients === 0; at++)
      await hub.mqtt.publishAsync("powerbeacon/device/nas/info", payload, { qos: 1 });
    expect(test.broker.figures().droppedClients).toBe(1);
    await expect.poll(() => test.departures).toEqual(["ha"]);
    await hub.mqtt.publishAsync("powerbeacon/device/nas/state", "ON", { qos: 1 });
    await expect.poll(() => reader.on("powerbeacon/device/nas/state")).toEqual(["ON"]);
  });

  it("that is slow gets all retained messages, however many", async () => {
    await start({ outputBytesIntegration: 512 * 1024 });
    const hub = await test.hub();
    const payload = "x".repeat(10_000);
    await Promise.all(
      Array.from({ length: 200 }, async (_, at) =>
        hub.mqtt.publishAsync(`powerbeacon/device/d${at}/info`, payload, { qos: 1, retain: true }),
      ),
    );
    const raw = await letIn(version);
    raw.socket.pause();
    raw.send({ cmd: "subscribe", messageId: 1, subscriptions: [subscription("powerbeacon/#", 1)] });
    raw.socket.resume();
    await expect.poll(() => raw.commands.filter((cmd) => cmd === "publish").length).toBe(200);
    expect(test.broker.figures().droppedClients).toBe(0);
  });

  it("that is away is kept the newest messages, within bounds", async () => {
    await start({ queuedMessages: 3 });
    const hub = await test.hub();
    const options = {
      protocolVersion: version,
      clientId: "t",
      clean: false,
      ...(version === 5 ? { properties: { sessionExpiryInterval: 60 } } : {}),
    };
    const first = await test.connect("ha", options);
    await first.mqtt.subscribeAsync("powerbeacon/event", { qos: 1 });
    await first.mqtt.endAsync();
    await expect.poll(() => test.departures).toEqual(["ha"]);
    for (let at = 0; at < 5; at++) await hub.mqtt.publishAsync("powerbeacon/event", `${at}`, { qos: 1 });
    expect(test.broker.figures().droppedMessages).toBe(2);
    const again = await test.connect("ha", options);
    await expect.poll(() => again.messages.map(({ payload }) => payload)).toEqual(["2", "3", "4"]);
  });

  it("loses its session after a while", async () => {
    await start({ sessionSeconds: 1 });
    const fields = { clean: false, ...(version === 5 ? { properties: { sessionExpiryInterval: 500 } } : {}) };
    const raw = await letIn(version, fields);
    raw.send({ cmd: "subscribe", messageId: 1, subscriptions: [subscription("powerbeacon/event", 1)] });
    await expect.poll(() => raw.commands).toContain("suback");
    raw.socket.destroy();
    await expect.poll(() => test.departures).toEqual(["ha"]);
    const leftAt = Date.now();
    await expect.poll(() => Date.now() - leftAt, { timeout: 3_000 }).toBeGreaterThan(1_100);
    const again = await test.raw();
    again.connect(version, fields);
    await expect.poll(() => again.packets[0]).toMatchObject({ cmd: "connack", sessionPresent: false });
  });

  it("that leaves a packet half sent is dropped, keep-alive or not", async () => {
    await start({ packetTimeoutMs: 100 });
    const raw = await letIn(version, { keepalive: 0 });
    raw.send(publish("powerbeacon/device/nas/set", 1, 1).subarray(0, 10));
    await expect.poll(() => raw.isClosed).toBe(true);
    expect(test.problems).toEqual([expect.stringContaining("not completed")]);
  });

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
      const raw = await letIn(version);
      raw.send(bytes);
      await expect.poll(() => raw.isClosed).toBe(true);
      expect(raw.packets.slice(1)).toMatchObject(version === 5 ? [{ cmd: "disconnect", reasonCode: 0x81 }] : []);
    }
    const named = await test.raw();
    named.connect(version, { clientId: "a\0b" });
    await expect.poll(() => named.isClosed).toBe(true);
    await expectItServes();
  });

  it("may write U+FFFD and other odd letters", async () => {
    await start();
    const raw = await letIn(version, { clientId: "\uFFFD 𝄞 é" });
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
    await expectItServes();
  });

  it.each([
    ["PUBLISH", publish("powerbeacon/device/nas/set", 0, 1)],
    ["SUBSCRIBE", packet(0x82, id(0), text("a"), Buffer.from([0]))],
    ["UNSUBSCRIBE", packet(0xa2, id(0), text("a"))],
  ])("is let go for packet identifier 0 in %s", async (_what, bytes) => {
    await start();
    const raw = await letIn(4);
    raw.send(bytes);
    await expect.poll(() => raw.isClosed).toBe(true);
    await expectItServes();
  });

  it.each(["a#", "a/+b", "#/a", "a/#/b", "+a", "", `${"a/".repeat(150)}#`])(
    "is refused the filter %j",
    async (filter) => {
      await start();
      const raw = await letIn(version);
      raw.send({
        cmd: "subscribe",
        messageId: 1,
        subscriptions: [subscription(filter), subscription("powerbeacon/#")],
      });
      await expect
        .poll(() => raw.packets[1])
        .toMatchObject({ cmd: "suback", granted: [version === 5 ? 0x8f : 0x80, 0] });
      await expectItServes();
    },
  );

  it.each(["a/#", "+/a", "", "/".repeat(150)])("is refused the topic %j", async (topic) => {
    await start();
    const raw = await letIn(version);
    const properties = version === 5 ? [Buffer.from([0])] : [];
    raw.send(packet(0x32, text(topic), id(9), ...properties, Buffer.from("x")));
    const reason = () => (raw.packets[1] && "reasonCode" in raw.packets[1] ? raw.packets[1].reasonCode : null);
    await expect.poll(() => (version === 4 ? raw.isClosed : reason())).toBe(version === 4 ? true : 0x90);
    await expectItServes();
  });

  it("is let go for a packet that no client sends, or a second CONNECT", async () => {
    await start();
    for (const bytes of [
      packet(0x20, Buffer.from([0, 0, 0])),
      packet(0xd0),
      packet(0xf0, Buffer.from([0, 0])),
      packet(0x00),
    ]) {
      const raw = await letIn(version);
      raw.send(bytes);
      await expect.poll(() => raw.isClosed).toBe(true);
    }
    const twice = await letIn(version);
    twice.send(connectPacket(version));
    await expect.poll(() => twice.isClosed).toBe(true);
    await expectItServes();
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
    expect(await isServing()).toBe(true);
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
    const raw = await letIn(5, { username: "pi" });
    raw.send(packet(0x30, text("powerbeacon/agent/pi/status"), properties, Buffer.from("x")));
    await expect.poll(() => raw.isClosed).toBe(true);
    expect(reader.mqtt.connected).toBe(true);
    expect(reader.messages).toEqual([]);
  });
});

describe("connections that are not let in", () => {
  it("are closed when no CONNECT comes in time", async () => {
    await start({ connectTimeoutMs: 100 });
    const silent = await test.raw();
    const slow = await test.raw();
    slow.send(generate(connectPacket(4)).subarray(0, 8));
    await expect.poll(() => [silent.isClosed, slow.isClosed]).toEqual([true, true]);
  });

  it("are few for each address, and those that are let in do not count", async () => {
    await start({ unauthenticatedPerAddress: 3 });
    const raws = await Promise.all(Array.from({ length: 3 }, async () => test.raw()));
    const oneTooMany = await test.raw();
    await expect.poll(() => oneTooMany.isClosed).toBe(true);
    for (const raw of raws) raw.connect(4, { clientId: `raw-${raws.indexOf(raw)}` });
    await expect.poll(() => raws.map((raw) => raw.commands[0])).toEqual(["connack", "connack", "connack"]);
    const next = await test.raw();
    next.connect(4, { clientId: "next" });
    await expect.poll(() => next.commands).toEqual(["connack"]);
  });

  it("get their places back when they are closed", async () => {
    await start({ unauthenticatedPerAddress: 1 });
    const first = await test.raw();
    first.socket.destroy();
    await expect
      .poll(async () => {
        const next = await test.raw();
        next.connect(4);
        await Promise.race([once(next.socket, "data"), once(next.socket, "close")]);
        return next.commands;
      })
      .toEqual(["connack"]);
  });

  it("may not send many packets ahead of CONNACK", async () => {
    test = await startTestBroker({ authenticate: () => new Promise(() => {}) });
    const raw = await test.raw();
    raw.connect(4);
    for (let at = 0; at < 100; at++) raw.send(publish("powerbeacon/device/nas/set", 1, 0));
    await expect.poll(() => raw.isClosed || raw.socket.writableLength === 0).toBe(true);
    expect(raw.packets).toEqual([]);
    raw.socket.destroy();
  });
});

describe("retained messages", () => {
  it("are bounded, and a full store still forwards and replaces", async () => {
    await start({ retainedMessages: 2 });
    const hub = await test.hub();
    const ha = await test.connect("ha");
    await ha.mqtt.subscribeAsync("powerbeacon/#");
    for (const device of ["a", "b", "c", "b"])
      await hub.mqtt.publishAsync(`powerbeacon/device/${device}/state`, "ON", { qos: 1, retain: true });
    await expect.poll(() => ha.messages).toHaveLength(4);
    expect(test.broker.figures()).toMatchObject({ retained: 2, droppedMessages: 1 });
  });

  it("are found among 100,000 without looking at all of them", async () => {
    await start();
    const hub = await test.hub();
    const published = Array.from({ length: 100_000 }, (_, at) =>
      hub.mqtt.publish(`powerbeacon/device/d${at}/state`, "ON", { retain: true }),
    );
    await expect.poll(() => test.broker.figures().retained, { timeout: 15_000 }).toBe(published.length);
    const begin = performance.now();
    const raw = await letIn(4);
    for (let at = 1; at <= 200; at++)
      raw.send({ cmd: "subscribe", messageId: at, subscriptions: [subscription(`powerbeacon/device/d${at}/+`)] });
    await expect.poll(() => raw.commands.filter((cmd) => cmd === "publish").length).toBe(200);
    expect(performance.now() - begin).toBeLessThan(1_000);
  });
});
