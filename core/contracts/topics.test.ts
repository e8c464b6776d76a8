import { describe, expect, test } from "vitest";
import { FixedTopic, KeyedTopic, responsePrefix, topics } from "./topics.ts";

const keyed = Object.values(topics).filter((topic) => topic instanceof KeyedTopic);

describe("a topic with a key", () => {
  test.each(keyed.map((topic) => [topic.filter, topic] as const))("%s matches what it builds", (filter, topic) => {
    expect(topic.for("nas")).toBe(filter.replace("+", "nas"));
    expect(topic.match(topic.for("nas"))).toBe("nas");
  });

  test("is matched by no name of another topic", () => {
    for (const topic of keyed) {
      const others = keyed.filter((other) => other !== topic);
      expect(others.filter((other) => topic.match(other.for("nas")) !== undefined)).toEqual([]);
    }
  });

  test.each([
    ["another topic below it", "device/nas/state/x"],
    ["a key of two levels", "device/a/b/state"],
    ["an empty key", "device//state"],
    ["its two ends overlapping", "device/state"],
    ["another beginning", "xdevice/nas/state"],
    ["nothing", ""],
  ])("does not match %s", (_what, name) => {
    expect(topics.deviceState.match(name)).toBeUndefined();
  });

  test("takes any word as a key, also those that objects know", () => {
    for (const word of ["constructor", "__proto__", "toString"]) {
      expect(topics.hubRequest.match(topics.hubRequest.for(word))).toBe(word);
    }
  });

  test.each([[""], ["+"], ["a+b"], ["#"], ["a/b"], ["a\0b"]])("cannot be built with the key %j", (key) => {
    expect(() => topics.deviceState.for(key)).toThrow(RangeError);
  });
});

describe("all topics", () => {
  test("have different names", () => {
    const filters = Object.values(topics).map((topic) => topic.filter);
    expect(new Set(filters).size).toBe(filters.length);
  });

  test("that command, answer or tell an event are never retained; states are", () => {
    const retained = Object.entries(topics).flatMap(([name, topic]) => (topic.options.retain ? [name] : []));
    expect(retained.toSorted()).toEqual([
      "agentHeartbeat",
      "agentInventory",
      "agentStatus",
      "agentUpdate",
      "agentWatch",
      "clusterInfo",
      "clusterState",
      "deviceAvailability",
      "deviceInfo",
      "deviceState",
      "hubInfo",
      "hubStatus",
      "hubUpdate",
      "scheduleInfo",
      "scheduleState",
    ]);
  });

  test("that are fixed are their own filter", () => {
    const fixed = Object.values(topics).filter((topic) => topic instanceof FixedTopic);
    expect(fixed.map(({ filter }) => filter)).toEqual(fixed.map(({ name }) => name));
  });
});

test("responses go below the client's own name", () => {
  expect(responsePrefix("home-assistant")).toBe("client/home-assistant/response/");
});
