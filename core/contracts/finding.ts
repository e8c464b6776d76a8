import { z } from "zod";

/** What the doctor can find. Adding a code is compatible. */
export const FindingCode = z.enum([
  "DEVICE_DISABLED",
  "NO_AGENT",
  "AGENT_OFFLINE",
  "OTHER_SUBNET",
  "CONTAINER_BRIDGE",
  "SEND_FAILED",
  "NOT_ON_WIRE",
  "NO_LINK",
  "NO_ANSWER",
  "NOT_ARMED",
  "FAST_STARTUP",
  "ADDRESS_TAKEN",
  "WIFI_MAC",
  "VIRTUAL_MAC",
  "SECURE_ON_SET",
  "SECURE_ON_MISSING",
  "NEVER_WOKEN",
  "NOT_WATCHED",
]);
export type FindingCode = z.infer<typeof FindingCode>;

/** `problem`: it cannot work like this. `warning`: it may fail. `hint`: worth knowing. */
export const FindingSeverity = z.enum(["problem", "warning", "hint"]);
export type FindingSeverity = z.infer<typeof FindingSeverity>;

export const Finding = z.object({
  code: FindingCode,
  severity: FindingSeverity,
  title: z.string().describe("what is wrong, in a sentence"),
  advice: z.string().describe("what to do about it"),
  evidence: z.record(z.string(), z.unknown()).describe("the facts that it rests on"),
});
export type Finding = z.infer<typeof Finding>;

/** As results tell of it. */
export const FindingNote = Finding.pick({ code: true, title: true, advice: true });
export type FindingNote = z.infer<typeof FindingNote>;
