import { expect, test } from "vitest";
import { localPath } from "./return-to.rules.ts";

test.each(["/", "/devices/nas", "/devices?q=a%20b&x=//y#z", "/settings/profile"])("%s is a page of the hub", (path) => {
  expect(localPath(path)).toBe(path);
});

test.each([
  undefined,
  "",
  "devices",
  "//evil.example",
  "///evil.example",
  "/\\evil.example",
  "\\/evil.example",
  "/\t/evil.example",
  "/\n/evil.example",
  "\t//evil.example",
  " //evil.example",
  "/.//evil.example",
  "/..//evil.example",
  "/%2e//evil.example",
  "/a/..//evil.example",
  "https:evil.example",
  "https://evil.example/",
  "javascript:alert(1)",
  "@evil.example",
  "/a\0b",
  "/a\u0085b",
  "/\ud800",
  "/api",
  "/api/auth/login/oauth",
  "/x/../api/auth/login/oauth",
  `/${"a".repeat(1_000)}`,
])("%j leads to the first page", (path) => {
  expect(localPath(path)).toBe("/");
});

test("a name of the hub's own that only looks like one of the API is a page", () => {
  expect(localPath("/apiary")).toBe("/apiary");
});
