import { expect, test } from "vitest";
import { Pace } from "./pace.ts";

test("so many begin at once, and the others one after the other", () => {
  const pace = new Pace({ everyMs: 250, atOnce: 3 });
  expect(Array.from({ length: 6 }, () => pace.takeMs(10_000))).toEqual([0, 0, 0, 250, 500, 750]);
});

test("what was not used is there again, up to the bound", () => {
  const pace = new Pace({ everyMs: 250, atOnce: 2 });
  for (let i = 0; i < 4; i++) pace.takeMs(0);
  expect(pace.takeMs(100_000)).toBe(0);
  expect([pace.takeMs(100_000), pace.takeMs(100_000)]).toEqual([0, 250]);
});
