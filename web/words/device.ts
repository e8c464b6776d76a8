import type { PacketDestination } from "#contracts/agent.ts";
import type { DeviceAnswer } from "#contracts/api/devices.ts";
import { DEFAULT_WAKE_WINDOW_SECONDS } from "#contracts/limits.ts";
import type { LastWake, PowerState } from "#contracts/power.ts";
import type { PowerOffStageRecord } from "#contracts/power-off.ts";
import type { WakeStageRecord } from "#contracts/wake.ts";
import { EVIDENCE_WORDS } from "./evidence.ts";
import { span, when } from "./instants.ts";
import { ACTION_WORDS, lastPowerOffWords, powerOffProgress } from "./power-off.ts";

export const POWER_WORDS: Readonly<Record<PowerState, string>> = {
  on: "On",
  off: "Off",
  waking: "Waking",
  stopping: "Shutting down",
  unreachable: "Unreachable",
  unknown: "Not seen yet",
};

type Shown = Pick<DeviceAnswer, "power" | "since"> & Partial<Pick<DeviceAnswer, "typicalWakeSeconds" | "powerOff">>;

/** The power state and since when: `On since 14:02`, `Waking… 12 s of usually 41 s`. */
export function powerSentence({ power, since, typicalWakeSeconds = null, powerOff }: Shown, nowMs: number): string {
  const word = power === "stopping" && powerOff ? ACTION_WORDS[powerOff.action].doing : POWER_WORDS[power];
  switch (power) {
    case "waking":
    case "stopping": {
      if (since === null) return `${word}…`;
      const elapsed = elapsedSeconds(since, nowMs);
      return `${word}… ${elapsed} s${power === "waking" ? usualWords(elapsed, typicalWakeSeconds) : ""}`;
    }
    case "on":
    case "off":
    case "unreachable":
      return since === null ? word : `${word} since ${when(since, nowMs)}`;
    case "unknown":
      return word;
  }
}

/** Nothing is claimed once it takes longer than it usually does. */
function usualWords(elapsed: number, typicalSeconds: number | null): string {
  if (typicalSeconds === null) return "";
  const usual = `usually ${Math.max(1, Math.round(typicalSeconds))} s`;
  return elapsed <= typicalSeconds ? ` of ${usual}` : `, ${usual}`;
}

/** How much of the wait for a wake is over, 0 to 1, by the device's own time where that is known; and whether it takes longer than nine of ten did. */
export function wakeProgress(device: DeviceAnswer, nowMs: number): { readonly done: number; readonly isSlow: boolean } {
  const { power, since, typicalWakeSeconds, slowWakeSeconds } = device;
  if (power !== "waking" || since === null) return { done: 0, isSlow: false };
  const elapsed = elapsedSeconds(since, nowMs);
  const slow = slowWakeSeconds ?? typicalWakeSeconds;
  return {
    done: Math.min(1, elapsed / Math.max(1, typicalWakeSeconds ?? wakeWindowSeconds(device))),
    isSlow: slow !== null && elapsed > slow,
  };
}

export function elapsedSeconds(since: string, nowMs: number): number {
  return Math.max(0, Math.floor((nowMs - Date.parse(since)) / 1_000));
}

export function wakeWindowSeconds(device: Pick<DeviceAnswer, "wake">): number {
  return device.wake.windowSeconds ?? DEFAULT_WAKE_WINDOW_SECONDS;
}

export interface Note {
  readonly text: string;
  readonly tone: "quiet" | "warning";
}

/** What is known beside the device itself. */
export interface Around {
  readonly nowMs: number;
  readonly mayWake: boolean;
  readonly mayPower?: boolean;
  /** What was heard of its power-off. */
  readonly steps?: readonly PowerOffStageRecord[];
}

/**
 * What a person wants to know beside the power state: why nothing can be done, how it goes, how the last wake or power-off
 * ended. Who may not do such a thing is not told what stands in the way of it.
 */
export function noteOf(device: DeviceAnswer, news: WakeStageRecord | undefined, around: Around): Note | undefined {
  const { power, availability, enabled, powerOff } = device;
  const { nowMs, mayWake, steps = [] } = around;
  if (powerOff) return quiet(powerOffProgress({ powerOff, steps, nowMs }));
  if (!enabled) return quiet("Disabled: it takes no part in wakes");
  if (power === "waking") return wakingNote(device, news, nowMs);
  if (power === "unreachable") return mayWake ? quiet("No agent is online that could look") : undefined;
  if (availability === "offline" && mayWake) return quiet("No agent is online that could wake it");
  return power === "on" ? noteOfOn(device, around) : noteOfOff(device, news, nowMs);
}

