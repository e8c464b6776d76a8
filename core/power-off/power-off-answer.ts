import type { PowerAccepted } from "#contracts/api/power-offs.ts";
import type { Key } from "#contracts/key.ts";
import type { PowerOffAction } from "#contracts/power-action.ts";
import type { ErrorCode } from "../kernel/errors.ts";
import type { WakeAnswerPart } from "../wake/wake-answer.ts";
import { acceptedOf } from "../wake/wake-answer.ts";
import type { RunningPowerOff } from "./running-power-off.ts";

/** What became of the request for one device. */
export type PowerOffAnswerPart =
  | {
      readonly type: "power-off";
      readonly device: Key;
      readonly action: PowerOffAction;
      readonly powerOff: RunningPowerOff;
    }
  | {
      readonly type: "refused";
      readonly device: Key;
      readonly action: PowerOffAction;
      readonly code: ErrorCode;
      readonly reason: string;
    };

/** The answer for one device, as HTTP gives it. */
export function powerAcceptedOf(part: PowerOffAnswerPart): PowerAccepted {
  const { device, action } = part;
  if (part.type === "refused")
    return { powerOff: null, wake: null, device, action, stage: "refused", code: part.code, reason: part.reason };
  const { powerOff } = part;
  const { last } = powerOff;
  return {
    powerOff: powerOff.id,
    wake: null,
    device,
    action,
    stage: powerOff.stage,
    ...(last?.stage === "failed" && { code: last.code, reason: last.reason }),
    ...(last?.stage === "cancelled" && { reason: last.reason ?? `Cancelled by ${last.by}` }),
    ...(last?.stage === "still-on" && { reason: `It was still seen on after ${last.seconds} s` }),
    ...(powerOff.seconds !== null && { seconds: powerOff.seconds }),
  };
}

/** The same where the request was one to wake. */
export function wakeAcceptedOf(part: WakeAnswerPart): PowerAccepted {
  const { wake, device, stage, code, reason, seconds } = acceptedOf(part);
  return {
    powerOff: null,
    wake,
    device,
    action: "wake",
    stage,
    ...(code !== undefined && { code }),
    ...(reason !== undefined && { reason }),
    ...(seconds !== undefined && { seconds }),
  };
}
