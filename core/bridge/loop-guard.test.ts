import { expect, test } from "vitest";
import { LoopGuard } from "./loop-guard.ts";

const payload = Buffer.from("ON");

test("what a bridge has passed on it knows by its mark, and another's mark is none", () => {
  const [ours, theirs] = [new LoopGuard(), new LoopGuard()];
  expect(ours.isOwn(ours.marked({ transaction: "1" }))).toBe(true);
  expect(ours.isOwn(theirs.marked(undefined))).toBe(false);
  expect(ours.isOwn(undefined)).toBe(false);
  expect(ours.isOwn({})).toBe(false);
});

test("marks keep what a sender wrote, and none of the stamps of the hub's broker", () => {
  const marked = new LoopGuard().marked({
    transaction: "1",
    many: ["a", "b"],
    "pb-by": "hub",
    "pb-site": "s",
    "pb-token": "t",
    "\u0001": "no text",
    long: "x".repeat(257),
  });
  expect(marked).toEqual({ transaction: "1", many: "b", "pb-via": expect.any(String) });
});

test("the same request again and again is a storm, others and later ones are not", () => {
  const guard = new LoopGuard();
  const asked = Array.from({ length: 7 }, (_, turn) => guard.isStorm("device/nas/set", payload, turn));
  expect(asked).toEqual([false, false, false, false, false, true, true]);
  expect(guard.isStorm("device/nas/set", Buffer.from("OFF"), 7)).toBe(false);
  expect(guard.isStorm("device/nas/set", payload, 3_000)).toBe(false);
});
