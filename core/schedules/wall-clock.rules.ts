/** Clocks on walls: what they show at an instant, and at which instant they show something. Wall times are milliseconds as if the wall were in UTC. */

/** So many zones keep their formatter; there are about 600. */
const MAX_KNOWN = 1_000;
const formatters = new Map<string, Intl.DateTimeFormat>();

/** Farther from a change of the clocks than any zone moves them. Milliseconds. */
const BEYOND_A_CHANGE_MS = 30 * 60 * 60 * 1_000;

/** How a wall time lies in its day: once, in the gap when clocks go forward, or in the hour that comes twice. */
export type WallKind = "plain" | "gap" | "twice";

/** What the clocks of a zone show. */
export function wallOf(instant: number, timeZone: string): number {
  const parts: Record<string, number> = {};
  for (const { type, value } of formatterOf(timeZone).formatToParts(instant)) parts[type] = Number(value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
  const milliseconds = ((instant % 1_000) + 1_000) % 1_000;
  return Date.UTC(year, month - 1, day, hour, minute, second, milliseconds);
}

/** How far the clocks of a zone are ahead of UTC. Milliseconds. */
export function offsetOf(instant: number, timeZone: string): number {
  return wallOf(instant, timeZone) - instant;
}

/**
 * The instant at which the clocks of a zone show this. A time that is left out counts as the end of the gap, one that comes
 * twice as its first time.
 */
export function instantOf(wall: number, timeZone: string): { readonly instant: number; readonly kind: WallKind } {
  const before = offsetOf(wall - BEYOND_A_CHANGE_MS, timeZone);
  const after = offsetOf(wall + BEYOND_A_CHANGE_MS, timeZone);
  const fitting = [...new Set([wall - before, wall - after])].filter((instant) => wallOf(instant, timeZone) === wall);
  const [first, second] = fitting.toSorted((a, b) => a - b);
  if (first !== undefined) return { instant: first, kind: second === undefined ? "plain" : "twice" };
  return { instant: changeBetween(wall - after, wall - before, timeZone), kind: "gap" };
}

/** The first instant at which the clocks show the later offset. */
function changeBetween(start: number, end: number, timeZone: string): number {
  const wanted = offsetOf(end, timeZone);
  let [low, high] = [start, end];
  while (high - low > 1_000) {
    const middle = Math.floor((low + high) / 2_000) * 1_000;
    if (middle <= low) break;
    if (offsetOf(middle, timeZone) === wanted) high = middle;
    else low = middle;
  }
  return high;
}

/** `UTC+3`, `UTC-3:30`, `UTC`. */
export function offsetText(instant: number, timeZone: string): string {
  const minutes = Math.round(offsetOf(instant, timeZone) / 60_000);
  if (minutes === 0) return "UTC";
  const [hours, rest] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60];
  return `UTC${minutes < 0 ? "-" : "+"}${hours}${rest === 0 ? "" : `:${String(rest).padStart(2, "0")}`}`;
}

function formatterOf(timeZone: string): Intl.DateTimeFormat {
  let formatter = formatters.get(timeZone);
  if (formatter) return formatter;
  formatter = new Intl.DateTimeFormat("en-u-ca-iso8601-nu-latn", {
    timeZone,
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  });
  if (formatters.size >= MAX_KNOWN) formatters.clear();
  formatters.set(timeZone, formatter);
  return formatter;
}
