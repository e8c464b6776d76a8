import { expect, test } from "vitest";
import { Name } from "./common.ts";

test.each<[string, string, boolean]>([
  ["a plain one", "NAS", true],
  ["another script", "Домашний сервер", true],
  ["an emoji", "Router 🛜", true],
  ["a word written from right to left", "מחשב", true],
  ["nothing but spaces", "   ", false],
  ["one too long", "x".repeat(81), false],
  ["a line break", "N\nAS", false],
  ["a NUL", "N\0AS", false],
  ["half of a surrogate pair", "N\ud83dAS", false],
  ["a turn of the writing direction, which turns round what follows on a page", "NAS\u202e", false],
  ["an isolate that is not closed", "NAS\u2067", false],
])("a name that is %s", (_what, name, isTaken) => {
  expect(Name.safeParse(name).success).toBe(isTaken);
});
