import { describe, expect, test } from "vitest";
import { fieldOf, machineBehind, plugState, plugWatts, wattHoursBetween } from "./plug.rules.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

describe("a field of a payload", () => {
  test.each([
    ["ON", null, "ON"],
    [" ON\n", null, "ON"],
    ['{"POWER":"OFF"}', "POWER", "OFF"],
    ['{"ENERGY":{"Power":42.5}}', "ENERGY.Power", "42.5"],
    ['{"state":true}', "state", "true"],
    ['{"ENERGY":{"Power":[1,2]}}', "ENERGY.Power", undefined],
    ['{"state":null}', "state", undefined],
    ["not json", "state", undefined],
    ["[3]", "0", "3"],
    ["{}", "constructor", undefined],
    ["{}", "__proto__.x", undefined],
  ])("%s at %s is %s", (payload, path, value) => {
    expect(fieldOf(bytes(payload), path)).toBe(value);
  });

  test("is not looked for in a payload of megabytes", () => {
    expect(fieldOf(bytes(`{"state":"ON","x":"${"x".repeat(100_000)}"}`), "state")).toBeUndefined();
  });
});

test.each([
  ["ON", true],
  ["on", true],
  ["OFF", false],
  ["Offline", null],
  ["", null],
])("the state %s means %s", (payload, state) => {
  expect(plugState({ statePath: null, stateOn: "ON", stateOff: "OFF" }, bytes(payload))).toBe(state);
});

test.each([
  ["12.5", null, 12.5],
  ["-3", null, 0],
  ["", null, undefined],
  ["NaN", null, undefined],
  ["1e9", null, undefined],
  ['{"power":7}', "power", 7],
])("the watts of %s at %s are %s", (payload, wattsPath, watts) => {
  expect(plugWatts({ wattsPath }, bytes(payload))).toBe(watts);
});

describe("the machine behind a plug", () => {
  test.each([
    ["no power flows", null, false, null, false],
    ["no power flows, though a figure of before says so", 5, false, 80, false],
    ["power may flow, and nobody tells how much", 5, true, null, null],
    ["it draws more than in standby", 5, true, 80, true],
    ["it draws as little as in standby", 5, true, 3, false],
    ["watts are no evidence", null, true, 80, null],
    ["nothing is known", 5, null, null, null],
  ])("%s", (_what, standbyWatts, flows, watts, on) => {
    expect(machineBehind({ standbyWatts }, { flows, watts })).toBe(on);
  });
});

describe("energy", () => {
  const hour = 3_600_000;
  test.each([
    ["the first figure counts nothing", undefined, hour, 0],
    ["a figure stands until the next one", { watts: 120, atMs: 0 }, hour / 4, 30],
    ["a plug that was silent for long was away", { watts: 120, atMs: 0 }, 10 * hour, 30],
    ["a clock that stands still counts nothing", { watts: 120, atMs: hour }, hour, 0],
  ])("%s", (_what, before, nowMs, wattHours) => {
    expect(wattHoursBetween(before, nowMs)).toBe(wattHours);
  });
});
