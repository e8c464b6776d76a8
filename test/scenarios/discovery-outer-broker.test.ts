import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { DiscoveryRef } from "#contracts/discovery.ts";
import type { createLink } from "#core/kernel/link.ts";
import {
  Notes,
  type OuterDiscovery,
  aCluster,
  aDevice,
  anAgent,
  hub,
  openOuterDiscovery,
} from "#test/fixtures/outer-discovery.ts";
import { objectIdOf } from "../../ha-discovery/object-id.ts";

/** Discovery on a broker that outlives the hub and keeps what was retained. */

const { siteId } = hub;

let outer: OuterDiscovery;

beforeEach(async () => {
  outer = await openOuterDiscovery();
});

afterEach(() => outer.close());

const topicOf = (ref: DiscoveryRef, prefix = "homeassistant") => `${prefix}/device/${objectIdOf(ref)}/config`;

test("parents come before their children, whatever came first to the hub", async () => {
  const agent = outer.things.put(anAgent("pi"));
  const cluster = outer.things.put(aCluster("home"));
  const device = outer.things.put(aDevice("nas"));
  await outer.start();
  await expect.poll(() => outer.told()).toEqual([hub, device, cluster, agent].map((ref) => topicOf(ref)));
});

test("at most 20 wait for the broker, and the rest follows", async () => {
  for (let number = 0; number < 50; number++) outer.things.put(aDevice(`box-${number}`));
  const flying: (() => void)[] = [];
  await outer.start({ publish: () => new Promise((resolve) => flying.push(resolve)) });
  await expect.poll(() => flying.length).toBe(20);
  await new Promise(setImmediate);
  expect(flying).toHaveLength(20);
  flying.splice(0, 5).forEach((land) => land());
  await expect.poll(() => flying.length).toBe(20);
});

test("beyond 10,000 configs nothing new is told of, and what is there goes on", async () => {
  const device = outer.things.put(aDevice("nas"));
  await outer.start();
  await expect.poll(() => outer.published.size).toBe(2);
  for (let number = 0; number < 9_998; number++)
    outer.published.put(`elsewhere/${number}`, { siteId, hash: null, publishedAt: null });
  const late = outer.things.put(aDevice("late"));
  outer.things.put({ ...device, name: "Renamed" });
  await expect.poll(() => outer.heard.at(-1)?.text).toContain("Renamed");
  expect(outer.told()).not.toContain(topicOf(late));
});

