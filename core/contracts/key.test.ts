import { expect, test } from "vitest";
import { Key } from "./key.ts";

test.each([["nas"], ["pve-1"], ["0"], ["-"], ["a".repeat(63)]])("%s is a key", (key) => {
  expect(Key.parse(key)).toBe(key);
});

test.each([
  ["nothing", ""],
  ["64 characters", "a".repeat(64)],
  ["a capital letter", "NAS"],
  ["an underscore", "__proto__"],
  ["a dot", "nas.lan"],
  ["a slash", "a/b"],
  ["a wildcard", "a+"],
  ["a space", "a b"],
  ["an umlaut", "büro"],
  ["a line break at the end", "nas\n"],
  ["U+0000", "nas\0"],
])("a key with %s is refused", (_what, key) => {
  expect(Key.safeParse(key).error?.issues[0]?.message).toBe("must be 1 to 63 characters of a-z, 0-9 and -");
});
