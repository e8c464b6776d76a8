import { describe, expect, test } from "vitest";
import type { DoctorReport } from "#contracts/api/doctor.ts";
import { Key } from "#contracts/key.ts";
import { readOut } from "./doctor-command.ts";
import { nearNames } from "./near-names.rules.ts";

describe("what a person may have meant by", () => {
  const KEYS = ["nas", "nas-2", "backup-nas", "pve-1", "pve-2", "desktop", "media-server"];

  test.each([
    ["nsa", ["nas"]],
    ["nass", ["nas"]],
    ["desktpo", ["desktop"]],
    ["pve", ["pve-1", "pve-2"]],
    ["pve-3", ["pve-1", "pve-2"]],
    ["backup", ["backup-nas"]],
    ["media-servr", ["media-server"]],
    ["nas", ["nas", "nas-2", "backup-nas"]],
    ["printer", []],
    ["x", []],
  ])("%s", (asked, expected) => {
    expect(nearNames(asked, KEYS)).toEqual(expected);
  });

  test("anything is told within a screen", () => {
    const many = Array.from({ length: 1_000 }, (_, index) => `pc-${index}`);
    expect(nearNames("pc-1", many)).toHaveLength(5);
  });
});

describe("a report in a terminal", () => {
  const report = (findings: DoctorReport["findings"]): DoctorReport => ({
    device: Key.parse("nas"),
    at: "2026-03-01T10:00:00.000Z",
    verdict: "cannot-work",
    summary: "NAS cannot be woken like this. Its cluster has no agent.",
    findings,
  });

  test("says the gravest first, each with what to do about it", () => {
    const armed = { code: "NOT_ARMED", severity: "problem", title: "It is not armed", evidence: {} } as const;
    const never = { code: "NEVER_WOKEN", severity: "hint", title: "It was never woken", evidence: {} } as const;
    const found = [
      { ...armed, advice: "Arm it." },
      { ...never, advice: "Try it." },
    ];
    expect(readOut(report(found))).toEqual([
      "NAS cannot be woken like this. Its cluster has no agent.",
      "",
      "1. Problem: It is not armed",
      "   Arm it.",
      "",
      "2. Hint: It was never woken",
      "   Try it.",
    ]);
  });

  test("breaks long lines between words, and no command into pieces that do not fit", () => {
    const advice = `${"many words ".repeat(30)}${"x".repeat(120)} end`;
    const never = { code: "NEVER_WOKEN", severity: "hint", title: "Long", evidence: {}, advice } as const;
    const lines = readOut(report([never])).slice(3);
    expect(lines.filter((line) => line.length > 100)).toEqual([`   ${"x".repeat(120)}`]);
    expect(lines.join(" ").replaceAll(/\s+/g, " ").trim()).toBe(advice.replaceAll(/\s+/g, " "));
  });
});
