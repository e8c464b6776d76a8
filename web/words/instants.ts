const time = new Intl.DateTimeFormat(undefined, { timeStyle: "short" });
const day = new Intl.DateTimeFormat(undefined, { weekday: "short", day: "numeric", month: "short" });
const wholeDay = new Intl.DateTimeFormat(undefined, { dateStyle: "medium" });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

const DAY_MS = 86_400_000;

/** An instant as short as it stays clear: `14:02`, `yesterday 22:10`, `tomorrow 07:30`, `Mon 3 Nov, 14:02`. */
export function when(instant: string, nowMs: number): string {
  const at = new Date(instant);
  const days = Math.round((startOfDay(new Date(nowMs)) - startOfDay(at)) / DAY_MS);
  if (days === 0) return time.format(at);
  if (days === 1) return `yesterday ${time.format(at)}`;
  if (days === -1) return `tomorrow ${time.format(at)}`;
  return `${day.format(at)}, ${time.format(at)}`;
}

/** The day with its year: `3 Nov 2026`. */
export function date(instant: string): string {
  return wholeDay.format(new Date(instant));
}

/** To the second, for whoever wants to know exactly. */
export function exactly(instant: string): string {
  return full.format(new Date(instant));
}

/** A span in words: `12 s`, `3 min`, `2 h`, `5 days`. */
export function span(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3_600) return `${Math.round(whole / 60)} min`;
  if (whole < 2 * 86_400) return `${Math.round(whole / 3_600)} h`;
  return `${Math.round(whole / 86_400)} days`;
}

export function ago(instant: string, nowMs: number): string {
  const seconds = (nowMs - Date.parse(instant)) / 1_000;
  return seconds < 5 ? "just now" : `${span(seconds)} ago`;
}

function startOfDay(at: Date): number {
  return new Date(at.getFullYear(), at.getMonth(), at.getDate()).getTime();
}
