import type { ScheduleAnswer, ScheduleRun, ScheduleWhen } from "#contracts/api/schedules.ts";
import { cronWords } from "../schedules/cron-words.rules.ts";
import { when as instantWords } from "./instants.ts";
import { ACTION_WORDS } from "./power-off.ts";

type Action = ScheduleAnswer["action"];

const list = new Intl.ListFormat("en", { type: "conjunction" });

/** What a schedule does. */
export const SCHEDULE_ACTIONS: readonly { value: Action; label: string }[] = [
  { value: "wake", label: "Wake" },
  { value: "off", label: "Power off" },
  { value: "shutdown", label: ACTION_WORDS.shutdown.label },
  { value: "sleep", label: ACTION_WORDS.sleep.label },
  { value: "hibernate", label: ACTION_WORDS.hibernate.label },
  { value: "reboot", label: ACTION_WORDS.reboot.label },
];

export const SUN_WORDS = { sunrise: "sunrise", sunset: "sunset", dawn: "dawn", dusk: "dusk" } as const;

/** What it does with what: `Wake NAS, Printer and all of Office`. */
export function doesWords({ action }: Pick<ScheduleAnswer, "action">, targets: readonly string[]): string {
  const label = SCHEDULE_ACTIONS.find(({ value }) => value === action)?.label ?? action;
  return `${label} ${targets.length === 0 ? "nothing yet" : list.format(targets)}`;
}

/** When it fires: `Monday to Friday at 07:30`, with the time zone where it is not the reader's own. */
export function whenWords(when: ScheduleWhen, nowMs: number, ownZone: string): string {
  switch (when.type) {
    case "cron":
      return `${cronWords(when.cron) ?? when.cron}${zoneWords(when.timeZone, ownZone)}`;
    case "once":
      return `Once, ${instantWords(when.at, nowMs)}`;
    case "sun":
      return `${offsetWords(when.offsetMinutes)}${SUN_WORDS[when.event]} every day`;
  }
}

function zoneWords(timeZone: string, ownZone: string): string {
  return timeZone === ownZone ? "" : ` (${timeZone})`;
}

function offsetWords(minutes: number): string {
  if (minutes === 0) return "At ";
  return `${Math.abs(minutes)} min ${minutes < 0 ? "before" : "after"} `;
}

/** What became of a firing: `Ran: 2 devices are waking`. */
export function runWords({ outcome, because }: Pick<ScheduleRun, "outcome" | "because">): string {
  return outcome === "ran" ? because : `Left out: ${because}`;
}

/** The reader's own time zone. */
export function ownTimeZone(): string {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone;
}
