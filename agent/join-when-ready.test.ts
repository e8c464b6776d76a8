import { expect, test } from "vitest";
import { joinPauseMs } from "./join-when-ready.ts";

test.for([
  [1, 1_000],
  [2, 2_000],
  [6, 32_000],
  [7, 60_000],
  [1_000, 60_000],
] as const)("after %i attempts that no hub answered the next one waits %i ms", ([attempts, expected]) => {
  expect(joinPauseMs(attempts)).toBe(expected);
});
