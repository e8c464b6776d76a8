import { describe, expect, test } from "vitest";
import { Key } from "#contracts/key.ts";
import type { PowerState } from "#contracts/power.ts";
import { afterReturn, holdMs, NO_BOUNCES } from "./bounce.rules.ts";
import { type Because, OWN_WORD_MS, type PowerInput, powerOf, type Verdict, verdictsThatCount } from "./power.rules.ts";

const NOW_MS = 1_000_000;
const at = (secondsAgo: number) => new Date(Date.UTC(2026, 0, 1) - secondsAgo * 1_000).toISOString();
const spoken = (secondsAgo: number) => ({ sinceMs: NOW_MS - secondsAgo * 1_000, atMs: NOW_MS - secondsAgo * 1_000 });
const up = (by: string, secondsAgo = 0): Verdict => ({
  up: true,
  evidence: { by: Key.parse(by), how: "arp", at: at(secondsAgo) },
  isByMac: true,
  ...spoken(secondsAgo),
});
const down = (secondsAgo = 0): Verdict => ({ up: false, evidence: null, isByMac: false, ...spoken(secondsAgo) });
const own = (heardSecondsAgo = 0) =>
  ({
    state: "online",
    heardMs: NOW_MS - heardSecondsAgo * 1_000,
    evidence: { by: Key.parse("nas-agent"), how: "agent", at: at(heardSecondsAgo) },
  }) as const;
const ownLeft = (secondsAgo = 0) => ({ state: "leaving", leftMs: NOW_MS - secondsAgo * 1_000 }) as const;
const plug = (on: boolean) =>
  ({ on, evidence: { by: Key.parse("hub"), how: "plug", at: at(0) }, sinceMs: NOW_MS }) as const;

const input = (changes: Partial<PowerInput>): PowerInput => ({
  settled: "unknown",
  known: changes.settled !== undefined && changes.settled !== "unknown",
  verdicts: [],
  watched: (changes.verdicts?.length ?? 0) > 0,
  own: null,
  plug: null,
  command: null,
  goingDown: null,
  holdMs: 0,
  nowMs: NOW_MS,
  ...changes,
});

