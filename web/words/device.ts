import type { PacketDestination } from "#contracts/agent.ts";
import type { DeviceAnswer } from "#contracts/api/devices.ts";
import { DEFAULT_WAKE_WINDOW_SECONDS } from "#contracts/limits.ts";
import type { LastWake, PowerState } from "#contracts/power.ts";
import type { WakeStageRecord } from "#contracts/wake.ts";
import { span, when } from "./instants.ts";

export const POWER_WORDS: Readonly<Record<PowerState, string>> = {
  on: "On",
  off: "Off",
  waking: "Waking",
  stopping: "Shutting down",
  unreachable: "Unreachable",
  unknown: "Not seen yet",
};

/** The power state and since when: `On since 14:02`, `Waking… 12 s`. */
export function powerSentence({ power, since }: Pick<DeviceAnswer, "power" | "since">, nowMs: number): string {
  const word = POWER_WORDS[power];
  switch (power) {
    case "waking":
    case "stopping":
      return since === null ? `${word}…` : `${word}… ${elapsedSeconds(since, nowMs)} s`;
    case "on":
    case "off":
    case "unreachable":
      return since === null ? word : `${word} since ${when(since, nowMs)}`;
    case "unknown":
      return word;
  }
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

/**
 * What a person wants to know beside the power state: why nothing can be done, how it goes, how the last wake ended. Who may
 * not wake it is not told what stands in the way of that.
 */
export function noteOf(
  device: DeviceAnswer,
  news: WakeStageRecord | undefined,
  { nowMs, mayWake }: { readonly nowMs: number; readonly mayWake: boolean },
): Note | undefined {
  const { power, availability, enabled, lastWake } = device;
  if (!enabled) return quiet("Disabled: it takes no part in wakes");
  if (power === "waking") return quiet(progressWords(device, news));
  if (power === "unreachable") return mayWake ? quiet("No agent is online that could look") : undefined;
  if (availability === "offline" && mayWake) return quiet("No agent is online that could wake it");
  if (power === "on")
    return lastWake && hasWokenIt(lastWake, device) ? quiet(`Woke in ${span(lastWake.seconds ?? 0)}`) : undefined;
  if (lastWake?.outcome === "no-answer")
    return warning(`No answer after ${wakeWindowSeconds(device)} s · ${when(lastWake.at, nowMs)}`);
  if (lastWake?.outcome === "failed")
    return warning(news?.stage === "failed" ? news.reason : `The last wake failed · ${when(lastWake.at, nowMs)}`);
  return undefined;
}

/** Whether it is on because of its last wake, and not because somebody switched it on days later. */
function hasWokenIt({ at, outcome, seconds }: LastWake, { since }: DeviceAnswer): boolean {
  if (outcome !== "awake" || seconds === null || since === null) return false;
  const onAfterMs = Date.parse(since) - Date.parse(at);
  return onAfterMs > -SLACK_MS && onAfterMs < seconds * 1_000 + SLACK_MS;
}

/** Between a sighting and the change of the power state, and between the clocks of agents. */
const SLACK_MS = 10_000;

function progressWords(device: DeviceAnswer, news: WakeStageRecord | undefined): string {
  const limit = `gives up after ${wakeWindowSeconds(device)} s`;
  if (news?.stage === "sent") return `Sent by ${news.agent} · ${limit}`;
  return news?.stage === "accepted" ? `Asking the agents · ${limit}` : `The hub ${limit}`;
}

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

/** How a device was seen, in the words of the field. */
export const EVIDENCE_WORDS = {
  icmp: "ping",
  arp: "ARP",
  tcp: "TCP",
  mdns: "mDNS",
  agent: "its own agent",
  plug: "its plug",
} as const;

function quiet(text: string): Note {
  return { text, tone: "quiet" };
}

function warning(text: string): Note {
  return { text, tone: "warning" };
}
