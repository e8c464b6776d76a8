import { describe, expect, test } from "vitest";
import type { FindingCode } from "#contracts/finding.ts";
import { findings, verdictOf } from "./doctor.rules.ts";
import type { AgentFacts, Facts } from "./facts.ts";
import { agent, card, facts, failed, nosy, own, wake } from "./fixtures/device-facts.ts";
import { TABLE } from "./fixtures/finding-table.ts";

test("a device that nothing is wrong with has no findings", () => {
  expect(findings(facts())).toEqual([]);
});

describe.each(Object.entries(TABLE))("%s", (code, rows) => {
  test.each(rows)("when %s", (_what, given, expected) => {
    expect(findings(given).find((finding) => finding.code === code)?.severity ?? null).toBe(expected);
  });
});

describe("what to do", () => {
  const adviceOn = (code: FindingCode, given: Facts) => findings(given).find((one) => one.code === code)?.advice;
  const unarmed = (os: AgentFacts["os"]) =>
    facts({ ownAgent: own({ os }), card: card({ name: "enp3s0", armed: false }) });

  test.each([
    ["linux", "ethtool -s enp3s0 wol g"],
    ["windows", 'Enable-NetAdapterPowerManagement -Name "enp3s0"'],
    ["macos", "pmset -a womp 1"],
    ["other", "enp3s0"],
  ] as const)("to arm a network card on %s is said with its commands", (os, command) => {
    expect(adviceOn("NOT_ARMED", unarmed(os))).toContain(command);
  });

  test.each([
    ["refused", "CLOCK_UNKNOWN", "NTP"],
    ["refused", "BAD_SIGNATURE", "--replace"],
    ["refused", "BUSY", "fewer"],
    ["failed", "send EACCES 255.255.255.255:9", "firewall"],
    ["failed", "send ENETUNREACH 10.0.0.255:9", "no way"],
    ["asked", null, "log"],
  ] as const)("of an agent that %s with %s is said", (stage, reason, word) => {
    expect(adviceOn("SEND_FAILED", facts({ lastWake: failed(stage, reason) }))).toContain(word);
  });

  test("is said of every finding, and fits into a message", () => {
    const all = Object.values(TABLE).flatMap((rows) => rows.flatMap(([, given]) => findings(given)));
    for (const { title, advice } of all) {
      expect(title).toMatch(/[^.]$/);
      expect(advice).toMatch(/^.{20,1000}\.$/s);
    }
  });

  test("where the window is too short, is to wait longer", () => {
    expect(adviceOn("NO_ANSWER", facts({ lastWake: wake(), slowSeconds: 200 }))).toContain("longer wake window");
  });
});

describe("the order and the verdict", () => {
  test("the gravest comes first, then what explains the others", () => {
    const many = facts(
      { agents: [], ownAgent: own(), card: card({ armed: false, kind: "wifi" }), hasWoken: false },
      { enabled: false },
    );
    const codes = findings(many).map(({ code }) => code);
    expect(codes).toEqual(["DEVICE_DISABLED", "NO_AGENT", "NOT_ARMED", "WIFI_MAC", "NEVER_WOKEN"]);
  });

  test.each<[string, Facts, string, string]>([
    ["a problem", facts({ agents: [] }), "cannot-work", "NAS cannot be woken like this. Its cluster has no agent."],
    [
      "a warning",
      facts({ lastWake: wake() }),
      "may-fail",
      "Waking NAS may fail. Magic packets were sent, and the machine did not come up.",
    ],
    ["a hint alone", facts({ hasWoken: false }), "fine", "Nothing that is known stands in the way of waking NAS."],
    ["nothing", facts(), "fine", "Nothing that is known stands in the way of waking NAS."],
  ])("of %s", (_what, given, verdict, summary) => {
    expect(verdictOf(given.device, findings(given))).toEqual({ verdict, summary });
  });

  test("a wake that ended without the machine is never left without a finding", () => {
    for (const neighbours of [[agent()], [agent(), nosy()]])
      for (const heard of [null, { by: "ears", from: "192.168.1.5" }])
        for (const last of [wake({ heard }), failed("asked", null), failed("failed", "EACCES")])
          expect(findings(facts({ neighbours, lastWake: last })).length).toBeGreaterThan(0);
  });
});