describe("the power state that follows", () => {
  test.each<[string, Partial<PowerInput>, PowerState, boolean | null, Because]>([
    // what happened, what is known, → power, reachable, because
    ["nobody ever looked", {}, "unknown", null, "nobody-looks"],
    ["somebody looks and has not said anything", { watched: true }, "unknown", null, "command-over"],
    ["it was seen", { verdicts: [up("a")] }, "on", true, "seen"],
    ["it was not seen", { verdicts: [down()] }, "off", false, "missed"],
    ["one of two sees it", { settled: "off", verdicts: [down(2), up("b", 3)] }, "on", true, "seen"],
    ["all agree that it is off", { settled: "on", verdicts: [down(), down()] }, "off", false, "missed"],
    ["nobody can look any more and it was on", { settled: "on" }, "unreachable", null, "nobody-looks"],
    ["nobody can look any more and it was off", { settled: "off" }, "unreachable", null, "nobody-looks"],
    ["still nobody can look", { settled: "unreachable" }, "unreachable", null, "nobody-looks"],
    [
      "somebody can look again and has not said anything",
      { settled: "unreachable", watched: true },
      "unreachable",
      null,
      "command-over",
    ],
    ["it is seen again", { settled: "unreachable", verdicts: [up("a")] }, "on", true, "seen"],
    ["an agent changes and has not said anything", { settled: "on", watched: true }, "on", null, "command-over"],

    ["a wake begins", { settled: "off", verdicts: [down()], command: "waking" }, "waking", false, "wake"],
    ["a wake goes on without any watcher", { settled: "off", command: "waking" }, "waking", null, "wake"],
    ["a wake goes on and it is seen", { verdicts: [down(), up("b")], command: "waking" }, "on", true, "seen"],
    ["a wake ends without a sighting", { settled: "off", verdicts: [down()] }, "off", false, "missed"],
    [
      "a wake goes on and its agent comes online",
      { settled: "off", own: own(), command: "waking" },
      "on",
      true,
      "own-agent",
    ],
    [
      "it is woken while it goes down and still answers",
      { settled: "on", verdicts: [up("a")], command: "waking", goingDown: "told" },
      "waking",
      true,
      "wake",
    ],
    [
      "it is woken while it goes down and its agent has not left yet",
      { settled: "on", own: own(), command: "waking", goingDown: "told" },
      "waking",
      true,
      "wake",
    ],
    [
      "it is seen after it went down and was woken",
      { settled: "on", verdicts: [up("a")], command: "waking", goingDown: "went" },
      "on",
      true,
      "seen",
    ],

    ["a power-off begins", { settled: "on", verdicts: [up("a")], command: "stopping" }, "stopping", true, "power-off"],
    ["a power-off goes on and nobody looks", { settled: "on", command: "stopping" }, "stopping", null, "power-off"],
    ["it is seen to be off", { settled: "on", verdicts: [down()], command: "stopping" }, "off", false, "power-off"],
    [
      "one of two still sees it go down",
      { settled: "on", verdicts: [down(), up("b")], command: "stopping" },
      "stopping",
      true,
      "power-off",
    ],
    [
      "its agent, which nobody else can see, has not left yet",
      { settled: "on", verdicts: [down(900)], own: own(), command: "stopping" },
      "stopping",
      true,
      "power-off",
    ],
    [
      "its agent left after it said so, and nobody else can look",
      { settled: "on", own: ownLeft(), command: "stopping", goingDown: "told" },
      "off",
      null,
      "power-off",
    ],
    [
      "its agent left after it said so, and others have not looked yet",
      { settled: "on", watched: true, own: ownLeft(), command: "stopping", goingDown: "told" },
      "stopping",
      null,
      "power-off",
    ],
    [
      "its agent has left as it said, and others have not looked since it was up",
      { settled: "on", verdicts: [down(60)], own: ownLeft(1), command: "stopping", goingDown: "told" },
      "stopping",
      null,
      "power-off",
    ],
    [
      "its agent has left as it said, and others miss it since",
      { settled: "on", verdicts: [down(0)], own: ownLeft(1), command: "stopping", goingDown: "told" },
      "off",
      false,
      "power-off",
    ],
    [
      "its agent left without a word while it goes down by other means",
      { settled: "on", own: ownLeft(), command: "stopping" },
      "stopping",
      null,
      "power-off",
    ],
    ["it went down long ago and nobody can look", { settled: "off", goingDown: "went" }, "off", null, "power-off"],

    ["its own agent is online", { own: own() }, "on", true, "own-agent"],
    ["its own agent is online and others do not see it", { verdicts: [down()], own: own() }, "on", true, "own-agent"],
    [
      "its own agent was heard a heartbeat ago and others do not see it",
      { settled: "on", verdicts: [down()], own: own(31) },
      "on",
      true,
      "own-agent",
    ],
    [
      "its own agent is online to the broker alone, and others do not see it",
      { settled: "on", verdicts: [down()], own: own(46) },
      "off",
      false,
      "missed",
    ],
    [
      "its own agent is online to the broker alone, and nobody contradicts",
      { settled: "on", own: own(3_600) },
      "on",
      true,
      "own-agent",
    ],
    [
      "its own agent left a moment ago and nobody has looked since",
      { settled: "on", verdicts: [down(900)], own: ownLeft(5) },
      "on",
      null,
      "command-over",
    ],
    [
      "its own agent left and others missed it after that",
      { settled: "on", verdicts: [down(1)], own: ownLeft(5) },
      "off",
      false,
      "missed",
    ],
    ["its own agent left and others see it", { verdicts: [up("a")], own: ownLeft() }, "on", true, "seen"],

    ["its plug is off", { settled: "on", plug: plug(false) }, "off", false, "plug"],
    ["its plug is on and nobody else looks", { plug: plug(true) }, "on", null, "plug"],
    ["its plug is on, and it is not seen", { verdicts: [down()], plug: plug(true) }, "off", false, "missed"],
    ["its plug is off, and it is seen", { verdicts: [up("a")], plug: plug(false) }, "on", true, "seen"],
  ])("when %s", (_what, known, power, reachable, because) => {
    expect(powerOf(input(known))).toMatchObject({ power, reachable, because });
  });

  test("is asked for again when the word of its own agent grows old", () => {
    expect(powerOf(input({ verdicts: [down()], own: own(10) })).againInMs).toBe(OWN_WORD_MS - 10_000);
    expect(powerOf(input({ own: own(10) })).againInMs).toBeNull();
  });

  test("is off only after a while where the device bounced before", () => {
    const missed = { settled: "on", verdicts: [down(4), down(30)], holdMs: 10_000 } as const;
    expect(powerOf(input(missed))).toMatchObject({ power: "on", reachable: false, againInMs: 6_000 });
    expect(powerOf(input({ ...missed, verdicts: [down(10)] }))).toMatchObject({ power: "off", againInMs: null });
    expect(powerOf(input({ ...missed, command: "stopping" })).power).toBe("off");
  });

  test("rests on the newest sighting", () => {
    const verdicts = [up("old", 3), up("new", 1), up("middle", 2), down()];
    expect(powerOf(input({ verdicts })).evidence?.by).toBe("new");
  });
});

describe("a device that comes back by itself soon after it was missed", () => {
  const MINUTE_MS = 60_000;

  test("has to be missed for longer each time, up to a minute", () => {
    let bounces = NO_BOUNCES;
    const holds = Array.from({ length: 6 }, (_, i) => {
      bounces = afterReturn(bounces, 20_000, i * MINUTE_MS);
      return holdMs(bounces, i * MINUTE_MS);
    });
    expect(holds).toEqual([10_000, 20_000, 40_000, 60_000, 60_000, 60_000]);
  });

  test("is forgiven with time", () => {
    const bounced = afterReturn(afterReturn(NO_BOUNCES, 1_000, 0), 1_000, 0);
    expect([0, 29, 31, 61].map((minutes) => holdMs(bounced, minutes * MINUTE_MS))).toEqual([20_000, 20_000, 10_000, 0]);
  });

  test("did not bounce when it was away for long", () => {
    expect(holdMs(afterReturn(NO_BOUNCES, 3 * MINUTE_MS, 0), 0)).toBe(0);
  });
});

test("while another machine has its address, only who compared the MAC address saw the device up", () => {
  const routed: Verdict = { ...up("far"), isByMac: false };
  const all = [up("near"), routed, down()];
  expect(verdictsThatCount(all, false)).toEqual(all);
  expect(verdictsThatCount(all, true)).toEqual([up("near"), down()]);
});
