import type { PowerOffPart } from "#contracts/request.ts";
import { HubError } from "../kernel/errors.ts";
import { type PowerOffAnswerPart, powerAcceptedOf } from "../power-off/power-off-answer.ts";
import type { PowerOffService } from "../power-off/power-off.service.ts";
import type { Verb } from "./requests.messages.ts";
import { type WakeRequestParts, answerRefusals, askerOf, fitting, sorted, wakeVerb } from "./wake-requests.ts";

export interface PowerRequestParts extends WakeRequestParts {
  readonly powerOffs: PowerOffService;
}

/** The verb `power`: what a `set` topic does. */
export function powerVerb(parts: PowerRequestParts): Verb<"power"> {
  const wake = wakeVerb(parts);
  return async ({ action, ...fields }, asker) => {
    const needed = action === "wake" ? "wake" : "power";
    if (!asker.rights.may(needed))
      throw new HubError("FORBIDDEN", `You may not do "${action}"; it needs the permission ${needed}`);
    if (action === "wake") return { ...(await wake(fields, asker)), powerOffs: [] };
    const { directory, powerOffs } = parts;
    const { allowed, refused } = sorted(fields, asker, directory, "power");
    const { force } = fields;
    const asked = allowed.length > 0 ? powerOffs.request(allowed, action, askerOf(asker, parts), { force }) : [];
    const all = [...asked, ...refused];
    answerRefusals(all, fields, asker, parts);
    const answers: PowerOffPart[] = [
      ...asked.map(partOf),
      ...refused.map(({ device, code, reason }) => ({
        device,
        powerOff: null,
        stage: "refused" as const,
        code,
        reason,
      })),
    ];
    return { wakes: [], powerOffs: fitting(answers), total: all.length };
  };
}

function partOf(part: PowerOffAnswerPart): PowerOffPart {
  const { code, reason } = powerAcceptedOf(part);
  const isMade = part.type === "power-off";
  return {
    device: part.device,
    powerOff: isMade ? part.powerOff.id : null,
    stage: isMade ? part.powerOff.stage : "refused",
    ...(code !== undefined && { code }),
    ...(reason !== undefined && { reason }),
  };
}
