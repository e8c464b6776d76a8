import { describe, expect, test } from "vitest";
import type { LastPowerOff } from "#contracts/power.ts";
import type { PowerOffStage, PowerOffStageRecord } from "#contracts/power-off.ts";
import { NOW_MS, device, freshId, secondsAgo } from "../fixtures/rows.ts";
import { isInNeedOfDoctor, noteOf, powerSentence, wakeProgress } from "./device.ts";
import { isForceable, mayCancel, powerOffProgress, powerOffSentence } from "./power-off.ts";

type Key = LastPowerOff["by"] & ReturnType<typeof device>["key"];
const at = secondsAgo(0);
const pi = "pi" as Key;
const until = secondsAgo(-28);

const accepted: PowerOffStageRecord = { stage: "accepted", at, way: "agent", agent: pi };
const announced = (users: number | null): PowerOffStageRecord => ({ stage: "announced", at, until, users });
const running = (stage: PowerOffStage, action: "shutdown" | "reboot" = "shutdown") => ({
  id: freshId(),
  action,
  stage,
  until: stage === "announced" ? until : null,
});

describe("a power-off that runs", () => {
  test.each([
    ["accepted", [], "Asking…"],
    ["accepted", [accepted], "Asking pi"],
    ["accepted", [{ ...accepted, way: "ssh", agent: null }], "Asking by SSH"],
    ["sent", [accepted], "Asked pi · no answer yet"],
    ["announced", [accepted, announced(1)], "Asked pi · goes down in 28 s unless somebody there says not now"],
    ["announced", [accepted, announced(0)], "Asked pi · goes down in 28 s; nobody is logged in there"],
    ["announced", [], "Goes down in 28 s unless somebody there says not now"],
    ["acknowledged", [accepted], "Waiting until it is seen off"],
  ] as const)("that is %s after %j says “%s”", (stage, steps, words) => {
    expect(powerOffProgress({ powerOff: running(stage), steps, nowMs: NOW_MS })).toBe(words);
  });

  test("counts down to now, and not below", () => {
    const powerOff = { ...running("announced"), until: secondsAgo(5) };
    expect(powerOffProgress({ powerOff, steps: [], nowMs: NOW_MS })).toBe("Goes down now");
  });

  test("may be taken back until it is carried out", () => {
    expect(["accepted", "sent", "announced"].map((stage) => mayCancel(running(stage as PowerOffStage)))).toEqual([
      true,
      true,
      true,
    ]);
    expect(mayCancel(running("acknowledged"))).toBe(false);
    expect(mayCancel(null)).toBe(false);
  });

  test("of a reboot waits for its return, and says in the power state what it is", () => {
    const powerOff = running("acknowledged", "reboot");
    expect(powerOffProgress({ powerOff, steps: [], nowMs: NOW_MS })).toBe("Waiting until it is back");
    expect(powerSentence({ power: "stopping", since: secondsAgo(5), powerOff }, NOW_MS)).toBe("Rebooting… 5 s");
  });
});

test.each([
  [{ stage: "announced", at, until, users: 2 }, "Told 2 people there that it goes down"],
  [{ stage: "acknowledged", at }, "Shutting down"],
  [{ stage: "off", at, seconds: 21 }, "Seen off after 21 s"],
  [
    { stage: "still-on", at, seconds: 120, evidence: { by: pi, how: "icmp", at } },
    "Still on after 2 min, seen by pi (ping)",
  ],
  [{ stage: "cancelled", at, by: "anna", reason: "not now" }, "Called off by anna: not now"],
  [{ stage: "failed", at, code: "INHIBITED", reason: "A backup runs" }, "A backup runs"],
] as const)("%j is told as “%s”", (record, words) => {
  expect(powerOffSentence(record, "shutdown")).toBe(words);
});

