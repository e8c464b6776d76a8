import { FINAL_POWER_OFF_STAGES } from "#contracts/power-off.ts";
import { FINAL_STAGES } from "#contracts/wake.ts";
import type { Trail } from "../kernel/trail.ts";
import { powerAcceptedOf } from "../power-off/power-off-answer.ts";
import type { PowerOffService } from "../power-off/power-off.service.ts";
import type { Asker } from "../wake/running-wake.ts";
import { acceptedOf } from "../wake/wake-answer.ts";
import type { WakeService } from "../wake/wake.service.ts";
import type { ActedPart, ScheduleActions, ScheduleAsker } from "./acting.ts";
import type { KnownSchedule } from "./schedules.ts";

export interface ScheduleActionParts {
  readonly wakes: Pick<WakeService, "request" | "onNews">;
  readonly powerOffs: Pick<PowerOffService, "request" | "onNews">;
  /** The audit log under the name of a schedule. */
  readonly trailOf: (schedule: KnownSchedule) => Trail;
}

/** Who asks, as wakes and power-offs name it. */
export function nameOf({ key }: Pick<KnownSchedule, "key">): string {
  return `schedule:${key}`;
}

/** Schedules take the ways that everybody takes. */
export function scheduleActions({ wakes, powerOffs, trailOf }: ScheduleActionParts): ScheduleActions {
  const askerOf = ({ schedule, mayWake }: ScheduleAsker): Asker => {
    const by = { by: nameOf(schedule), door: "hub", trail: trailOf(schedule) } as const;
    return { ...by, transaction: null, response: null, mayWake };
  };
  return {
    wake: (devices, asker) =>
      wakes.request(devices, askerOf(asker), { force: false }).map((part) => {
        const { device, stage, code, reason } = acceptedOf(part);
        return actedPart(
          { device, stage, code, reason },
          part.type === "wake" && !part.wake.isOver ? part.wake.id : null,
        );
      }),
    powerOff: (devices, action, asker) =>
      powerOffs.request(devices, action, askerOf(asker), { force: asker.schedule.force }).map((part) => {
        const { device, stage, code, reason } = powerAcceptedOf(part);
        const isOpen = part.type === "power-off" && !FINAL_POWER_OFF_STAGES.has(part.powerOff.stage);
        return actedPart({ device, stage, code, reason }, isOpen ? part.powerOff.id : null);
      }),
    onOver: (listener) => {
      wakes.onNews(({ id }, record) => {
        if (FINAL_STAGES.has(record.stage)) listener(id, record.stage, reasonOf(record));
      });
      powerOffs.onNews(({ id }, record) => {
        if (FINAL_POWER_OFF_STAGES.has(record.stage)) listener(id, record.stage, reasonOf(record));
      });
    },
  };
}

function actedPart(
  {
    device,
    stage,
    code,
    reason,
  }: { device: ActedPart["device"]; stage: string; code?: string | undefined; reason?: string | undefined },
  follow: string | null,
): ActedPart {
  return { device, stage, code: code ?? null, reason: reason ?? null, follow };
}

function reasonOf(record: object): string | null {
  return "reason" in record && typeof record.reason === "string" ? record.reason : null;
}
