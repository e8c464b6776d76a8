import { describe, expect, test } from "vitest";
import {
  afterPowerOff,
  endOfWindow,
  isHopeless,
  pauseAfterBurst,
  pauseAfterFailure,
  planWake,
  windowMsOf,
} from "./wake.rules.ts";

const online = { online: true };
const offline = { online: false };

describe("what a wake request leads to", () => {
  const usual = { enabled: true, power: "off" as const, force: false, agents: [online] };

  test.each([
    ["a device that is off", usual, { type: "send" }],
    ["a device of unknown state", { ...usual, power: "unknown" as const }, { type: "send" }],
    ["a device that nobody can see", { ...usual, power: "unreachable" as const }, { type: "send" }],
    ["one agent of several online", { ...usual, agents: [offline, online] }, { type: "send" }],
    ["a device that is on", { ...usual, power: "on" as const }, { type: "already-on" }],
    ["a device that is on, without any agent", { ...usual, power: "on" as const, agents: [] }, { type: "already-on" }],
    ["a device that is on, by force", { ...usual, power: "on" as const, force: true }, { type: "send" }],
    ["a disabled device", { ...usual, enabled: false }, { type: "refuse", code: "DEVICE_DISABLED" }],
    [
      "a disabled device, by force",
      { ...usual, enabled: false, force: true },
      { type: "refuse", code: "DEVICE_DISABLED" },
    ],
    [
      "a disabled device that is on",
      { ...usual, enabled: false, power: "on" as const },
      { type: "refuse", code: "DEVICE_DISABLED" },
    ],
    ["no agent", { ...usual, agents: [] }, { type: "fail", code: "NO_AGENT" }],
    ["agents that are offline", { ...usual, agents: [offline, offline] }, { type: "fail", code: "ALL_OFFLINE" }],
    [
      "agents that are offline, by force",
      { ...usual, agents: [offline], force: true },
      { type: "fail", code: "ALL_OFFLINE" },
    ],
    [
      "an agent on the device itself alone",
      { ...usual, agents: [], servesItself: true },
      { type: "fail", code: "NO_AGENT", reason: expect.stringContaining("on the device itself") },
    ],
    ["a device that is going down", { ...usual, power: "stopping" as const, goingDown: true }, { type: "wait" }],
    ["a device that was told to go down", { ...usual, power: "on" as const, goingDown: true }, { type: "wait" }],
  ])("for %s", (_what, input, plan) => {
    expect(planWake(input)).toMatchObject(plan);
  });
});

test("the pauses between bursts grow, and the longest stays", () => {
  expect([1, 2, 3, 4, 5, 6, 7].map(pauseAfterBurst)).toEqual([2_000, 5_000, 10_000, 20_000, 40_000, 40_000, 40_000]);
});

describe("a burst that nobody sent", () => {
  const late = { outcome: "refused", reason: "EXPIRED" };
  const early = { outcome: "refused", reason: "NOT_YET_VALID" };
  const failed = { outcome: "failed", reason: "eth0 is down" };

  test.each([
    ["is sent again soon, when a clock was set", [late, early], 1, 1_000],
    ["waits its time, when that did not help", [late, early], 2, undefined],
    ["waits its time, when something else is the matter with one", [late, failed], 1, undefined],
    ["waits its time, when the order was refused for another reason", [{ ...late, reason: "BUSY" }], 1, undefined],
  ])("%s", (_what, answers, failedBursts, pause) => {
    expect(pauseAfterFailure(answers, failedBursts)).toBe(pause);
  });
});

test.each([
  ["two minutes where nothing is set or learned", null, null, 120],
  ["two minutes for a quick one", null, 24, 120],
  ["twice its slow time", null, 90, 180],
  ["a quarter of an hour at most", null, 5_000, 900],
  ["as long as it says", 5, 90, 5],
])("a device is awaited %s", (_what, set, slow, seconds) => {
  expect(windowMsOf(set, slow)).toBe(seconds * 1_000);
});

describe("a wake of a machine that is going down", () => {
  const usual = { goingDown: true, power: "stopping" as const, force: false, waitedMs: 1_000 };

  test.each([
    ["waits while it goes down", usual, "wait"],
    ["waits also while it is still seen on", { ...usual, power: "on" as const }, "wait"],
    ["sends when it is down", { ...usual, goingDown: false, power: "off" as const }, "send"],
    ["sends when nobody can see it any more", { ...usual, goingDown: false, power: "unreachable" as const }, "send"],
    ["has nothing to do when it stayed up", { ...usual, goingDown: false, power: "on" as const }, "already-on"],
    ["sends by force when it stayed up", { ...usual, goingDown: false, power: "on" as const, force: true }, "send"],
    ["does not wait for ever", { ...usual, waitedMs: 15 * 60_000 }, "send"],
  ])("%s", (_what, input, then) => {
    expect(afterPowerOff(input)).toBe(then);
  });
});

describe("a wake is hopeless", () => {
  const asked = { stage: "asked" } as const;
  const sent = { stage: "sent" } as const;
  const failed = { stage: "failed" } as const;
  const refused = { stage: "refused" } as const;

  test.each([
    ["when all failed in two bursts", [failed, refused], 2, true],
    ["not after one burst", [failed, refused], 1, false],
    ["not while one has not answered", [failed, asked], 2, false],
    ["not when one has sent before", [failed, sent], 2, false],
  ])("%s", (_what, parts, failedBursts, hopeless) => {
    expect(isHopeless(parts, failedBursts)).toBe(hopeless);
  });

  test.each([
    ["one sent", [failed, sent, asked], { stage: "no-answer" }],
    ["none sent and one said nothing", [failed, asked], { stage: "failed", code: "NO_RECEIPT" }],
    ["nobody answered", [asked], { stage: "failed", code: "NO_RECEIPT" }],
    ["all failed", [failed, refused], { stage: "failed", code: "SEND_FAILED" }],
  ])("at the end of its window it tells that %s", (_what, parts, end) => {
    expect(endOfWindow(parts)).toMatchObject(end);
  });
});
