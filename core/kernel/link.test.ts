import { Aedes } from "aedes";
import { type Duplex, duplexPair } from "node:stream";
import pino from "pino";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { KeyedTopic, topics } from "#contracts/topics.ts";
import { type Link, type LinkMessage, createLink } from "./link.ts";

let broker: Aedes;
let link: Link;
let ends: Duplex[];

beforeEach(async () => {
  broker = await Aedes.createBroker();
  ends = [];
  link = createLink({ baseTopic: "base", broker: { type: "embedded", open }, log: pino({ level: "silent" }) });
});

afterEach(async () => {
  await link.close();
  await new Promise<void>((resolve) => broker.close(resolve));
});

function open(): Duplex {
  const [ours, theirs] = duplexPair();
  broker.handle(theirs);
  ends.push(ours);
  return ours;
}

function listen(topic: Parameters<Link["on"]>[0]): LinkMessage[] {
  const messages: LinkMessage[] = [];
  link.on(topic, (message) => messages.push(message));
  return messages;
}

/** What the broker hears on a topic. */
async function overhear(topic: string): Promise<string[]> {
  const heard: string[] = [];
  const note = (packet: { payload: string | Buffer }, done: () => void) => {
    heard.push(packet.payload.toString());
    done();
  };
  await new Promise<void>((resolve) => broker.subscribe(topic, note, resolve));
  return heard;
}

function say(topic: string, payload: string, retain = false): Promise<void> {
  const packet = { cmd: "publish", topic, payload: Buffer.from(payload), qos: 1, retain, dup: false } as const;
  return new Promise((resolve, reject) => broker.publish(packet, (error) => (error ? reject(error) : resolve())));
}

describe("the hub's link", () => {
  test("tells who sent a message as the broker stamped it, and names the site of its own", async () => {
    const received = listen(topics.deviceSet);
    const userProperties: Record<string, string>[] = [];
    const note = (packet: { properties?: { userProperties?: Record<string, string> } }, done: () => void) => {
      userProperties.push(packet.properties?.userProperties ?? {});
      done();
    };
    await new Promise<void>((resolve) => broker.subscribe("base/event", note as never, resolve));
    await link.connect();
    const stamps = { "pb-by": "~ann", "pb-site": "house", "pb-token": "token-ann" };
    const packet = { cmd: "publish", topic: "base/device/nas/set", payload: "ON", qos: 1, retain: false, dup: false };
    broker.publish({ ...packet, properties: { userProperties: stamps } } as never, () => {});
    await say("base/device/nas/set", "OFF");
    await expect.poll(() => received).toHaveLength(2);
    expect(received[0]).toMatchObject({ by: "~ann", siteId: "house", tokenId: "token-ann" });
    expect(received[1]).toMatchObject({ by: "mqtt", siteId: null, tokenId: null });
    await link.publish(topics.event.name, "{}", { ...topics.event.options, siteId: "house" });
    await link.publish(topics.event.name, "{}", topics.event.options);
    await expect.poll(() => userProperties.map(({ ...all }) => all)).toEqual([{ "pb-site": "house" }, {}]);
  });

  test("adds and strips the base topic, and tells the key", async () => {
    const received = listen(topics.deviceSet);
    await link.connect();
    await say("base/device/nas/set", "ON");
    await say("other/device/nas/set", "OFF");
    await expect.poll(() => received.length).toBe(1);
    expect(received[0]).toMatchObject({ topic: "device/nas/set", key: "nas", retained: false, by: "mqtt" });
    expect(link.fullName("device/nas/set")).toBe("base/device/nas/set");
    expect(link.ownName("base/device/nas/set")).toBe("device/nas/set");
    expect(link.ownName("basement/device/nas/set")).toBeUndefined();
  });

  test("speaks outside of its base as the topic is written, and hears what others leave there", async () => {
    const topic = new KeyedTopic("elsewhere/+/config", { qos: 1, retain: true });
    const received: LinkMessage[] = [];
    link.outside.on(topic, (message) => received.push(message));
    const heard = await overhear(topic.for("ours"));
    await link.connect();
    await link.outside.publish(topic.for("ours"), "1", topic.options);
    await expect.poll(() => heard).toEqual(["1"]);
    await say(topic.for("theirs"), "2");
    await say(`base/${topic.for("below")}`, "3");
    await say(topic.for("last"), "4");
    await expect.poll(() => received.map(({ key }) => key)).toEqual(["theirs", "last"]);
    expect(received[0]?.topic).toBe("elsewhere/theirs/config");
  });

  test("tells a message that was retained as such", async () => {
    await say("base/device/nas/set", "ON", true);
    const received = listen(topics.deviceSet);
    await link.connect();
    await expect.poll(() => received.map(({ retained }) => retained)).toEqual([true]);
  });

  test("subscribes again after a break, and says so each time", async () => {
    const received = listen(topics.deviceSet);
    let connects = 0;
    link.onConnect(() => connects++);
    await link.connect();
    expect(connects).toBe(1);
    ends[0]?.destroy();
    await expect.poll(() => connects).toBe(2);
    await say("base/device/nas/set", "ON");
    await expect.poll(() => received.length).toBe(1);
  });

  test("keeps the order of what is published, however much waits", async () => {
    const received = await overhear("base/device/nas/state");
    listen(topics.deviceSet);
    await link.connect();
    let next = 0;
    const publish = () => link.publish("device/nas/state", String(next++), topics.deviceState.options);
    const swarm = Array.from({ length: 3_000 }, publish);
    // who waited for an acknowledgement publishes what comes next, while others still wait
    await Promise.all(swarm.map((sent) => sent.then(publish)));
    await expect.poll(() => received.length).toBe(6_000);
    expect(received.map(Number)).toEqual(Array.from({ length: 6_000 }, (_, number) => number));
  });

  test("says offline by its Will when it breaks", async () => {
    const said = await overhear("base/hub/status");
    listen(topics.deviceSet);
    await link.connect();
    ends[0]?.destroy();
    await expect.poll(() => said).toEqual(["offline"]);
  });
});
