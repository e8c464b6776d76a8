import { describe, expect, test } from "vitest";
import type { EvidenceKind } from "#contracts/power.ts";
import { Key } from "#contracts/key.ts";
import { addDuration, creditedWays, durationOf, learnWays, MAX_WAYS, type SentWay } from "./recipe.rules.ts";
import type { LearnedWay } from "./wake-recipe.entity.ts";

const AT = "2026-11-21T10:00:00.000Z";
const BEFORE = "2026-11-20T10:00:00.000Z";

function sent(agent: string, address: string, atMs = 0, changes: Partial<SentWay> = {}): SentWay {
  return { agentId: `id-${agent}`, agentKey: agent, interface: "eth0", address, port: 9, atMs, ...changes };
}

function known(agent: string, address: string, successes: number): LearnedWay {
  return { agentId: `id-${agent}`, interface: "eth0", address, port: 9, successes, lastAt: BEFORE };
}

describe("how long a device takes", () => {
  test.each([
    ["is not known before it woke", [], null, null],
    ["is what it took once", [24], 24, 24],
    ["is the median, and what nine of ten did not exceed", [20, 21, 22, 23, 24, 25, 26, 27, 28, 90], 24, 28],
    ["is not moved by one slow wake", [20, 300, 21], 21, 300],
  ])("%s", (_what, durations, typical, slow) => {
    expect([durationOf(durations, 0.5), durationOf(durations, 0.9)]).toEqual([typical, slow]);
  });

  test("is told by the last twenty wakes", () => {
    const durations = Array.from({ length: 30 }, (_, index) => index).reduce<number[]>(addDuration, []);
    expect(durations).toEqual(Array.from({ length: 20 }, (_, index) => index + 10));
  });
});

describe("a device that woke is credited to", () => {
  const pi = sent("pi", "10.0.0.255");
  const nuc = sent("nuc", "10.0.0.255");
  const late = sent("pi", "10.0.0.7", 22_000);
  const seen = (how: EvidenceKind, by = "pi", typicalSeconds: number | null = null, seenMs = 23_000) => ({
    evidence: { by: Key.parse(by), how, at: AT },
    typicalSeconds,
    seenMs,
  });

  test.each([
    ["all that was sent, when it is the first time", [pi, nuc, late], seen("tcp"), [pi, nuc, late]],
    ["the agent that has it in its neighbour table", [pi, nuc], seen("arp", "nuc"), [nuc]],
    ["all, when the one that has it in its table did not send", [pi, nuc], seen("arp", "other"), [pi, nuc]],
    ["what was early enough for a machine of its pace", [pi, nuc, late], seen("icmp", "pi", 20), [pi, nuc]],
    ["the first, when it was faster than ever", [pi, late], seen("tcp", "pi", 300), [pi]],
    ["nothing that was sent after it was seen", [pi, late], seen("tcp", "pi", null, 21_000), [pi]],
    ["nothing, when nothing was sent", [], seen("tcp"), []],
  ])("%s", (_what, ways, circumstances, credited) => {
    expect(creditedWays(ways, circumstances)).toEqual(credited);
  });
});

describe("the ways of a device", () => {
  const names = (ways: readonly LearnedWay[]) => ways.map(({ agentId, successes }) => [agentId, successes]);

  test("that worked gain, and come first", () => {
    const ways = learnWays([known("pi", "a", 2), known("nuc", "a", 2)], [sent("nuc", "a")], [sent("nuc", "a")], AT);
    expect(names(ways)).toEqual([
      ["id-nuc", 3],
      ["id-pi", 2],
    ]);
    expect(ways[0]?.lastAt).toBe(AT);
  });

  test("that were sent in vain lose half, and are forgotten in the end", () => {
    const tried = [sent("pi", "a"), sent("nuc", "a")];
    const once = learnWays([known("pi", "a", 3)], tried, [sent("nuc", "a")], AT);
    expect(names(once)).toEqual([
      ["id-nuc", 1],
      ["id-pi", 1],
    ]);
    expect(names(learnWays(once, tried, [sent("nuc", "a")], AT))).toEqual([["id-nuc", 2]]);
  });

  test("differ by interface, address and port", () => {
    const same = [
      sent("pi", "a"),
      sent("pi", "b"),
      sent("pi", "a", 0, { port: 7 }),
      sent("pi", "a", 0, { interface: null }),
    ];
    expect(learnWays([], same, same, AT)).toHaveLength(4);
  });

  test("are a few, whatever was sent", () => {
    const many = Array.from({ length: 200 }, (_, index) => sent(`agent-${index}`, "a"));
    expect(learnWays([known("pi", "a", 5)], many, many, AT)).toHaveLength(MAX_WAYS);
    expect(learnWays([known("pi", "a", 5)], many, many, AT)[0]).toMatchObject({ agentId: "id-pi" });
  });
});
