import { type TemplateResult, html } from "lit";
import { selectField, textField } from "../form/fields.ts";
import type { FormState } from "../form/form-state.ts";
import { SUN_WORDS } from "../words/schedules.ts";
import { cronWords, weeklyOf } from "./cron-words.rules.ts";
import { EVERY_DAY, type ScheduleFields, type WhenKind, localOf } from "./schedule-fields.ts";

type When = ScheduleFields["when"];

const WEEKDAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"] as const;

const SUN_EVENTS = Object.entries(SUN_WORDS).map(([value, word]) => ({
  value,
  label: word.charAt(0).toUpperCase() + word.slice(1),
}));

export const KINDS: readonly { value: WhenKind; label: string }[] = [
  { value: "weekly", label: "At a time, on days of the week" },
  { value: "sun", label: "By the sun" },
  { value: "once", label: "Once" },
  { value: "cron", label: "By a cron expression" },
];

/** The fields of one way to say when. @param when what is shown at first, where it is of this kind. */
export function whenView(form: FormState, kind: WhenKind, when: When, zone: string, place: Place): TemplateResult {
  switch (kind) {
    case "weekly":
      return weeklyView(form, when, zone);
    case "cron":
      return cronView(form, when, zone);
    case "once":
      return textField(form, {
        name: "when.at",
        label: "When",
        type: "datetime-local",
        value: when.type === "once" ? localOf(when.at) : "",
        hint: "By the clock of this browser.",
        required: true,
      });
    case "sun":
      return sunView(form, when, zone, place);
  }
}

/** Where the sun was last asked for; empty where it never was. */
export interface Place {
  readonly latitude: string;
  readonly longitude: string;
}

function weeklyView(form: FormState, when: When, zone: string) {
  const { time, weekdays } = (when.type === "cron" ? weeklyOf(when.cron) : undefined) ?? {
    time: "07:30",
    weekdays: EVERY_DAY,
  };
  return html`<fieldset>
      <legend>Days</legend>
      <div class="weekdays">
        ${WEEKDAYS.map((label, index) => {
          const day = index + 1;
          return html`<label
            ><input
              type="checkbox"
              name="weekdays"
              value=${day}
              .defaultChecked=${weekdays.some((each) => each === day)}
            /><span>${label}</span></label
          >`;
        })}
      </div>
    </fieldset>
    <div class="two">
      ${textField(form, { name: "time", label: "Time", type: "time", value: time, required: true })}
      ${zoneField(form, zone)}
    </div>`;
}

function cronView(form: FormState, when: When, zone: string) {
  const cron = when.type === "cron" ? when.cron : "30 7 * * 1-5";
  return html`<div class="two">
    ${textField(form, {
      name: "when.cron",
      label: "Cron expression",
      value: cron,
      hint: cronWords(cron) ?? "Minute, hour, day, month, weekday.",
      mono: true,
      required: true,
    })}
    ${zoneField(form, zone)}
  </div>`;
}

function sunView(form: FormState, when: When, zone: string, place: Place) {
  const sun = when.type === "sun" ? when : undefined;
  return html`<div class="two">
      ${selectField(form, { name: "when.event", label: "At", value: sun?.event ?? "sunset", options: SUN_EVENTS })}
      ${textField(form, {
        name: "when.offsetMinutes",
        label: "Minutes later",
        value: String(sun?.offsetMinutes ?? 0),
        hint: "With a minus before it: earlier.",
      })}
    </div>
    <div class="two">
      ${textField(form, {
        name: "when.place.latitude",
        label: "Latitude",
        value: place.latitude,
        placeholder: "e.g. 52.52",
        required: true,
      })}
      ${textField(form, {
        name: "when.place.longitude",
        label: "Longitude",
        value: place.longitude,
        placeholder: "e.g. 13.40",
        required: true,
      })}
    </div>
    ${zoneField(form, zone)}`;
}

function zoneField(form: FormState, zone: string) {
  return html`${textField(form, {
      name: "when.timeZone",
      label: "Time zone",
      value: zone,
      placeholder: "e.g. Europe/Athens",
      list: "time-zones",
      required: true,
    })}
    <datalist id="time-zones">
      ${Intl.supportedValuesOf("timeZone").map((each) => html`<option value=${each}></option>`)}
    </datalist>`;
}