describe("a hub that starts again", () => {
  test("publishes nothing where nothing changed", async () => {
    for (const thing of [aDevice("nas"), aCluster("home"), anAgent("pi")]) outer.things.put(thing);
    await outer.start();
    await expect.poll(() => outer.published.size).toBe(4);
    await outer.restart();
    const late = outer.things.put(aDevice("late")); // in the same turn as the others
    await expect.poll(() => outer.published.has(topicOf(late))).toBe(true);
    await outer.allHeard();
    expect(outer.told()).toEqual([topicOf(late)]);
  });

  test("publishes only what changed while it was away, and takes back what is gone", async () => {
    const [nas, box, old] = [
      outer.things.put(aDevice("nas")),
      outer.things.put(aDevice("box")),
      outer.things.put(aDevice("old")),
    ];
    await outer.start();
    await expect.poll(() => outer.published.size).toBe(4);
    await outer.stop();
    outer.things.put({ ...nas, name: "Renamed" });
    outer.things.remove(old);
    const { stated } = await outer.restart();
    await expect.poll(() => outer.told().toSorted()).toEqual([topicOf(nas), topicOf(old)].toSorted());
    expect(outer.cleared()).toEqual([topicOf(old)]);
    expect(stated).toEqual([nas.id]);
    await outer.say("homeassistant/status", "online"); // only then it is sure to be heard, and forgotten
    await expect
      .poll(() => [...outer.published.keys()].toSorted())
      .toEqual([hub, nas, box].map((ref) => topicOf(ref)).toSorted());
  });

  test("takes back what it has no note of, by its origin", async () => {
    const device = outer.things.put(aDevice("nas"));
    await outer.start();
    await expect.poll(() => outer.published.size).toBe(2);
    outer.published.clear();
    outer.things.remove(device);
    await outer.restart();
    await expect.poll(() => outer.cleared()).toEqual([topicOf(device)]);
    expect(outer.told()).toEqual([topicOf(device)]);
    expect([...outer.published.keys()]).toEqual([topicOf(hub)]);
  });

  test("under another prefix, publishes there and takes back what stood under the first", async () => {
    const device = outer.things.put(aDevice("nas"));
    await outer.start();
    await expect.poll(() => outer.published.size).toBe(2);
    await outer.restart({ prefix: "ha" });
    await expect.poll(() => outer.cleared().toSorted()).toEqual([topicOf(device), topicOf(hub)].toSorted());
    await outer.say("ha/status", "online");
    await expect
      .poll(() => [...outer.published.keys()].toSorted())
      .toEqual([topicOf(device, "ha"), topicOf(hub, "ha")].toSorted());
  });

  test("with discovery off takes everything back, once more after a birth, and says nothing else", async () => {
    const device = outer.things.put(aDevice("nas"));
    await outer.start();
    await expect.poll(() => outer.published.size).toBe(2);
    const { discovery, stated } = await outer.restart({ enabled: false });
    const both = [topicOf(device), topicOf(hub)].toSorted();
    await expect.poll(() => outer.cleared().toSorted()).toEqual(both);
    await outer.say("homeassistant/status", "online");
    await expect.poll(() => outer.published.size).toBe(0);
    await expect.poll(() => outer.cleared().toSorted()).toEqual([...both, ...both].toSorted());
    outer.things.put({ ...device, name: "Renamed" });
    await outer.say("homeassistant/status", "online");
    expect(await discovery.publishAll(null)).toBeUndefined();
    await outer.allHeard();
    expect(outer.told()).toHaveLength(4);
    expect(stated).toEqual([]);
  });

  test("leaves alone what a second hub with another base topic published", async () => {
    outer.things.put(aDevice("nas"));
    await outer.start({ baseTopic: "second" });
    await expect.poll(() => outer.published.size).toBe(2);
    await outer.stop();
    outer.published = new Notes();
    outer.things.rows.clear();
    const own = outer.things.put(aDevice("own"));
    await outer.restart();
    await expect.poll(() => outer.told()).toEqual([topicOf(own)]);
    expect(outer.cleared()).toEqual([]);
  });
});

test("what the broker did not take is tried again at the next birth", async () => {
  let refusals = 1;
  let send: ReturnType<typeof createLink>["publish"] | undefined;
  const { stated } = await outer.start({
    publish: async (topic, payload, options) => {
      if (refusals-- > 0) throw new Error("not now");
      await send?.(topic, payload, options);
    },
  });
  send = async (topic, payload) => outer.say(topic, payload, true);
  await expect.poll(() => refusals).toBeLessThanOrEqual(0);
  expect(outer.published.size).toBe(0);
  await outer.say("homeassistant/status", "online");
  await expect.poll(() => outer.told()).toEqual([topicOf(hub)]);
  expect(stated).toContain("all");
});

test("a change that the database does not take at once stays hidden meanwhile", async () => {
  const device = outer.things.put(aDevice("nas"));
  outer.things.hide = async () => {
    throw new Error("the database is away");
  };
  await outer.start();
  await expect.poll(() => outer.published.size).toBe(2);
  await outer.say(topicOf(device), "", true);
  await expect.poll(() => outer.published.size).toBe(1);
  outer.things.put({ ...device, name: "Renamed" });
  const other = outer.things.put(aDevice("other"));
  await expect.poll(() => outer.told()).toContain(topicOf(other));
  expect(outer.heard.at(-1)?.text).not.toContain("Renamed");
  expect(outer.told().filter((topic) => topic === topicOf(device))).toHaveLength(2); // published, and deleted there
});
