import { describe, expect, test } from "vitest";
import { Key } from "#contracts/key.ts";
import { freeKey, keyFromName } from "./keys.ts";

describe("the key that a name suggests", () => {
  test.each([
    ["NAS", "nas"],
    ["Büro-PC 2", "buero-pc-2"],
    ["Bu\u0308ro", "buero"],
    ["ÄÖÜß", "aeoeuess"],
    ["Crème brûlée", "creme-brulee"],
    ["Ñandú", "nandu"],
    ["  a -- b  ", "a-b"],
    ["pve_1.lan", "pve-1-lan"],
    ["x".repeat(80), "x".repeat(50)],
    [`${"x".repeat(49)} y`, "x".repeat(49)],
    ["constructor", "constructor"],
    ["サーバー", "device"],
    ["🖥️", "device"],
    ["--", "device"],
    ["Unassigned", "device"],
    ["unassigned-2", "device"],
  ])("%s is %s", (name, key) => {
    expect(keyFromName(name, "device")).toBe(key);
  });
});

describe("a free key", () => {
  const taken =
    (...keys: string[]) =>
    (key: string) =>
      keys.includes(key);
  const nas = Key.parse("nas");

  test("is the wanted one when nobody has it", () => {
    expect(freeKey(nas, taken())).toBe("nas");
  });

  test("gets the first free number", () => {
    expect(freeKey(nas, taken("nas"))).toBe("nas-2");
    expect(freeKey(nas, taken("nas", "nas-2", "nas-4"))).toBe("nas-3");
  });

  test("gets a random number after many tries", () => {
    const numbered = Array.from({ length: 100 }, (_, number) => `nas-${number}`);
    expect(freeKey(nas, taken("nas", ...numbered))).toMatch(/^nas-\d{10}$/);
  });

  test("stays a key at the greatest length", () => {
    const long = keyFromName("x".repeat(80), "device");
    expect(freeKey(long, (key) => /^x+(-\d{1,2})?$/.test(key))).toMatch(/^x{50}-\d{10}$/);
  });
});
