import { describe, expect, test } from "vitest";
import { failuresAfter, isRefusal, isTooNew, pauseMs, versionAfter } from "./reconnect.rules.ts";

const end = { code: undefined, reason: "the connection was closed", livedMs: 0 };

describe("the pause before the next attempt", () => {
  test.for([
    [0, 500],
    [1, 1_000],
    [2, 2_000],
    [3, 4_000],
    [4, 8_000],
    [1_000, 8_000],
  ] as const)("after %i failures is anything from nothing up to %i ms", ([failures, longest]) => {
    expect(pauseMs(failures, false, 0)).toBe(0);
    expect(pauseMs(failures, false, 0.5)).toBe(longest / 2);
    expect(pauseMs(failures, false, 0.999_999)).toBeCloseTo(longest, -1);
  });

  test("is about five minutes when the hub refuses this agent", () => {
    expect(pauseMs(0, true, 0.5)).toBe(300_000);
    expect(pauseMs(0, true, 0)).toBeGreaterThan(200_000);
  });

  test("starts anew after a connection that lived", () => {
    expect(failuresAfter(7, { ...end, livedMs: 5_000 })).toBe(0);
    expect(failuresAfter(7, { ...end, livedMs: 4_999 })).toBe(8);
  });
});

test.for([
  ["bad user name or password (MQTT 5)", 0x86, true],
  ["not authorized (MQTT 5)", 0x87, true],
  ["not authorized (MQTT 3.1.1)", 5, true],
  ["taken over by another connection with this credential", 0x8e, true],
  ["server unavailable", 0x88, false],
  ["server shutting down", 0x8b, false],
  ["an end without a code", undefined, false],
] as const)("%s: a refusal? %s", ([, code, refused]) => {
  expect(isRefusal({ ...end, code })).toBe(refused);
});

describe("a refusal of an agent that joined a moment ago", () => {
  const joinedAt = new Date("2026-11-21T12:00:00Z");
  test.for([
    ["may be over soon", 0x86, "12:09:59", true],
    ["may be over soon on 3.1.1, too", 5, "12:00:01", true],
    ["is for good ten minutes later", 0x86, "12:10:00", false],
    ["is for good where the clock was set back", 0x86, "11:59:59", false],
    ["is for good when another process took the connection over", 0x8e, "12:00:01", false],
  ] as const)("%s", ([, code, time, expected]) => {
    expect(isTooNew({ ...end, code }, joinedAt, new Date(`2026-11-21T${time}Z`))).toBe(expected);
  });
});

test.for([
  ["MQTT 3.1.1 says so", 5, 1, 4],
  ["MQTT 5 says so", 5, 0x84, 4],
  ["3.1.1 is not understood either", 4, 1, 5],
  ["the agent is refused for another reason", 5, 0x87, 5],
  ["the connection just ends", 4, undefined, 4],
] as const)("after a refusal of the version where %s: from %i by %o to %i", ([, version, code, next]) => {
  expect(versionAfter(version, { ...end, code })).toBe(next);
});
