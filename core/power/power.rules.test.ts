import { describe, expect, test } from "vitest";
import { Key } from "#contracts/key.ts";
import type { PowerState } from "#contracts/power.ts";
import { type Verdict, powerOf, watchersOf } from "./power.rules.ts";

const at = (seconds: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, seconds));
const up = (by: string, seconds = 0): Verdict => ({
  up: true,
  evidence: { by: Key.parse(by), how: "arp", at: at(seconds).toISOString() },
  at: at(seconds),
});
const down = (seconds = 0): Verdict => ({ up: false, evidence: null, at: at(seconds) });

describe("the power state that follows from what agents saw", () => {
  test.each<[string, PowerState, Verdict[], boolean, boolean, PowerState, boolean | null]>([
    // what happened                              before        verdicts               watched waking → power   reachable
    ["nobody ever looked", "unknown", [], false, false, "unknown", null],
    ["somebody looks and has not said anything", "unknown", [], true, false, "unknown", null],
    ["it was seen", "unknown", [up("a")], true, false, "on", true],
    ["it was not seen", "unknown", [down()], true, false, "off", false],
    ["one of two sees it", "off", [down(2), up("b", 1)], true, false, "on", true],
    ["all agree that it is off", "on", [down(), down()], true, false, "off", false],
    ["nobody can look any more and it was on", "on", [], false, false, "unreachable", null],
    ["nobody can look any more and it was off", "off", [], false, false, "unreachable", null],
    ["still nobody can look", "unreachable", [], false, false, "unreachable", null],
    ["somebody can look again and has not said anything", "unreachable", [], true, false, "unreachable", null],
    ["it is seen again", "unreachable", [up("a")], true, false, "on", true],
    ["an agent changes and has not said anything", "on", [], true, false, "on", null],
    ["a wake begins", "off", [down()], true, true, "waking", false],
    ["a wake goes on without any watcher", "waking", [], false, true, "waking", null],
    ["a wake goes on and it is seen", "waking", [down(), up("b")], true, true, "on", true],
    ["a wake ends without a sighting", "waking", [down()], true, false, "off", false],
    ["a wake ends and nobody looked", "waking", [], false, false, "unknown", null],
    ["a wake ends and watchers said nothing", "waking", [], true, false, "unknown", null],
  ])("when %s", (_what, before, verdicts, watched, waking, power, reachable) => {
    expect(powerOf({ before, verdicts, watched, waking })).toMatchObject({ power, reachable });
  });

  test("a wake under way is never contradicted by those who do not see the device", () => {
    for (const before of ["unknown", "off", "waking", "on", "unreachable"] as const)
      for (const verdicts of [[], [down()], [down(), down()]])
        expect(powerOf({ before, verdicts, watched: true, waking: true }).power).toBe("waking");
  });

  test("the newest sighting is the evidence", () => {
    const { evidence } = powerOf({
      before: "on",
      verdicts: [up("old", 1), up("new", 3), up("middle", 2), down(4)],
      watched: true,
      waking: false,
    });
    expect(evidence?.by).toBe("new");
  });
});

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
