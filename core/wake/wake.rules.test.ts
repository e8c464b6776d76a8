import { describe, expect, test } from "vitest";
import { endOfWindow, isHopeless, pauseAfterBurst, planWake, windowMsOf } from "./wake.rules.ts";

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
  ])("for %s", (_what, input, plan) => {
    expect(planWake(input)).toMatchObject(plan);
  });
});

test("the pauses between bursts grow, and end", () => {
  expect([1, 2, 3, 4, 5, 6, 7].map(pauseAfterBurst)).toEqual([
    2_000,
    5_000,
    10_000,
    20_000,
    40_000,
    undefined,
    undefined,
  ]);
});

test("a device is awaited for two minutes unless it says otherwise", () => {
  expect(windowMsOf(null)).toBe(120_000);
  expect(windowMsOf(5)).toBe(5_000);
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