test("what a person may overrule is what the hub may be forced to, and nothing else", () => {
  expect(["STRANDED", "LEASED", "NEEDED_BY", "INHIBITED", "NOT_ARMED"].every(isForceable)).toBe(true);
  expect(["FORBIDDEN", "EXPIRED", "BUSY", null, undefined].some(isForceable)).toBe(false);
});

describe("the note of a device", () => {
  const around = { nowMs: NOW_MS, mayWake: true, mayPower: true };
  const lastPowerOff = (row: Partial<LastPowerOff>): LastPowerOff => ({
    at: secondsAgo(60),
    action: "shutdown",
    outcome: "off",
    seconds: 21,
    reason: null,
    by: "anna",
    ...row,
  });

  test.each([
    ["that went down says who asked and how long it took", { power: "off" }, {}, /^Shut down in 21 s, asked by anna$/],
    ["that is on still says so", { power: "on" }, { outcome: "still-on" }, /still on/],
    [
      "that could not go down says why",
      { power: "on" },
      { outcome: "failed", reason: "A backup runs" },
      /^A backup runs$/,
    ],
    [
      "that somebody kept on says so",
      { power: "on" },
      { outcome: "cancelled", reason: "not now" },
      /^Called off: not now$/,
    ],
    [
      "that is held on says until when",
      { power: "on", leases: 1, heldUntil: secondsAgo(-3_600) },
      null,
      /^Held on until 14:00$/,
    ],
  ] as const)("%s", (_what, row, last, words) => {
    const nas = device({ ...row, lastPowerOff: last && lastPowerOff(last) });
    expect(noteOf(nas, undefined, around)?.text).toMatch(words);
  });

  test("forgets after a while how a power-off ended that came to nothing", () => {
    const nas = device({ power: "on", lastPowerOff: lastPowerOff({ at: secondsAgo(7_200), outcome: "failed" }) });
    expect(noteOf(nas, undefined, around)).toBeUndefined();
  });

  test("says what the doctor found after a wake that nobody answered", () => {
    const lastWake = { at: secondsAgo(30), outcome: "no-answer", seconds: null, agents: [], by: "anna" } as const;
    const nas = device({ lastWake: { ...lastWake, agents: [] } });
    const findings = [{ code: "NOT_ARMED", title: "Its network card is not armed", advice: "Arm it" } as const];
    const news = { stage: "no-answer", at, seconds: 120, resent: 3, agents: [], findings } as const;
    expect(noteOf(nas, { ...news, agents: [], findings: [...findings] }, around)).toEqual({
      tone: "warning",
      text: "No answer after 120 s: Its network card is not armed",
    });
    expect(isInNeedOfDoctor(nas)).toBe(true);
    expect(isInNeedOfDoctor({ ...nas, power: "on" })).toBe(false);
  });
});

describe("a wake against its own time", () => {
  const waking = (seconds: number) =>
    device({ power: "waking", since: secondsAgo(seconds), typicalWakeSeconds: 41, slowWakeSeconds: 60 });

  test.each([
    [12, "Waking… 12 s of usually 41 s", 12 / 41, false],
    [50, "Waking… 50 s, usually 41 s", 1, false],
    [61, "Waking… 61 s, usually 41 s", 1, true],
  ])("after %i s says “%s”", (seconds, words, done, isSlow) => {
    expect(powerSentence(waking(seconds), NOW_MS)).toBe(words);
    expect(wakeProgress(waking(seconds), NOW_MS)).toEqual({ done, isSlow });
  });

  test("says that it is slow once nine of ten were faster", () => {
    const words = noteOf(waking(61), undefined, { nowMs: NOW_MS, mayWake: true })?.text;
    expect(words).toBe("Slower than nine of ten of its wakes · gives up after 120 s");
  });

  test("goes by the hub's patience where its time is not known", () => {
    const nas = device({ power: "waking", since: secondsAgo(60) });
    expect(wakeProgress(nas, NOW_MS)).toEqual({ done: 0.5, isSlow: false });
  });
});
