const WEEKDAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"] as const;
const MONTHS = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
] as const;

const all = new Intl.ListFormat("en", { type: "conjunction" });

/** The fields of a cron expression; without seconds it fires at the full minute. */
interface Fields {
  readonly second: string;
  readonly minute: string;
  readonly hour: string;
  readonly day: string;
  readonly month: string;
  readonly weekday: string;
}

/** A time of the day on some days of the week: what most schedules are. Weekdays count from Monday = 1 to Sunday = 7. */
export interface Weekly {
  /** As a browser's field takes it: `07:30`. */
  readonly time: string;
  readonly weekdays: readonly number[];
}

export function cronOf({ time, weekdays }: Weekly): string {
  const [hour = "", minute = ""] = time.split(":").map((part) => String(Number(part)));
  return `${minute} ${hour} * * ${weekdays.length === 7 ? "*" : weekdays.join(",")}`;
}

/** @returns undefined for an expression that says more than that. */
export function weeklyOf(expression: string): Weekly | undefined {
  const fields = fieldsOf(expression);
  if (!fields || fields.day !== "*" || fields.month !== "*" || fields.second !== "0") return undefined;
  if (!isNumber(fields.minute) || !isNumber(fields.hour)) return undefined;
  const days = fields.weekday === "*" ? [1, 2, 3, 4, 5, 6, 7] : numbersOf(fields.weekday, 7, weekdayNumber);
  if (!days) return undefined;
  const weekdays = [...new Set(days.map((day) => (day === 0 ? 7 : day)))].toSorted((one, other) => one - other);
  return { time: timeOf(fields), weekdays };
}

/**
 * A cron expression as a person says it: `Monday to Friday at 07:30`.
 *
 * @returns undefined for what is said better by the expression itself.
 */
export function cronWords(expression: string): string | undefined {
  const fields = fieldsOf(expression);
  if (!fields) return undefined;
  const [time, days] = [timeWords(fields), dayWords(fields)];
  if (time === undefined || days === undefined) return undefined;
  const isEveryDay = days === "every day";
  return time.startsWith("every") && isEveryDay ? time : sentenceCase(`${days} ${time}`);
}

function sentenceCase(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function fieldsOf(expression: string): Fields | undefined {
  const parts = expression.trim().split(/\s+/);
  if (parts.length !== 5 && parts.length !== 6) return undefined;
  const [second = "", minute = "", hour = "", day = "", month = "", weekday = ""] =
    parts.length === 5 ? ["0", ...parts] : parts;
  return { second, minute, hour, day, month, weekday };
}

function timeWords(fields: Fields): string | undefined {
  const { second, minute, hour } = fields;
  const every = /^\*\/(\d+)$/.exec(minute)?.[1];
  if (hour === "*" && (every !== undefined || minute === "*") && second === "0")
    return every === undefined || every === "1" ? "every minute" : `every ${every} minutes`;
  if (!isNumber(minute) || !isNumber(second)) return undefined;
  if (hour === "*") return `every hour at minute ${Number(minute)}`;
  const everyHours = /^\*\/(\d+)$/.exec(hour)?.[1];
  if (everyHours !== undefined) return `every ${everyHours} hours at minute ${Number(minute)}`;
  const hours = numbersOf(hour, 23);
  return hours && `at ${all.format(hours.map((each) => timeOf({ ...fields, hour: String(each) })))}`;
}

function timeOf({ second, minute, hour }: Fields): string {
  const shown = second === "0" ? [hour, minute] : [hour, minute, second];
  return shown.map((part) => String(Number(part)).padStart(2, "0")).join(":");
}

function dayWords({ day, month, weekday }: Fields): string | undefined {
  const months = month === "*" ? "" : monthWords(month);
  const weekdays = weekday === "*" ? "" : weekdayWords(weekday);
  const days = day === "*" ? "" : monthDayWords(day);
  if (months === undefined || weekdays === undefined || days === undefined) return undefined;
  const which = [days, weekdays].filter(Boolean).join(", and every "); // cron: on either
  return `${which || "every day"}${months === "" ? "" : ` in ${months}`}`;
}

function weekdayWords(weekday: string): string | undefined {
  const numbers = numbersOf(weekday, 7, weekdayNumber);
  const names = numbers?.map((each) => WEEKDAYS[each % 7] ?? "");
  const isRange = numbers?.every((each, index) => index === 0 || each === (numbers[index - 1] ?? 0) + 1) ?? false;
  return names && (isRange && names.length > 2 ? `${names[0]} to ${names.at(-1)}` : all.format(names));
}

function monthWords(month: string): string | undefined {
  const numbers = numbersOf(month, 12, monthNumber);
  return numbers && all.format(numbers.map((each) => MONTHS[each - 1] ?? ""));
}

function monthDayWords(day: string): string | undefined {
  if (day === "L") return "on the last day of the month";
  const numbers = numbersOf(day, 31);
  return numbers && `on the ${all.format(numbers.map(ordinal))} of the month`;
}

function ordinal(number: number): string {
  const tens = number % 100;
  if (tens >= 11 && tens <= 13) return `${number}th`;
  return `${number}${["th", "st", "nd", "rd"][number % 10] ?? "th"}`;
}

/** `1,3-5` → `[1, 3, 4, 5]`; undefined for steps and for what is no number up to `max`. */
function numbersOf(text: string, max: number, numberOf = plainNumber): number[] | undefined {
  const numbers: number[] = [];
  for (const part of text.split(",")) {
    const [first, last = first] = part.split("-").map(numberOf);
    if (first === undefined || last === undefined || first > last || last > max) return undefined;
    for (let each = first; each <= last; each++) numbers.push(each);
  }
  return numbers;
}

function plainNumber(text: string): number | undefined {
  return isNumber(text) ? Number(text) : undefined;
}

function weekdayNumber(text: string): number | undefined {
  return namedNumber(text, WEEKDAYS, 0);
}

function monthNumber(text: string): number | undefined {
  return namedNumber(text, MONTHS, 1);
}

function namedNumber(text: string, names: readonly string[], first: number): number | undefined {
  const index = names.findIndex((name) => name.slice(0, 3).toLowerCase() === text.toLowerCase());
  return index === -1 ? plainNumber(text) : index + first;
}

function isNumber(text: string): boolean {
  return /^\d{1,2}$/.test(text);
}
