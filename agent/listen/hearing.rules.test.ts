import { expect, test } from "vitest";
import { Hearing } from "./hearing.rules.ts";

const nas = { mac: "02:00:00:00:00:01", from: "192.168.1.20" };

test("the packets of a burst are told once, those of the next one again", () => {
  const hearing = new Hearing();
  expect([0, 100, 200, 2_000, 2_100].map((ms) => hearing.isNew(nas, ms))).toEqual([true, false, false, true, false]);
});

test("another machine, and another sender, is news", () => {
  const hearing = new Hearing();
  const news = [nas, { ...nas, mac: "02:00:00:00:00:02" }, { ...nas, from: "192.168.1.21" }, nas];
  expect(news.map((packet) => hearing.isNew(packet, 0))).toEqual([true, true, true, false]);
});

test("of a flood a part is told, and the next second again", () => {
  const hearing = new Hearing();
  const flood = (ms: number) =>
    Array.from({ length: 5_000 }, (_, index) => hearing.isNew({ mac: String(index), from: "10.0.0.66" }, ms)).filter(
      Boolean,
    );
  expect(flood(0)).toHaveLength(400);
  expect(flood(500)).toHaveLength(0);
  expect(flood(3_000)).toHaveLength(400);
});
