import { expect, test } from "vitest";
import { answerStandsMs } from "./names.rules.ts";

test.for<[string, number, boolean, number]>([
  ["a name that was found is looked up again after half a minute", 0, false, 30_000],
  ["a name that was not found, after five seconds", 1, false, 5_000],
  ["a name that was not found twice, after twice as long", 2, false, 10_000],
  ["a name that was never found, every five minutes at last", 1_000, false, 300_000],
  ["a name that somebody waits for, after five seconds however often it was not found", 1_000, true, 5_000],
  ["a name that somebody waits for and that was found, after half a minute", 0, true, 30_000],
])("%s", ([, failures, urgent, expected]) => {
  expect(answerStandsMs(failures, { urgent })).toBe(expected);
});
