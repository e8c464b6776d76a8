import { describe, expect, test } from "vitest";
import type { LastWake } from "#contracts/power.ts";
import type { WakeStageRecord } from "#contracts/wake.ts";
import { NOW_MS, device, secondsAgo } from "../fixtures/rows.ts";
import { elapsedSeconds, noteOf, powerSentence, stageSentence } from "./device.ts";

type Key = LastWake["agents"][number];
const pi = "pi" as Key;
const attic = "attic" as Key;
const evidence = { by: pi, how: "tcp", at: secondsAgo(0) } as const;
const at = secondsAgo(0);

describe("the power state in words", () => {
  test.each([
    ["on", secondsAgo(3_600), "On since 12:00"],
    ["off", secondsAgo(86_400), "Off since yesterday 13:00"],
    ["unreachable", secondsAgo(60), "Unreachable since 12:59"],
    ["waking", secondsAgo(12.9), "Waking… 12 s"],
    ["waking", secondsAgo(-3), "Waking… 0 s"],
    ["stopping", secondsAgo(5), "Shutting down… 5 s"],
    ["unknown", secondsAgo(5), "Not seen yet"],
    ["on", null, "On"],
    ["waking", null, "Waking…"],
    ["unknown", null, "Not seen yet"],
  ] as const)("%s since %s is “%s”", (power, since, words) => {
    expect(powerSentence({ power, since }, NOW_MS)).toBe(words);
  });

  test("never counts seconds below zero, however far the clocks are apart", () => {
    expect(elapsedSeconds(secondsAgo(-3_600), NOW_MS)).toBe(0);
  });
});

describe("the note beside it", () => {
  const lastWake = (outcome: LastWake["outcome"], seconds: number | null = null, agoSeconds = 30): LastWake => ({
    at: secondsAgo(agoSeconds),
    outcome,
    seconds,
    agents: [pi],
    by: "admin",
  });
  const accepted: WakeStageRecord = { stage: "accepted", at, agents: [pi] };
  const sent: WakeStageRecord = { stage: "sent", at, agent: pi, packets: 3, destinations: [] };
  const failed: WakeStageRecord = {
    stage: "failed",
    at,
    code: "SEND_FAILED",
    reason: "No agent could send",
    agents: [],
    findings: [],
  };
  const window5 = { addresses: [], ports: [9], windowSeconds: 5 };

  test.each([
    ["a device that is off says nothing", {}, undefined, undefined],
    ["a disabled one says that it takes no part", { enabled: false }, undefined, /takes no part/],
    [
      "a disabled one says so even when no agent is online",
      { enabled: false, availability: "offline" },
      undefined,
      /^Disabled/,
    ],
    ["one that nobody can look at says why", { power: "unreachable" }, undefined, /No agent is online that could look/],
    ["one that nobody can wake says why", { availability: "offline" }, undefined, /No agent is online that could wake/],
    ["a waking one says that agents are asked, and when it gives up", { power: "waking" }, accepted, /Asking.* 120 s/],
    ["a waking one says who sent", { power: "waking" }, sent, /sent by pi.* 120 s/i],
    ["a waking one gives up after its own window", { power: "waking", wake: window5 }, sent, / 5 s/],
    [
      "one that woke says in how long",
      { power: "on", since: secondsAgo(22), lastWake: lastWake("awake", 8.2) },
      undefined,
      /^Woke in 8 s$/,
    ],
    [
      "one that was switched on later does not claim its last wake",
      { power: "on", since: secondsAgo(30), lastWake: lastWake("awake", 8, 86_400) },
      undefined,
      undefined,
    ],
    [
      "one that is on although its wake was not answered says nothing",
      { power: "on", lastWake: lastWake("no-answer") },
      undefined,
      undefined,
    ],
    [
      "one that did not answer says after how long, and when",
      { lastWake: lastWake("no-answer") },
      undefined,
      /No answer after 120 s · 12:59/,
    ],
    ["one whose wake failed says why", { lastWake: lastWake("failed") }, failed, /^No agent could send$/],
    [
      "one whose wake failed before the page was opened says when",
      { lastWake: lastWake("failed") },
      undefined,
      /last wake failed · 12:59/,
    ],
    ["one whose wake was cancelled says nothing", { lastWake: lastWake("cancelled") }, undefined, undefined],
  ] as const)("%s", (_what, row, news, words) => {
    const note = noteOf(device(row), news, { nowMs: NOW_MS, mayWake: true });
    expect(note?.text ?? "nothing").toMatch(words ?? /^nothing$/);
  });

  test.each([
    ["what a person can do nothing about is quiet", { power: "waking" }, "quiet"],
    ["what a person should look at is a warning", { lastWake: lastWake("no-answer") }, "warning"],
  ] as const)("%s", (_what, row, tone) => {
    expect(noteOf(device(row), undefined, { nowMs: NOW_MS, mayWake: true })?.tone).toBe(tone);
  });

  test.each([
    ["what stands in the way of waking it", { availability: "offline" }, undefined],
    ["who could look at it", { power: "unreachable", availability: "offline" }, undefined],
    ["but how its last wake ended", { lastWake: lastWake("no-answer") }, /No answer after 120 s/],
    ["but that it is disabled", { enabled: false }, /^Disabled/],
  ] as const)("who may not wake it is not told %s", (_what, row, words) => {
    const note = noteOf(device(row), undefined, { nowMs: NOW_MS, mayWake: false });
    expect(note?.text ?? "nothing").toMatch(words ?? /^nothing$/);
  });
});

describe("the steps of a wake in words", () => {
  test.each([
    [{ stage: "accepted", at, agents: [pi] }, "Asked pi"],
    [{ stage: "accepted", at, agents: [pi, attic] }, "Asked 2 agents"],
    [{ stage: "sent", at, agent: pi, packets: 3, destinations: [] }, "pi sent 3 magic packets"],
    [{ stage: "sent", at, agent: pi, packets: 1, destinations: [] }, "pi sent 1 magic packet"],
    [{ stage: "awake", at, seconds: 8.4, evidence }, "Awake after 8 s, seen by pi (TCP)"],
    [{ stage: "awake", at, seconds: 95, evidence: { ...evidence, how: "agent" } }, /seen by pi \(its own agent\)/],
    [{ stage: "already-on", at, evidence: null }, /on already/],
    [{ stage: "no-answer", at, seconds: 5, resent: 0, agents: [], findings: [] }, "No answer after 5 s"],
    [
      { stage: "no-answer", at, seconds: 50, resent: 2, agents: [], findings: [] },
      "No answer after 50 s, sent 3 times",
    ],
    [
      { stage: "failed", at, code: "ALL_OFFLINE", reason: "Every agent is offline", agents: [], findings: [] },
      "Every agent is offline",
    ],
    [{ stage: "cancelled", at, by: "anna" }, "Cancelled by anna"],
  ] as [WakeStageRecord, string | RegExp][])("%o", (record, words) => {
    expect(stageSentence(record)).toMatch(words);
  });

  test("a wake that was given up is told with the seconds that the note told", () => {
    expect(stageSentence({ stage: "no-answer", at, seconds: 120, resent: 1, agents: [], findings: [] })).toContain(
      "120 s",
    );
  });
});
