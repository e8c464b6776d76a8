import type { ScheduleAnswer, ScheduleRun as Run } from "#contracts/api/schedules.ts";

/** What became of a firing for one device. */
export type DevicePart = Run["devices"][number];

type Outcome = Pick<Run, "outcome" | "because" | "code">;

/** More devices are only counted in the sentence. */
const MAX_NAMED = 3;

/** What each stage says of devices, in the order in which the sentence has them. */
const WORDS: Readonly<Record<string, string>> = {
  awake: "awake",
  off: "off",
  rebooted: "rebooted",
  waiting: "waiting for what it needs",
  accepted: "on the way",
  sent: "on the way",
  "on-wire": "on the way",
  announced: "on the way",
  acknowledged: "on the way",
  "already-on": "on already",
  "already-off": "off already",
  "no-answer": "no answer",
  "still-on": "still on",
  cancelled: "cancelled",
  failed: "failed",
  refused: "left out",
};

/** Of these nothing was done. */
const UNTOUCHED: ReadonlySet<string> = new Set(["refused", "already-on", "already-off"]);
const ALREADY: ReadonlySet<string> = new Set(["already-on", "already-off"]);

/** Whether a firing ran or was skipped, and because of what, in a sentence. */
export function outcomeOf(action: ScheduleAnswer["action"], parts: readonly DevicePart[]): Outcome {
  if (parts.length === 0)
    return { outcome: "skipped", code: "NOTHING_TO_DO", because: "None of its devices is there any more" };
  const because = sentenceOf(parts);
  if (parts.some(({ stage }) => !UNTOUCHED.has(stage))) return { outcome: "ran", code: null, because };
  const refused = parts.find(({ stage }) => !ALREADY.has(stage));
  if (!refused) {
    const state = action === "wake" ? "on" : "off";
    const all = parts.length === 1 ? `${parts[0]?.device} is ${state} already` : `All are ${state} already`;
    return { outcome: "skipped", code: "NOTHING_TO_DO", because: all };
  }
  return { outcome: "skipped", code: refused.code === "DEVICE_DISABLED" ? "DISABLED" : refused.code, because };
}

/** `nas, pve-1: on the way; desk: left out (The device is disabled)`. */
function sentenceOf(parts: readonly DevicePart[]): string {
  const groups = Map.groupBy(
    parts,
    ({ stage, reason }) => `${WORDS[stage] ?? stage}${reason === null ? "" : ` (${reason})`}`,
  );
  return [...groups].map(([words, members]) => `${namesOf(members)}: ${words}`).join("; ");
}

function namesOf(parts: readonly DevicePart[]): string {
  const named = parts.slice(0, MAX_NAMED).map(({ device }) => device);
  const more = parts.length - named.length;
  return `${named.join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}

/** Said before what it did, where it was made up for. */
export function lateText(dueAt: Date, at: Date): string {
  const minutes = Math.round((at.getTime() - dueAt.getTime()) / 60_000);
  return `Made up for after ${minutes} min, which the hub or its database was away. `;
}

export function missedText({ count, first, last }: { count: number; first: Date; last: Date }, limit: number): string {
  if (count === 1) return "The hub or its database was away, and it was too late when it was back";
  const many = count >= limit ? `More than ${limit}` : String(count);
  return `${many} firings from ${first.toISOString()} to ${last.toISOString()} were missed: the hub or its database was away`;
}
