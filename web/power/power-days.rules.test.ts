import { expect, test } from "vitest";
import type { PowerState } from "#contracts/power.ts";
import { daysOf, startOfDays } from "./power-days.rules.ts";

// the tests of the page run in Central Europe

const NOON = Date.parse("2026-11-21T11:00:00Z");
const HOUR_MS = 3_600_000;

const state = (at: string, power: PowerState) => ({ at, power });

test("a state that goes over midnight is part of both days, and ends now", () => {
  const [today, yesterday, before] = daysOf([state("2026-11-20T21:00:00Z", "on")], 3, NOON);
  expect(today).toMatchObject({ startMs: Date.parse("2026-11-20T23:00:00Z"), onSeconds: 12 * 3_600 });
  expect(today?.parts).toEqual([{ power: "on", fromMs: NOON - 12 * HOUR_MS, toMs: NOON }]);
  expect(yesterday).toMatchObject({ onSeconds: 2 * 3_600 });
  expect(before).toMatchObject({ onSeconds: 0, parts: [] });
});

test("states follow each other without a gap, and nothing is claimed of the time before the first", () => {
  const states = [
    state("2026-11-21T05:00:00Z", "off"),
    state("2026-11-21T07:00:00Z", "waking"),
    state("2026-11-21T07:01:00Z", "on"),
  ];
  const [today] = daysOf(states, 1, NOON);
  expect(today?.parts.map(({ power, fromMs, toMs }) => [power, (toMs - fromMs) / 60_000])).toEqual([
    ["off", 120],
    ["waking", 1],
    ["on", 239],
  ]);
});

test("the day on which the clocks are put back has 25 hours", () => {
  const [, day] = daysOf([state("2026-10-01T00:00:00Z", "on")], 2, Date.parse("2026-10-26T12:00:00Z"));
  expect(day?.onSeconds).toBe(25 * 3_600);
  expect(startOfDays(1, NOON)).toBe(Date.parse("2026-11-20T23:00:00Z"));
});
