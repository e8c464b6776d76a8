import type { DoctorReport } from "#contracts/api/doctor.ts";
import type { Finding, FindingSeverity } from "#contracts/finding.ts";
import type { Facts } from "./facts.ts";
import {
  addressTaken,
  fastStartup,
  notArmed,
  secureOnMissing,
  secureOnSet,
  virtualMac,
  wifiMac,
} from "./machine.rules.ts";
import { agentOffline, containerBridge, deviceDisabled, noAgent, notWatched, otherSubnet } from "./reach.rules.ts";
import { neverWoken, noAnswer, noLink, notOnWire, sendFailed } from "./wire.rules.ts";

/** Each says what is wrong, or nothing. Of equal gravity, the one that explains the others comes first. */
const RULES: readonly ((facts: Facts) => Finding | undefined)[] = [
  deviceDisabled,
  noAgent,
  agentOffline,
  sendFailed,
  containerBridge,
  otherSubnet,
  notOnWire,
  notArmed,
  secureOnMissing,
  fastStartup,
  virtualMac,
  wifiMac,
  noLink,
  addressTaken,
  noAnswer,
  notWatched,
  secureOnSet,
  neverWoken,
];

const GRAVITY: Readonly<Record<FindingSeverity, number>> = { problem: 0, warning: 1, hint: 2 };

/** What keeps a device from waking, or may, the gravest first. */
export function findings(facts: Facts): Finding[] {
  return RULES.flatMap((rule) => rule(facts) ?? []).toSorted((a, b) => GRAVITY[a.severity] - GRAVITY[b.severity]);
}

/** What the findings come to, in a word and in a sentence. */
export function verdictOf(
  { name }: Facts["device"],
  found: readonly Finding[],
): Pick<DoctorReport, "verdict" | "summary"> {
  const [first] = found;
  switch (first?.severity) {
    case "problem":
      return { verdict: "cannot-work", summary: `${name} cannot be woken like this. ${first.title}.` };
    case "warning":
      return { verdict: "may-fail", summary: `Waking ${name} may fail. ${first.title}.` };
    case "hint":
    case undefined:
      return { verdict: "fine", summary: `Nothing that is known stands in the way of waking ${name}.` };
  }
}

/** The evidence tells of agents and their networks, which not everybody may see who may see devices. */
export function withoutEvidence(report: DoctorReport): DoctorReport {
  return { ...report, findings: report.findings.map((finding) => ({ ...finding, evidence: {} })) };
}
