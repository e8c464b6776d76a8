import { Aedes } from "aedes";
import { randomUUID } from "node:crypto";
import { duplexPair } from "node:stream";
import pino from "pino";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { DiscoveredThing, DiscoveryFormat, DiscoveryRef } from "#contracts/discovery.ts";
import { topics } from "#contracts/topics.ts";
import { createLink } from "#core/kernel/link.ts";
import type { DiscoveredThings, Published, PublishedConfigs } from "../../ha-discovery/hub.ts";
import { type Discovery, startDiscovery } from "../../ha-discovery/main.ts";
import { objectIdOf } from "../../ha-discovery/object-id.ts";
import { FAST_DISCOVERY } from "#test/fixtures/home-assistant.ts";

/** Discovery on a broker that outlives the hub and keeps what was retained. */

const siteId = randomUUID();
const log = pino({ level: "silent" });

let broker: Aedes;
let things: Things;
let published: Notes;
let heard: { topic: string; text: string }[];
let closers: (() => Promise<void> | void)[];

/** What a hub would know, held by the test. */
class Things implements DiscoveredThings {
  readonly #listeners: ((ref: DiscoveryRef) => void)[] = [];
  readonly rows = new Map<string, DiscoveredThing>();

  all(): DiscoveredThing[] {
    return [...this.rows.values()];
  }

  of(ref: DiscoveryRef): DiscoveredThing | undefined {
    return this.rows.get(objectIdOf(ref));
  }

  onChange(listener: (ref: DiscoveryRef) => void): void {
    this.#listeners.push(listener);
  }

  async hide(ref: DiscoveryRef): Promise<void> {
    this.remove(ref);
  }

