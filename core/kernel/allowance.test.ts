import { expect, test } from "vitest";
import { Allowance } from "./allowance.ts";

test("so many are let through for each name and for all, and again in the next period", () => {
  const allowance = new Allowance({ each: 2, all: 3, periodMs: 1_000 });
  const take = (names: string, nowMs: number) =>
    names
      .split("")
      .filter((name) => allowance.take(name, nowMs))
      .join("");
  expect(take("aaabbb", 10)).toBe("aab");
  expect(take("c", 999)).toBe("");
  expect(take("aaa", 1_000)).toBe("aa");
});
