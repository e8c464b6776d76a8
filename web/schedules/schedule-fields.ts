import type { z } from "zod";
import type { ScheduleAnswer, ScheduleCreate, ScheduleWhen } from "#contracts/api/schedules.ts";
import { checkedOf, isChecked, numberOrNull, textOf, textOrNull } from "../form/values.ts";
import { cronOf, weeklyOf } from "./cron-words.rules.ts";

/** How a person says when: `weekly` is a cron expression that needs no thought. */
export type WhenKind = "weekly" | "cron" | "once" | "sun";

type WhenInput = z.input<typeof ScheduleWhen>;
export type ScheduleInput = z.input<typeof ScheduleCreate>;

/** What may be changed of a schedule, in the shape that the hub takes. */
export type ScheduleFields = Pick<
  ScheduleAnswer,
  | "name"
  | "description"
  | "enabled"
  | "action"
  | "deviceIds"
  | "clusterIds"
  | "jitterSeconds"
  | "catchUpMinutes"
  | "force"
  | "showInHomeAssistant"
> & { readonly when: WhenInput };

export const EVERY_DAY = [1, 2, 3, 4, 5, 6, 7] as const;

/** What is proposed for a new schedule. */
export function newFields(timeZone: string): ScheduleFields {
  return {
    name: "",
    description: null,
    enabled: true,
    action: "wake",
    deviceIds: [],
    clusterIds: [],
    when: { type: "cron", cron: "30 7 * * 1,2,3,4,5", timeZone },
    jitterSeconds: 0,
    catchUpMinutes: 0,
    force: false,
    showInHomeAssistant: true,
  };
}

export function fieldsOf(schedule: ScheduleAnswer): ScheduleFields {
  const { name, description, enabled, action, when, jitterSeconds, catchUpMinutes, force, showInHomeAssistant } =
    schedule;
  return {
    name,
    description,
    enabled,
    action,
    deviceIds: schedule.deviceIds.toSorted(),
    clusterIds: schedule.clusterIds.toSorted(),
    when,
    jitterSeconds,
    catchUpMinutes,
    force,
    showInHomeAssistant,
  };
}

export function kindOf(when: ScheduleFields["when"]): WhenKind {
  return when.type === "cron" && weeklyOf(when.cron) ? "weekly" : when.type;
}

/** As somebody typed it. @param before for targets that were not shown, because they are not this account's to choose. */
export function fieldsFrom(
  data: FormData,
  shown: { readonly deviceIds: readonly string[]; readonly clusterIds: readonly string[] },
  before: ScheduleFields,
): ScheduleFields {
  const chosen = (name: "deviceIds" | "clusterIds") =>
    [...checkedOf(data, name), ...before[name].filter((id) => !shown[name].includes(id))].toSorted();
  return {
    name: textOf(data, "name"),
    description: textOrNull(data, "description"),
    enabled: isChecked(data, "enabled"),
    action: textOf(data, "action") as ScheduleFields["action"], // our own options
    deviceIds: chosen("deviceIds"),
    clusterIds: chosen("clusterIds"),
    when: whenFrom(data),
    jitterSeconds: numberOrNull(data, "jitterSeconds") ?? 0,
    catchUpMinutes: numberOrNull(data, "catchUpMinutes") ?? 0,
    force: isChecked(data, "force"),
    showInHomeAssistant: isChecked(data, "showInHomeAssistant"),
  };
}

export function whenFrom(data: FormData): WhenInput {
  const timeZone = textOf(data, "when.timeZone");
  switch (textOf(data, "kind") as WhenKind) {
    case "weekly": {
      const weekdays = checkedOf(data, "weekdays").map(Number);
      const days = weekdays.length === 0 ? [...EVERY_DAY] : weekdays;
      return { type: "cron", cron: cronOf({ time: textOf(data, "time"), weekdays: days }), timeZone };
    }
    case "cron":
      return { type: "cron", cron: textOf(data, "when.cron"), timeZone };
    case "once":
      return { type: "once", at: instantFrom(textOf(data, "when.at")) };
    case "sun":
      return {
        type: "sun",
        event: textOf(data, "when.event") as "sunrise", // our own options
        offsetMinutes: numberOrNull(data, "when.offsetMinutes") ?? 0,
        place: {
          latitude: numberOrNull(data, "when.place.latitude") as number, // the hub names what is missing
          longitude: numberOrNull(data, "when.place.longitude") as number,
        },
        timeZone,
      };
  }
}

/** A browser's field tells the time of its own clock. What is none goes to the hub as it is. */
function instantFrom(text: string): string {
  const at = new Date(text);
  return Number.isNaN(at.getTime()) ? text : at.toISOString();
}

/** As a browser's field takes it: `2026-11-23T07:30`. */
export function localOf(instant: string): string {
  const at = new Date(instant);
  const shifted = new Date(at.getTime() - at.getTimezoneOffset() * 60_000);
  return shifted.toISOString().slice(0, 16);
}
