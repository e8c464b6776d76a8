import { expect, test } from "vitest";
import { sleptBetween } from "./suspend.ts";

const before = { wallMs: 1_790_000_000_000, monotonicMs: 50_000 };

test.for([
  ["time that passes as it should", 5_000, 5_000, false],
  ["a machine that was busy for a moment", 9_000, 9_000, false],
  ["a small correction by NTP", 7_000, 5_000, false],
  ["a clock that was set back", -3_600_000, 5_000, false],
  ["a suspend during which the monotonic clock stood still (Linux)", 605_000, 5_000, true],
  ["a suspend during which it ran on (Windows)", 605_000, 605_000, true],
] as const)("%s", ([, wallMs, monotonicMs, slept]) => {
  const after = { wallMs: before.wallMs + wallMs, monotonicMs: before.monotonicMs + monotonicMs };
  expect(sleptBetween(before, after)).toBe(slept);
});
