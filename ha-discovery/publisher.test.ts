import pino from "pino";
import { afterEach, describe, expect, test } from "vitest";
import type { Surroundings } from "./config.ts";
import { Form } from "./form.ts";
import type { DiscoveredThings, Published, PublishedConfigs } from "./hub.ts";
import { DiscoveryPublisher } from "./publisher.ts";

/** What was published and has no thing any more, where the broker is slow or Home Assistant never comes. */

const nothing: DiscoveredThings = { all: () => [], of: () => undefined, onChange: () => {}, hide: async () => {} };
const siteId = "11111111-1111-4111-8111-111111111111";
const surroundings: Surroundings = {
  hub: { type: "hub", id: siteId },
  version: "1.0.0",
  fullName: (topic) => topic,
  pageAddress: null,
};
const everySite = new Set([null]);

let publisher: DiscoveryPublisher;
let published: PublishedConfigs;
/** What makes the broker acknowledge each message. */
let acknowledgements: (() => void)[];

const whenAcknowledged = () => new Promise<void>((resolve) => acknowledgements.push(resolve));

function start(count: number, publish: () => Promise<void> = whenAcknowledged): void {
  const rows = new Map<string, Published>();
  for (let number = 0; number < count; number++)
    rows.set(`earlier/device/powerbeacon_${number}/config`, { siteId, hash: "its hash", publishedAt: null });
  published = {
    [Symbol.iterator]: () => rows.entries(),
    get size() {
      return rows.size;
    },
    get: (topic) => rows.get(topic),
    put: (topic, config) => void rows.set(topic, config),
    remove: (topic) => void rows.delete(topic),
  };
  acknowledgements = [];
  publisher = new DiscoveryPublisher({
    form: new Form({ format: "device", prefix: "homeassistant" }, surroundings),
    link: { publish, on: () => {}, onConnect: () => {}, onBreak: () => {} },
    things: nothing,
    published,
    states: { publishAll: () => {}, publishAgain: () => {} },
    paceMs: 0,
    settleMs: 0,
    log: pino({ level: "silent" }),
  });
}

afterEach(() => publisher.close());

const clearedOnce = async () => {
  await expect.poll(() => acknowledgements.length).toBe(1);
  return acknowledgements.pop();
};

describe("what is taken back", () => {
  test("is taken back once, and forgotten, where the birth comes before the comparison", async () => {
    start(1);
    publisher.answerBirth(everySite);
    publisher.compare();
    (await clearedOnce())?.();
    await expect.poll(() => published.size).toBe(0);
    expect(acknowledgements).toEqual([]);
  });

  test("is forgotten only when the broker has what was sent after a birth", async () => {
    start(1);
    publisher.compare();
    const first = await clearedOnce();
    publisher.answerBirth(everySite);
    first?.();
    const second = await clearedOnce();
    expect(published.size).toBe(1);
    second?.();
    await expect.poll(() => published.size).toBe(0);
  });

  test("is forgotten when a Home Assistant of its own site was born, and not one of another", async () => {
    start(2, async () => {});
    published.put("earlier/device/powerbeacon_1/config", {
      siteId: "another site",
      hash: "its hash",
      publishedAt: null,
    });
    publisher.compare();
    publisher.answerBirth(new Set([siteId]));
    await expect.poll(() => [...published].map(([, { siteId }]) => siteId)).toEqual(["another site"]);
    publisher.answerBirth(new Set([siteId]));
    publisher.answerBirth(new Set(["another site"]));
    await expect.poll(() => published.size).toBe(0);
  });

  test("is not forgotten when the connection broke in between, as Home Assistant's may have broken too", async () => {
    start(1);
    publisher.compare();
    (await clearedOnce())?.();
    publisher.answerBirth(everySite);
    const interrupted = await clearedOnce();
    publisher.disconnected();
    interrupted?.();
    publisher.compare();
    (await clearedOnce())?.();
    expect(published.size).toBe(1);
    publisher.answerBirth(everySite);
    (await clearedOnce())?.();
    await expect.poll(() => published.size).toBe(0);
  });

  test("is remembered up to a bound where no Home Assistant ever comes", async () => {
    let clears = 0;
    start(10_050, async () => void clears++);
    publisher.compare();
    await expect.poll(() => clears).toBe(10_050);
    expect(published.size).toBe(10_000);
  });
});
