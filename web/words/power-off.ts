import type { DeviceAnswer } from "#contracts/api/devices.ts";
import type { LastPowerOff } from "#contracts/power.ts";
import type { PowerOffAction } from "#contracts/power-action.ts";
import type { PowerOffStageRecord, PowerOffWay } from "#contracts/power-off.ts";
import { EVIDENCE_WORDS } from "./evidence.ts";
import { span } from "./instants.ts";

interface ActionWords {
  /** What the button does. */
  readonly label: string;
  /** What it means, for whoever chooses. */
  readonly hint: string;
  /** While it goes down. */
  readonly doing: string;
  /** When it did. */
  readonly done: string;
}

export const ACTION_WORDS: Readonly<Record<PowerOffAction, ActionWords>> = {
  shutdown: {
    label: "Shut down",
    hint: "Programs end; it stays off until it is woken.",
    doing: "Shutting down",
    done: "Shut down",
  },
  sleep: { label: "Sleep", hint: "Keeps everything open, and wakes fast.", doing: "Going to sleep", done: "Asleep" },
  hibernate: {
    label: "Hibernate",
    hint: "Keeps everything open on its disk, and draws no power.",
    doing: "Hibernating",
    done: "Hibernated",
  },
  reboot: { label: "Reboot", hint: "Comes back by itself.", doing: "Rebooting", done: "Rebooted" },
};

/** Who carries it out. */
export const WAY_WORDS: Readonly<Record<PowerOffWay, string>> = {
  agent: "the agent on it",
  ssh: "SSH",
  mqtt: "MQTT",
  http: "an HTTP call",
};

/** Refusals that a person may overrule. */
const FORCEABLE: ReadonlySet<string> = new Set(["STRANDED", "LEASED", "NEEDED_BY", "INHIBITED", "NOT_ARMED"]);

export function isForceable(code: string | null | undefined): boolean {
  return code !== null && code !== undefined && FORCEABLE.has(code);
}

/** What is shown of a power-off while it runs. */
export interface PowerOffProgress {
  readonly powerOff: NonNullable<DeviceAnswer["powerOff"]>;
  /** What was heard of it so far. */
  readonly steps: readonly PowerOffStageRecord[];
  readonly nowMs: number;
}

/** How far it is: `Asked pi · goes down in 28 s unless somebody there says not now`. */
export function powerOffProgress({ powerOff, steps, nowMs }: PowerOffProgress): string {
  const asked = askedWords(steps);
  switch (powerOff.stage) {
    case "accepted":
      return asked === undefined ? "Asking…" : asked.replace("Asked", "Asking");
    case "sent":
      return `${asked ?? "Asked"} · no answer yet`;
    case "announced":
      return sentenceCase([asked, countdownWords(powerOff.until, steps, nowMs)].filter(Boolean).join(" · "));
    case "acknowledged":
    case "off":
    case "rebooted":
    case "already-off":
    case "still-on":
    case "failed":
    case "cancelled":
      return powerOff.action === "reboot" ? "Waiting until it is back" : "Waiting until it is seen off";
  }
}

function sentenceCase(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function askedWords(steps: readonly PowerOffStageRecord[]): string | undefined {
  const accepted = steps.find((step) => step.stage === "accepted");
  if (!accepted) return undefined;
  return accepted.way === "agent" ? `Asked ${accepted.agent ?? "its agent"}` : `Asked by ${WAY_WORDS[accepted.way]}`;
}

function countdownWords(until: string | null, steps: readonly PowerOffStageRecord[], nowMs: number): string {
  const announced = steps.find((step) => step.stage === "announced");
  const seconds = until === null ? 0 : Math.max(0, Math.ceil((Date.parse(until) - nowMs) / 1_000));
  const goes = seconds > 0 ? `goes down in ${seconds} s` : "goes down now";
  if (announced?.users === 0) return `${goes}; nobody is logged in there`;
  return seconds > 0 ? `${goes} unless somebody there says not now` : goes;
}

/** What was asked for may be taken back until it is carried out. */
export function mayCancel(powerOff: DeviceAnswer["powerOff"]): boolean {
  return powerOff !== null && ["accepted", "sent", "announced"].includes(powerOff.stage);
}

/** A step of a power-off, as its history tells it. */
export function powerOffSentence(record: PowerOffStageRecord, action: PowerOffAction): string {
  switch (record.stage) {
    case "accepted":
      return askedWords([record]) ?? "Asked";
    case "sent":
      return "The order is on its way";
    case "announced":
      return `Told ${peopleWords(record.users)} there that it goes down`;
    case "acknowledged":
      return ACTION_WORDS[action].doing;
    case "off":
      return `Seen off after ${span(record.seconds)}`;
    case "rebooted":
      return `Back after ${span(record.seconds)}`;
    case "already-off":
      return "It was off already";
    case "still-on":
      return `Still on after ${span(record.seconds)}${record.evidence ? `, seen by ${record.evidence.by} (${EVIDENCE_WORDS[record.evidence.how]})` : ""}`;
    case "failed":
      return record.reason;
    case "cancelled":
      return `Called off by ${record.by}${record.reason === null ? "" : `: ${record.reason}`}`;
  }
}

function peopleWords(users: number | null): string {
  if (users === null) return "whoever is";
  return users === 1 ? "1 person" : `${users} people`;
}

/** How the last power-off ended, in a few words beside the power state. */
export function lastPowerOffWords({ action, outcome, seconds, reason, by }: LastPowerOff): string {
  switch (outcome) {
    case "off":
    case "rebooted":
      return `${ACTION_WORDS[action].done}${seconds === null ? "" : ` in ${span(seconds)}`}, asked by ${by}`;
    case "already-off":
      return "It was off already";
    case "still-on":
      return `It was to ${ACTION_WORDS[action].label.toLowerCase()} and is still on`;
    case "failed":
      return reason ?? `It could not ${ACTION_WORDS[action].label.toLowerCase()}`;
    case "cancelled":
      return reason === null ? `${ACTION_WORDS[action].label} was called off` : `Called off: ${reason}`;
  }
}
