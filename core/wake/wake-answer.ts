import type { WakeAccepted } from "#contracts/api/wakes.ts";
import type { Key } from "#contracts/key.ts";
import type { WakeStageRecord } from "#contracts/wake.ts";
import type { ErrorCode } from "../kernel/errors.ts";
import type { RunningWake } from "./running-wake.ts";

/** What became of the request for one device. */
export type WakeAnswerPart =
  | {
      readonly type: "wake";
      readonly device: Key;
      readonly wake: RunningWake;
      /** The wake was over before it began: nobody can do it. */
      readonly failure?: { readonly code: ErrorCode; readonly reason: string };
    }
  | { readonly type: "refused"; readonly device: Key; readonly code: ErrorCode; readonly reason: string };

/** The answer for one device, as HTTP gives it. */
export function acceptedOf(part: WakeAnswerPart): WakeAccepted {
  if (part.type === "refused") {
    return { wake: null, device: part.device, stage: "refused", agents: [], code: part.code, reason: part.reason };
  }
  const { wake } = part;
  const agents = [...wake.agents.values()].map(({ id, key, stage, reason }) => ({
    id,
    key,
    stage,
    ...(reason !== null && { reason }),
  }));
  return {
    wake: wake.id,
    device: part.device,
    stage: wake.stage,
    agents,
    ...(wake.last && tidingsOf(wake.last)),
    ...(wake.seconds !== null && { seconds: wake.seconds }),
  };
}

/** What the newest stage tells besides its name. */
function tidingsOf(last: WakeStageRecord): Pick<WakeAccepted, "code" | "reason" | "evidence" | "findings"> {
  switch (last.stage) {
    case "waiting":
      return { reason: last.reason };
    case "awake":
    case "already-on":
      return { ...(last.evidence && { evidence: last.evidence }) };
    case "no-answer":
      return {
        reason: `Nobody saw it within ${last.seconds} s; sent again ${last.resent === 1 ? "once" : `${last.resent} times`}`,
        findings: last.findings,
      };
    case "failed":
      return { code: last.code, reason: last.reason, ...(last.findings && { findings: last.findings }) };
    case "cancelled":
      return { reason: `Cancelled by ${last.by}` };
    case "accepted":
    case "sent":
    case "on-wire":
      return {};
  }
}
