import { expect, test } from "vitest";
import { switchState } from "./now.ts";

test.each([
  ["on", "OFF", "ON"],
  ["waking", "OFF", "ON"],
  ["off", "ON", "OFF"],
  ["stopping", "ON", "OFF"],
  ["unreachable", "ON", "ON"],
  ["unreachable", "OFF", "OFF"],
  ["unreachable", "None", "None"],
  ["unknown", "ON", "None"],
] as const)("the switch of a device that is %s, after %s, is %s", (power, last, state) => {
  expect(switchState(power, last)).toBe(state);
});