  put<Thing extends DiscoveredThing>(thing: Thing): Thing {
    this.rows.set(objectIdOf(thing), thing);
    for (const listener of this.#listeners) listener(thing);
    return thing;
  }

  remove(ref: DiscoveryRef): void {
    this.rows.delete(objectIdOf(ref));
    for (const listener of this.#listeners) listener(ref);
  }
}

class Notes extends Map<string, Published> implements PublishedConfigs {
  put(topic: string, note: Published): void {
    this.set(topic, note);
  }

  remove(topic: string): void {
    this.delete(topic);
  }
}

const hub = { type: "hub", id: siteId, siteId, name: "PowerBeacon", version: "1.0.0" } as const;
const nowhere = { area: null, poweredOffBy: null };
const aDevice = (key: string, id: string = randomUUID()) =>
  ({ type: "device", id, siteId, name: key, key, mac: "02:00:00:00:00:01", os: "linux", ...nowhere }) as const;
const anAgent = (key: string) =>
  ({ type: "agent", id: randomUUID(), siteId, name: key, key, version: "1.0.0", machineId: null }) as const;
const aCluster = (key: string) =>
  ({ type: "cluster", id: randomUUID(), siteId, name: key, key, deviceIds: [], canPowerOff: false }) as const;

beforeEach(async () => {
  broker = await Aedes.createBroker();
  things = new Things();
  published = new Notes();
  heard = [];
  closers = [];
  things.put(hub);
  const note = ({ topic, payload }: { topic: string; payload: string | Buffer }, done: () => void) => {
    if (topic.endsWith("/config")) heard.push({ topic, text: payload.toString() });
    done();
  };
  await new Promise<void>((resolve) => broker.subscribe("#", note, resolve));
});

afterEach(async () => {
  await stop();
  await new Promise<void>((resolve) => broker.close(resolve));
});

/** Starts discovery over a fresh connection, as a hub that starts. */
async function start({
  prefix = "homeassistant",
  format = "device",
  enabled = true,
  baseTopic = "powerbeacon",
  publish,
}: {
  prefix?: string;
  format?: DiscoveryFormat;
  enabled?: boolean;
  baseTopic?: string;
  publish?: ReturnType<typeof createLink>["publish"];
} = {}): Promise<{ discovery: Discovery; stated: string[] }> {
  const open = () => {
    const [ours, theirs] = duplexPair();
    broker.handle(theirs);
    return ours;
  };
  const link = createLink({ baseTopic, broker: { type: "embedded", open }, log });
  link.on(topics.hubRequest, () => {}); // a hub always listens to something
  const stated: string[] = [];
  const discovery = startDiscovery({
    enabled,
    prefix,
    format,
    link: { ...link, ...link.outside, ...(publish && { publish }) },
    things,
    published,
    states: { publishAll: () => stated.push("all"), publishAgain: (ref) => stated.push(ref.id) },
    surroundings: { hub, version: "1.0.0", fullName: (topic) => link.fullName(topic), pageAddress: null },
    timing: FAST_DISCOVERY,
    log,
  });
  closers.push(
    () => discovery.close(),
    () => link.close(),
  );
  await link.connect();
  return { discovery, stated };
}

async function stop(): Promise<void> {
  for (const closer of closers.splice(0)) await closer();
}

/** Ends it and starts it again; what came before is forgotten. */
async function restart(options: Parameters<typeof start>[0] = {}) {
  await stop();
  heard.length = 0;
  return await start(options);
}

function say(topic: string, payload: string, retain = false): Promise<void> {
  const packet = { cmd: "publish", topic, payload: Buffer.from(payload), qos: 1, retain, dup: false } as const;
  return new Promise((resolve, reject) => broker.publish(packet, (error) => (error ? reject(error) : resolve())));
}

const topicOf = (ref: DiscoveryRef, prefix = "homeassistant") => `${prefix}/device/${objectIdOf(ref)}/config`;
const told = () => heard.map(({ topic }) => topic);
const cleared = () => heard.filter(({ text }) => text === "").map(({ topic }) => topic);

test("parents come before their children, whatever came first to the hub", async () => {
  const agent = things.put(anAgent("pi"));
  const cluster = things.put(aCluster("home"));
  const device = things.put(aDevice("nas"));
  await start();
  await expect.poll(told).toEqual([hub, device, cluster, agent].map((ref) => topicOf(ref)));
});

test("at most 20 wait for the broker, and the rest follows", async () => {
  for (let number = 0; number < 50; number++) things.put(aDevice(`box-${number}`));
  const flying: (() => void)[] = [];
  await start({ publish: () => new Promise((resolve) => flying.push(resolve)) });
  await expect.poll(() => flying.length).toBe(20);
  await new Promise(setImmediate);
  expect(flying).toHaveLength(20);
  flying.splice(0, 5).forEach((land) => land());
  await expect.poll(() => flying.length).toBe(20);
});

test("beyond 10,000 configs nothing new is told of, and what is there goes on", async () => {
  const device = things.put(aDevice("nas"));
  await start();
  await expect.poll(() => published.size).toBe(2);
  for (let number = 0; number < 9_998; number++)
    published.put(`elsewhere/${number}`, { siteId, hash: null, publishedAt: null });
  const late = things.put(aDevice("late"));
  things.put({ ...device, name: "Renamed" });
  await expect.poll(() => heard.at(-1)?.text).toContain("Renamed");
  expect(told()).not.toContain(topicOf(late));
});

describe("a hub that starts again", () => {
  test("publishes only what changed while it was away, and takes back what is gone", async () => {
    const [nas, box, old] = [things.put(aDevice("nas")), things.put(aDevice("box")), things.put(aDevice("old"))];
    await start();
    await expect.poll(() => published.size).toBe(4);
    await stop();
    things.put({ ...nas, name: "Renamed" });
    things.remove(old);
    const { stated } = await restart();
    await expect.poll(() => told().toSorted()).toEqual([topicOf(nas), topicOf(old)].toSorted());
    expect(cleared()).toEqual([topicOf(old)]);
    expect(stated).toEqual([nas.id]);
    await say("homeassistant/status", "online"); // only then it is sure to be heard, and forgotten
    await expect
      .poll(() => [...published.keys()].toSorted())
      .toEqual([hub, nas, box].map((ref) => topicOf(ref)).toSorted());
  });

  test("takes back what it has no note of, by its origin", async () => {
    const device = things.put(aDevice("nas"));
    await start();
    await expect.poll(() => published.size).toBe(2);
    published.clear();
    things.remove(device);
    await restart();
    await expect.poll(cleared).toEqual([topicOf(device)]);
    expect(told()).toEqual([topicOf(device)]);
    expect([...published.keys()]).toEqual([topicOf(hub)]);
  });

  test("under another prefix, publishes there and takes back what stood under the first", async () => {
    const device = things.put(aDevice("nas"));
    await start();
    await expect.poll(() => published.size).toBe(2);
    await restart({ prefix: "ha" });
    await expect.poll(() => cleared().toSorted()).toEqual([topicOf(device), topicOf(hub)].toSorted());
    await say("ha/status", "online");
    await expect
      .poll(() => [...published.keys()].toSorted())
      .toEqual([topicOf(device, "ha"), topicOf(hub, "ha")].toSorted());
  });

  test("with discovery off takes everything back, once more after a birth, and says nothing else", async () => {
    const device = things.put(aDevice("nas"));
    await start();
    await expect.poll(() => published.size).toBe(2);
    const { discovery, stated } = await restart({ enabled: false });
    const both = [topicOf(device), topicOf(hub)].toSorted();
    await expect.poll(() => cleared().toSorted()).toEqual(both);
    await say("homeassistant/status", "online");
    await expect.poll(() => published.size).toBe(0);
    expect(cleared().toSorted()).toEqual([...both, ...both].toSorted());
    things.put({ ...device, name: "Renamed" });
    await say("homeassistant/status", "online");
    expect(await discovery.publishAll(null)).toBeUndefined();
    expect(told()).toHaveLength(4);
    expect(stated).toEqual([]);
  });

  test("leaves alone what a second hub with another base topic published", async () => {
    things.put(aDevice("nas"));
    await start({ baseTopic: "second" });
    await expect.poll(() => published.size).toBe(2);
    await stop();
    published = new Notes();
    things.rows.clear();
    const own = things.put(aDevice("own"));
    await restart();
    await expect.poll(told).toEqual([topicOf(own)]);
    expect(cleared()).toEqual([]);
  });
});

test("what the broker did not take is tried again at the next birth", async () => {
  let refusals = 1;
  let send: ReturnType<typeof createLink>["publish"] | undefined;
  const { stated } = await start({
    publish: async (topic, payload, options) => {
      if (refusals-- > 0) throw new Error("not now");
      await send?.(topic, payload, options);
    },
  });
  send = async (topic, payload) => say(topic, payload, true);
  await expect.poll(() => refusals).toBeLessThanOrEqual(0);
  expect(published.size).toBe(0);
  await say("homeassistant/status", "online");
  await expect.poll(told).toEqual([topicOf(hub)]);
  expect(stated).toContain("all");
});

test("a change that the database does not take at once stays hidden meanwhile", async () => {
  const device = things.put(aDevice("nas"));
  things.hide = async () => {
    throw new Error("the database is away");
  };
  await start();
  await expect.poll(() => published.size).toBe(2);
  await say(topicOf(device), "", true);
  await expect.poll(() => published.size).toBe(1);
  things.put({ ...device, name: "Renamed" });
  const other = things.put(aDevice("other"));
  await expect.poll(told).toContain(topicOf(other));
  expect(heard.at(-1)?.text).not.toContain("Renamed");
  expect(told().filter((topic) => topic === topicOf(device))).toHaveLength(2); // published, and deleted there
});