function noteOfOn(device: DeviceAnswer, { nowMs, mayPower = false }: Around): Note | undefined {
  const { lastWake, lastPowerOff, leases, heldUntil } = device;
  if (mayPower && lastPowerOff && isOfNow(lastPowerOff.at, nowMs) && lastPowerOff.outcome !== "off")
    return {
      text: lastPowerOffWords(lastPowerOff),
      tone: lastPowerOff.outcome === "cancelled" || lastPowerOff.outcome === "rebooted" ? "quiet" : "warning",
    };
  if (leases > 0) return quiet(heldUntil === null ? "Held on" : `Held on until ${when(heldUntil, nowMs)}`);
  return lastWake && hasWokenIt(lastWake, device) ? quiet(`Woke in ${span(lastWake.seconds ?? 0)}`) : undefined;
}

function noteOfOff(device: DeviceAnswer, news: WakeStageRecord | undefined, nowMs: number): Note | undefined {
  const { lastWake, lastPowerOff } = device;
  if (lastPowerOff?.outcome === "off" && (!lastWake || lastWake.at < lastPowerOff.at))
    return quiet(lastPowerOffWords(lastPowerOff));
  if (lastWake?.outcome === "no-answer") {
    const found = news?.stage === "no-answer" ? news.findings[0] : undefined;
    const after = `No answer after ${wakeWindowSeconds(device)} s`;
    return warning(found ? `${after}: ${found.title}` : `${after} · ${when(lastWake.at, nowMs)}`);
  }
  if (lastWake?.outcome === "failed")
    return warning(
      news?.stage === "failed"
        ? (news.findings[0]?.title ?? news.reason)
        : `The last wake failed · ${when(lastWake.at, nowMs)}`,
    );
  return undefined;
}

/** Whether the last thing that was tried came to nothing, so that it may be asked why. */
export function isInNeedOfDoctor({ power, enabled, lastWake, lastPowerOff }: DeviceAnswer): boolean {
  if (!enabled || (power !== "off" && power !== "unknown") || !lastWake) return false;
  const isNewest = !lastPowerOff || lastPowerOff.at < lastWake.at;
  return isNewest && (lastWake.outcome === "no-answer" || lastWake.outcome === "failed");
}

/** How a power-off ended is of interest for a while. */
function isOfNow(at: string, nowMs: number): boolean {
  return nowMs - Date.parse(at) < 3_600_000;
}

/** Whether it is on because of its last wake, and not because somebody switched it on days later. */
function hasWokenIt({ at, outcome, seconds }: LastWake, { since }: DeviceAnswer): boolean {
  if (outcome !== "awake" || seconds === null || since === null) return false;
  const onAfterMs = Date.parse(since) - Date.parse(at);
  return onAfterMs > -SLACK_MS && onAfterMs < seconds * 1_000 + SLACK_MS;
}

/** Between a sighting and the change of the power state, and between the clocks of agents. */
const SLACK_MS = 10_000;

function wakingNote(device: DeviceAnswer, news: WakeStageRecord | undefined, nowMs: number): Note {
  const limit = `gives up after ${wakeWindowSeconds(device)} s`;
  const { isSlow } = wakeProgress(device, nowMs);
  return isSlow ? quiet(`Slower than nine of ten of its wakes · ${limit}`) : quiet(stepWords(news, limit));
}

function stepWords(news: WakeStageRecord | undefined, limit: string): string {
  if (news?.stage === "waiting")
    return `Waits until ${list.format(news.for)} ${news.for.length === 1 ? "is" : "are"} up`;
  if (news?.stage === "accepted") return `Asking the agents · ${limit}`;
  if (news?.stage === "sent") return `Sent by ${news.agent} · ${limit}`;
  if (news?.stage === "on-wire") return `On the wire, heard by ${news.agent} · ${limit}`;
  return `The hub ${limit}`;
}

const list = new Intl.ListFormat("en", { type: "conjunction" });

/** A step of a wake, as its history tells it. */
export function stageSentence(record: WakeStageRecord): string {
  switch (record.stage) {
    case "accepted":
      return record.agents.length === 1 ? `Asked ${record.agents[0]}` : `Asked ${record.agents.length} agents`;
    case "waiting":
      return `Waits for ${record.for.join(", ")}`;
    case "on-wire":
      return `${record.agent} heard the magic packet on the network`;
    case "sent":
      return `${record.agent} sent ${record.packets} magic packet${record.packets === 1 ? "" : "s"}`;
    case "awake":
      return `Awake after ${span(record.seconds)}, seen by ${record.evidence.by} (${EVIDENCE_WORDS[record.evidence.how]})`;
    case "already-on":
      return "It was on already";
    case "no-answer":
      return `No answer after ${Math.round(record.seconds)} s${record.resent > 0 ? `, sent ${record.resent + 1} times` : ""}`;
    case "failed":
      return record.reason;
    case "cancelled":
      return `Cancelled by ${record.by}`;
  }
}

/** Where a magic packet went: `to 192.168.1.255 port 9 by eth0`, and why it did not. */
export function destinationWords({ address, port, interface: by, error }: PacketDestination): string {
  return `to ${address} port ${port}${by === null ? "" : ` by ${by}`}${error === null ? "" : `: ${error}`}`;
}

function quiet(text: string): Note {
  return { text, tone: "quiet" };
}

function warning(text: string): Note {
  return { text, tone: "warning" };
}
