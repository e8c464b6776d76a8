import type { ClearedWhy, HomeAssistantBroker, SendAnswer, ThingState } from "#contracts/api/home-assistant.ts";
import type { DiscoveryFormat, ThingType } from "#contracts/discovery.ts";

export const THING_WORDS: Readonly<Record<ThingType, string>> = {
  hub: "Hub",
  device: "Device",
  cluster: "Cluster",
  agent: "Agent",
  schedule: "Schedule",
};

export const THING_STATE_WORDS: Readonly<Record<ThingState, string>> = {
  published: "Published",
  waiting: "On its way",
  failed: "Not taken by the broker",
  hidden: "Hidden",
  "not-yet": "Not published",
};

export const FORMAT_WORDS: Readonly<Record<DiscoveryFormat, string>> = {
  device: "One message for each device",
  single: "One message for each entity",
};

export const BROKER_WORDS: Readonly<Record<HomeAssistantBroker, string>> = {
  embedded: "The hub's own",
  own: "Your own, which the hub uses too",
  bridge: "Home Assistant's, over a bridge",
};

export const CLEARED_WORDS: Readonly<Record<ClearedWhy, string>> = {
  gone: "what it told of is gone or hidden",
  format: "from another format",
  prefix: "under another prefix",
};

/** `1 message`, `1,204 messages`. */
export function messages(count: number): string {
  return count === 1 ? "1 message" : `${count.toLocaleString()} messages`;
}

/** `640 B`, `2.3 kB`, `1.2 MB`. */
export function size(bytes: number): string {
  if (bytes < 1_000) return `${bytes} B`;
  const [amount, unit] = bytes < 999_950 ? [bytes / 1_000, "kB"] : [bytes / 1_000_000, "MB"];
  return `${amount.toFixed(1)} ${unit}`;
}

export function sentWords({ configs, waiting }: SendAnswer): string {
  const sent = `${messages(configs)} sent again`;
  if (waiting === 0) return sent;
  const waits = `the broker has not taken ${messages(waiting)} yet`;
  return configs === 0 ? `Nothing sent: ${waits}` : `${sent}; ${waits}`;
}
