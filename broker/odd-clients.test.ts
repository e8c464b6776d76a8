import { afterEach, describe, expect, it } from "vitest";
import { subscription } from "./raw-client.ts";
import { startTestBroker, type TestBroker } from "./testing.ts";

let test: TestBroker;
afterEach(() => test.close());

async function start(): Promise<void> {
  test = await startTestBroker();
}

const namesOfEveryObject = ["constructor", "__proto__", "toString", "hasOwnProperty", "valueOf"];

describe.each([4, 5] as const)("a client of version %i", (version) => {
  it.each(namesOfEveryObject)("may be called %s, and subscribe to it", async (name) => {
    await start();
    const raw = await test.letIn(version, { clientId: name, username: "ha" });
    raw.send({
      cmd: "subscribe",
      messageId: 1,
      subscriptions: [subscription(`powerbeacon/${name}/#`), subscription(`${name}/+`)],
    });
    raw.send({ cmd: "subscribe", messageId: 2, subscriptions: [subscription(name), subscription(name)] });
    raw.send({ cmd: "unsubscribe", messageId: 3, unsubscriptions: [name] });
    // acknowledgements of different requests may come in any order
    await expect.poll(() => raw.commands.toSorted()).toEqual(["connack", "suback", "suback", "unsuback"]);
    expect(await test.isServing()).toBe(true);
  });

  it.each(namesOfEveryObject)("is kept out with the user name %s", async (name) => {
    await start();
    const raw = await test.raw();
    raw.connect(version, { username: name, clientId: name });
    await expect.poll(() => raw.isClosed).toBe(true);
    expect(await test.isServing()).toBe(true);
  });

  it("may subscribe to __proto__ with a lasting session", async () => {
    await start();
    const fields = {
      clean: false,
      clientId: "__proto__",
      ...(version === 5 ? { properties: { sessionExpiryInterval: 60 } } : {}),
    };
    const raw = await test.letIn(version, fields);
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
    expect(await test.isServing()).toBe(true);
  });

  it("may send a second PUBREL for one packet", async () => {
    await start();
    const raw = await test.letIn(version);
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
    expect(await test.isServing()).toBe(true);
  });

  it("has a message of QoS 2 published once, however often it sends it", async () => {
    await start();
    const hub = await test.hub();
    await hub.mqtt.subscribeAsync("powerbeacon/device/+/set", { qos: 1 });
    const raw = await test.letIn(version);
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
});
