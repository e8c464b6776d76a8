import { expect, test } from "vitest";
import { z } from "zod";
import { AnyInstant } from "#contracts/instant.ts";
import { inputWords } from "./input-words.ts";

const schemas = z.object({
  name: z.string().min(1).max(5),
  password: z.string().min(8),
  count: z.int().min(1).max(10),
  share: z.number().gt(0).lt(1),
  ports: z.array(z.int()).min(1).max(2),
  os: z.enum(["linux", "windows"]),
  api: z.literal(1),
  enabled: z.boolean(),
  id: z.uuid(),
  email: z.email(),
  site: z.url(),
  at: z.iso.datetime(),
  wake: z.object({}),
  action: z.union([z.literal("wake"), z.enum(["sleep", "reboot"])]),
  when: z.discriminatedUnion("type", [
    z.object({ type: z.literal("once"), at: z.string() }),
    z.object({ type: z.literal("sun"), event: z.string() }),
  ]),
});

test.each<[keyof typeof schemas.shape, unknown, string]>([
  ["name", undefined, "is missing"],
  ["name", 5, "must be text"],
  ["name", "", "is empty"],
  ["name", "too long", "is longer than 5 characters"],
  ["password", "short", "is shorter than 8 characters"],
  ["count", "x", "must be a number"],
  ["count", Number.NaN, "must be a number"],
  ["count", 1.5, "must be a whole number"],
  ["count", 0, "must be at least 1"],
  ["count", 11, "must be at most 10"],
  ["share", 0, "must be more than 0"],
  ["share", 1, "must be less than 1"],
  ["ports", 9, "must be a list"],
  ["ports", [], "is empty"],
  ["ports", [1, 2, 3], "holds more than 2"],
  ["os", "plan9", "must be one of linux, windows"],
  ["api", 2, "must be 1"],
  ["enabled", "yes", "must be true or false"],
  ["id", "nas", "is not an id"],
  ["email", "nobody", "is not an e-mail address"],
  ["site", "here", "is not an address such as https://example.org"],
  ["at", "now", "is not an instant such as 2026-01-31T12:00:00Z"],
  ["wake", [], "must be an object"],
  ["action", "explode", "must be one of wake, sleep, reboot"],
  ["when", { type: "moon" }, "must be one of once, sun"],
  ["when", {}, "must be one of once, sun"],
])("%s: %o %s", (field, input, words) => {
  const { error } = schemas.shape[field].safeParse(input, { error: inputWords });
  expect(error?.issues[0]?.message).toBe(words);
});

test("what a schema says itself is left as it is", () => {
  const { error } = z.string().regex(/^a/, "does not begin with a").safeParse("b", { error: inputWords });
  expect(error?.issues[0]?.message).toBe("does not begin with a");
});

test("what is no instant at all is told once", () => {
  expect(AnyInstant.safeParse("soon", { error: inputWords }).error?.issues).toHaveLength(1);
});
