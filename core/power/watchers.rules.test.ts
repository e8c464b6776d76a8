import { describe, expect, test } from "vitest";
import { watchersOf } from "./watchers.rules.ts";

describe("who watches a device", () => {
  const agents = (count: number, online = true) =>
    Array.from({ length: count }, (_, i) => ({ id: `agent-${i}`, online }));

  test("are three at the most", () => {
    expect(watchersOf("device", [])).toEqual([]);
    expect(watchersOf("device", agents(1))).toEqual(["agent-0"]);
    expect(watchersOf("device", agents(10))).toHaveLength(3);
  });

  test("are those online first, and those offline where nobody else is", () => {
    const mixed = [...agents(5, false), { id: "here", online: true }];
    expect(watchersOf("device", mixed)[0]).toBe("here");
    expect(watchersOf("device", mixed)).toHaveLength(3);
  });

  test("stay the same however the agents are listed", () => {
    const ten = agents(10);
    expect(watchersOf("device", ten.toReversed())).toEqual(watchersOf("device", ten));
  });

  test("change little when one agent goes", () => {
    const ten = agents(10);
    for (let device = 0; device < 100; device++) {
      const before = watchersOf(`device-${device}`, ten);
      const after = watchersOf(
        `device-${device}`,
        ten.filter(({ id }) => id !== before[0]),
      );
      expect(after.slice(0, 2)).toEqual(before.slice(1));
    }
  });

  test("are spread over a large cluster", () => {
    const counts = new Map<string, number>();
    const ten = Array.from({ length: 10 }, () => ({ id: crypto.randomUUID(), online: true }));
    for (let device = 0; device < 1_000; device++)
      for (const id of watchersOf(crypto.randomUUID(), ten)) counts.set(id, (counts.get(id) ?? 0) + 1);
    expect(counts.size).toBe(10);
    for (const count of counts.values()) {
      expect(count).toBeGreaterThan(200);
      expect(count).toBeLessThan(400);
    }
  });
});
