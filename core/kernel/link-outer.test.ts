import pino from "pino";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { topics } from "#contracts/topics.ts";
import { type TestMqttClient, connectMqtt } from "#test/fixtures/mqtt.ts";
import { type PlainBroker, startPlainBroker } from "#test/fixtures/plain-broker.ts";
import { type Link, type LinkMessage, NotConnected, createLink } from "./link.ts";

/** The hub's link to a broker that somebody else runs. */

let broker: PlainBroker;
let link: Link;
let other: TestMqttClient;
/** Warnings. */
let said: string[];

async function begin(version: 4 | 5): Promise<void> {
  said = [];
  broker = await startPlainBroker({ only311: version === 4 });
  link = createLink({
    baseTopic: "base",
    broker: { type: "outer", url: broker.url, username: null, password: null, ca: null },
    log: pino({ level: "warn" }, { write: (line) => void said.push(line) }),
  });
  other = await listenToAll(version);
}

const listenToAll = (protocolVersion: 4 | 5) => connectMqtt(broker.url, { protocolVersion }, ["#"]);

afterEach(async () => {
  await other.close();
  await link.close();
  await broker.stop();
});

function hear(topic: Parameters<Link["on"]>[0]): LinkMessage[] {
  const heard: LinkMessage[] = [];
  link.on(topic, (message) => heard.push(message));
  return heard;
}

describe("with MQTT 5", () => {
  beforeEach(() => begin(5));

  test("nobody's stamps are believed, and none are told", async () => {
    const heard = hear(topics.deviceSet);
    await link.connect();
    const userProperties = { "pb-by": "hub", "pb-site": "house", "pb-token": "t" };
    await other.client.publishAsync("base/device/nas/set", "ON", { qos: 1, properties: { userProperties } });
    await expect.poll(() => heard[0]).toMatchObject({ by: "mqtt", siteId: null, tokenId: null });
    expect(link.knowsSenders).toBe(false);
    await link.publish("event", "{}", { ...topics.event.options, siteId: "house" });
    await expect.poll(() => other.last("base/event")).toBe("{}");
    expect(other.on(/event$/)[0]?.packet.properties?.userProperties).toBeUndefined();
  });

  test.each(["client/+/response/1", "hub/response/#", "hub/response/a\u0001b", "hub/response/\ufdd0"])(
    "what the broker would end the connection for is not sent: %j",
    async (topic) => {
      await link.connect();
      await expect(link.publish(topic, "{}", { qos: 1, retain: false })).rejects.toThrow("is no name of a topic");
      await link.publish("event", "{}", topics.event.options);
      await expect.poll(() => other.last("base/event")).toBe("{}");
    },
  );

  test("a broker that goes away is told of, and not the link's own end", async () => {
    await link.connect();
    await broker.stop();
    await expect.poll(() => said.join("")).toContain("no connection to the broker");
    await broker.start();
    await expect.poll(() => link.isConnected).toBe(true);
    said = [];
    await link.close();
    expect(said).toEqual([]);
  });

  test("a message that was published as retained is told as such, also to who was there", async () => {
    const heard = hear(topics.deviceSet);
    await link.connect();
    await other.client.publishAsync("base/device/nas/set", "ON", { qos: 1, retain: true });
    await expect.poll(() => heard[0]).toMatchObject({ retained: true, tellsRetained: true });
  });

  test("while the broker is away nothing waits for it, and the link comes back by itself", async () => {
    const heard = hear(topics.deviceSet);
    let connects = 0;
    link.onConnect(() => connects++);
    await link.connect();
    await broker.stop();
    await expect.poll(() => link.isAway).toBe(true);
    await expect(link.publish("event", "lost", topics.event.options)).rejects.toThrow(NotConnected);
    await broker.start();
    await expect.poll(() => connects).toBe(2);
    await other.close();
    other = await listenToAll(5);
    await other.client.publishAsync("base/device/nas/set", "ON", { qos: 1 });
    await expect.poll(() => heard).toHaveLength(1);
    expect(other.on(/event$/)).toEqual([]);
  });

  test("a hub starts without its broker, and finds it once it is there", async () => {
    hear(topics.deviceSet);
    await broker.stop();
    await link.connect();
    expect(link.isConnected).toBe(false);
    await broker.start();
    await expect.poll(() => link.isConnected).toBe(true);
  });

  test("a Will of its own that comes late is contradicted", async () => {
    hear(topics.deviceSet);
    await link.connect();
    await other.client.publishAsync("base/hub/status", "offline", { qos: 1, retain: true });
    await expect.poll(() => other.last("base/hub/status")).toBe("online");
  });

  test("it says goodbye once, and its Will stays unsaid", async () => {
    hear(topics.deviceSet);
    await link.connect();
    await link.close();
    await other.client.publishAsync("base/end", "", { qos: 1 });
    await expect.poll(() => other.last("base/end")).toBe("");
    expect(other.on(/hub\/status$/).map(({ text }) => text)).toEqual(["offline"]);
  });
});

describe("with a broker that knows MQTT 3.1.1 alone", () => {
  beforeEach(() => begin(4));

  test("the link speaks that, and does not take its own words for others'", async () => {
    const heard = hear(topics.agentStatus);
    await link.connect();
    await expect.poll(() => link.isConnected).toBe(true);
    await link.publish("agent/pi/status", "offline", topics.agentStatus.options);
    await link.publish("agent/pi/status", "offline", topics.agentStatus.options);
    await other.client.publishAsync("base/agent/pi/status", "offline", { qos: 1 });
    await other.client.publishAsync("base/agent/pi/status", "online", { qos: 1 });
    await expect.poll(() => heard.at(-1)?.payload.toString()).toBe("online");
    expect(heard.map(({ payload }) => payload.toString())).toEqual(["offline", "online"]);
    expect(heard[0]?.tellsRetained).toBe(false);
  });
});
