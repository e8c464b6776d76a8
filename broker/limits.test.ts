import { once } from "node:events";
import { afterEach, describe, expect, it } from "vitest";
import { generate, parser as newParser } from "mqtt-packet";
import type { BrokerLimits } from "./limits.ts";
import { connectPacket, publish, subscription } from "./raw-client.ts";
import { HOME, startTestBroker, type TestBroker } from "./testing.ts";

let test: TestBroker;
afterEach(() => test.close());

async function start(limits: Partial<BrokerLimits> = {}): Promise<void> {
  test = await startTestBroker({ limits });
}

const filters = (prefix: string) =>
  Array.from({ length: 1_500 }, (_, at) => subscription(`powerbeacon/+/${prefix}${at}/#`, 1));

describe.each([4, 5] as const)("a client of version %i", (version) => {
  it("has few messages of QoS 2 whose PUBREL is awaited", async () => {
    await start({ awaitingPubrel: 4 });
    const raw = await test.letIn(version);
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
    await expect.poll(() => raw.isClosed).toBe(true);
    const pubrecs = [1, 2, 3, 4].map((messageId) => ({ cmd: "pubrec", messageId }));
    expect(raw.packets.slice(1)).toMatchObject(
      version === 5 ? [...pubrecs, { cmd: "disconnect", reasonCode: 0x93 }] : pubrecs,
    );
    expect(await test.isServing()).toBe(true);
  });

  it("is refused a packet that is too large at its header", async () => {
    await start();
    const raw = await test.letIn(version);
    // a PUBLISH that announces 256 MB
    raw.send(Buffer.from([0x30, 0xff, 0xff, 0xff, 0x7f]));
    await expect.poll(() => raw.isClosed).toBe(true);
    expect(raw.packets.slice(1)).toMatchObject(version === 5 ? [{ cmd: "disconnect", reasonCode: 0x95 }] : []);
    expect(test.problems).toEqual([expect.stringContaining("too large")]);
    expect(await test.isServing()).toBe(true);
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
    expect(await test.isServing()).toBe(true);
  });

  it("may publish the largest packet", async () => {
    await start();
    const ha = await test.connect("ha", { protocolVersion: version });
    await ha.mqtt.publishAsync("powerbeacon/device/nas/set", "x".repeat(256 * 1024 - 100), { qos: 1 });
    expect(ha.mqtt.connected).toBe(true);
  });

  it("subscribes to thousands of filters with a lasting session in no time, and not to more than it may have", async () => {
    await start();
    const raw = await test.letIn(version, {
      clean: false,
      ...(version === 5 ? { properties: { sessionExpiryInterval: 60 } } : {}),
    });
    const begin = performance.now();
    raw.send({ cmd: "subscribe", messageId: 1, subscriptions: filters("a") });
    raw.send({ cmd: "subscribe", messageId: 2, subscriptions: filters("b") });
    raw.send({ cmd: "subscribe", messageId: 3, subscriptions: filters("c") });
    await expect.poll(() => raw.packets).toHaveLength(4);
    expect(performance.now() - begin).toBeLessThan(5_000); // bare Aedes takes minutes
    const acknowledged = raw.packets.slice(1).toSorted((a, b) => (a.messageId ?? 0) - (b.messageId ?? 0));
    const granted = acknowledged.map((one) => ("granted" in one ? (one.granted as number[]) : []));
    expect(granted.map((codes) => codes.filter((code) => code === 1).length)).toEqual([1_000, 1_000, 0]);
    expect(granted[0]?.at(-1)).toBe(version === 5 ? 0x97 : 0x80);
  });

  it("shares the room for filters with all others of its credential, and deep ones take more of it", async () => {
    await start({ filterSizeIntegration: 40 });
    const [first, second] = [await test.letIn(version), await test.letIn(version, { clientId: "second" })];
    const ask = async (raw: typeof first, messageId: number, filter: string) => {
      raw.send({ cmd: "subscribe", messageId, subscriptions: [subscription(filter, 0)] });
      await expect.poll(() => raw.packets.some((packet) => packet.messageId === messageId)).toBe(true);
      return raw.packets.find((packet) => packet.messageId === messageId);
    };
    const refused = { granted: [version === 5 ? 0x97 : 0x80] };
    expect(await ask(first, 1, `powerbeacon/+${"/a".repeat(30)}`)).toMatchObject({ granted: [0] });
    expect(await ask(second, 1, "powerbeacon/+")).toMatchObject(refused);
    expect(await ask(first, 2, `powerbeacon/+${"/a".repeat(30)}`)).toMatchObject({ granted: [0] });
    first.socket.destroy();
    await expect.poll(() => test.departures).toEqual(["ha"]);
    expect(await ask(second, 2, "powerbeacon/+")).toMatchObject({ granted: [0] });
  });

  it("that does not read is dropped, and publishers never wait for it", async () => {
    await start({ outputBytesIntegration: 256 * 1024 });
    const hub = await test.hub();
    const frozen = await test.letIn(version);
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
    for (let at = 0; at < 200; at++) test.places.devices.set(`d${at}`, HOME);
    const raw = await test.letIn(version);
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

  it("that is away is not kept what it may not read", async () => {
    await start({ queuedMessages: 3 });
    const hub = await test.hub();
    const properties = version === 5 ? { properties: { sessionExpiryInterval: 60 } } : {};
    const raw = await test.letIn(version, { username: "reader", clean: false, ...properties });
    raw.send({ cmd: "subscribe", messageId: 1, subscriptions: [subscription("powerbeacon/#", 1)] });
    await expect.poll(() => raw.commands).toContain("suback");
    raw.socket.destroy();
    await expect.poll(() => test.departures).toEqual(["reader"]);
    for (let at = 0; at < 5; at++) await hub.mqtt.publishAsync("powerbeacon/device/printer/state", "ON", { qos: 1 });
    expect(test.broker.figures().droppedMessages).toBe(0);
  });

  it("that is away is kept a bounded number of bytes", async () => {
    await start({ queuedBytes: 30_000 });
    const hub = await test.hub();
    const properties = version === 5 ? { properties: { sessionExpiryInterval: 60 } } : {};
    const fields = { clean: false, ...properties };
    const raw = await test.letIn(version, fields);
    raw.send({ cmd: "subscribe", messageId: 1, subscriptions: [subscription("powerbeacon/event", 1)] });
    await expect.poll(() => raw.commands).toContain("suback");
    raw.socket.destroy();
    await expect.poll(() => test.departures).toEqual(["ha"]);
    for (let at = 0; at < 5; at++) await hub.mqtt.publishAsync("powerbeacon/event", "x".repeat(10_000), { qos: 1 });
    expect(test.broker.figures().droppedMessages).toBe(3);
  });

  it("has few sessions that wait for it, however many identifiers it uses", async () => {
    await start({ sessionsPerCredential: 2 });
    const properties = version === 5 ? { properties: { sessionExpiryInterval: 60 } } : {};
    const connect = (clientId: string) => test.letIn(version, { clientId, clean: false, ...properties });
    for (const [at, clientId] of ["a", "b", "c"].entries()) {
      (await connect(clientId)).socket.destroy();
      await expect.poll(() => test.departures).toHaveLength(at + 1);
    }
    expect(test.broker.figures().awaySessions).toBe(2);
    expect((await connect("a")).packets[0]).toMatchObject({ sessionPresent: true });
    expect((await connect("c")).packets[0]).toMatchObject({ sessionPresent: false });
    expect(test.broker.figures().awaySessions).toBe(1);
  });

  it("loses its session after a while", async () => {
    await start({ sessionSeconds: 1 });
    const fields = { clean: false, ...(version === 5 ? { properties: { sessionExpiryInterval: 500 } } : {}) };
    const raw = await test.letIn(version, fields);
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
    const raw = await test.letIn(version, { keepalive: 0 });
    raw.send(publish("powerbeacon/device/nas/set", 1, 1).subarray(0, 10));
    await expect.poll(() => raw.isClosed).toBe(true);
    expect(test.problems).toEqual([expect.stringContaining("not completed")]);
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
    const message = publish("powerbeacon/device/nas/set", 1, 0);
    raw.send(Buffer.concat([generate(connectPacket(4)), ...Array.from({ length: 100 }, () => message)]));
    await expect.poll(() => raw.isClosed).toBe(true);
    expect(raw.packets).toEqual([]);
  });
});

describe("retained messages", () => {
  it("are bounded, and a full store still forwards and replaces", async () => {
    await start({ retainedMessages: 2 });
    const hub = await test.hub();
    const ha = await test.connect("ha");
    await ha.mqtt.subscribeAsync("powerbeacon/#");
    for (const device of ["a", "b", "c"]) test.places.devices.set(device, HOME);
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
    const raw = await test.letIn(4);
    for (let at = 1; at <= 200; at++) test.places.devices.set(`d${at}`, HOME);
    for (let at = 1; at <= 200; at++)
      raw.send({ cmd: "subscribe", messageId: at, subscriptions: [subscription(`powerbeacon/device/d${at}/+`)] });
    await expect.poll(() => raw.commands.filter((cmd) => cmd === "publish").length).toBe(200);
    expect(performance.now() - begin).toBeLessThan(5_000);
  });
});

describe("what waits for a reader", () => {
  it("may be more for an integration than for an agent", async () => {
    await start({ outputBytesAgent: 100_000, outputBytesIntegration: 1_000_000 });
    const hub = await test.hub();
    const [agent, integration] = [await test.letIn(4, { username: "pi" }), await test.letIn(4)];
    for (const raw of [agent, integration]) {
      raw.send({ cmd: "subscribe", messageId: 1, subscriptions: [subscription("powerbeacon/hub/info")] });
      await expect.poll(() => raw.commands).toContain("suback");
    }
    const payload = "x".repeat(200_000);
    await hub.mqtt.publishAsync("powerbeacon/hub/info", payload, { qos: 1 });
    await expect.poll(() => integration.commands).toContain("publish");
    await expect.poll(() => agent.isClosed).toBe(true);
    expect(test.broker.figures().droppedClients).toBe(1);
  });

  it("is held back at its publishers when the reader is the hub, and nothing is lost", async () => {
    await start({ hubBacklogBytes: 100_000 });
    const busy = test.broker.connectHub();
    const parser = newParser({ protocolVersion: 4 });
    const got: string[] = [];
    parser.on("packet", ({ cmd }) => got.push(cmd));
    busy.on("data", (chunk: Buffer) => parser.parse(chunk));
    busy.write(generate(connectPacket(4, { clientId: "busy" })));
    busy.write(
      generate({ cmd: "subscribe", messageId: 1, subscriptions: [subscription("powerbeacon/device/nas/set")] }),
    );
    await expect.poll(() => got).toEqual(["connack", "suback"]);

    busy.pause();
    const ha = await test.connect("ha");
    let acknowledged = 0;
    const payload = "x".repeat(50_000);
    const published = Array.from({ length: 100 }, async () => {
      await ha.mqtt.publishAsync("powerbeacon/device/nas/set", payload, { qos: 1 });
      acknowledged++;
    });
    await expect.poll(() => acknowledged).toBeGreaterThan(0);
    const hub = await test.hub();
    for (let at = 0; at < 50; at++) await hub.mqtt.publishAsync("powerbeacon/event", "{}", { qos: 1 });
    expect(acknowledged).toBeLessThan(50);

    busy.resume();
    await Promise.all(published);
    await expect.poll(() => got).toHaveLength(102);
    expect(test.broker.figures()).toMatchObject({ droppedClients: 0, droppedMessages: 0 });
  });
});

describe("the log", () => {
  it("is not filled by one who does not give up", async () => {
    await start();
    for (let at = 0; at < 40; at++) {
      const raw = await test.raw();
      raw.send(Buffer.from([0x00, 0x00]));
      await once(raw.socket, "close");
    }
    expect(test.problems.length).toBeLessThanOrEqual(20);
    expect(await test.isServing()).toBe(true);
  });
});
