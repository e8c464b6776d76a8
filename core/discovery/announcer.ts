import type { ClearedWhy } from "#contracts/api/home-assistant.ts";
import type { DiscoveredThing, DiscoveryForm, DiscoveryRef } from "#contracts/discovery.ts";

/** A config: its topic, and its JSON text. */
export type ConfigMessages = ReadonlyMap<string, string>;

/** `ha-discovery/` as the hub's HTTP API sees it. It knows nothing of who is allowed what. */
export interface Announcer {
  /** @param form the one of the settings where none is given. */
  messagesOf(thing: DiscoveredThing, form?: DiscoveryForm): ConfigMessages;
  /** What the broker has of a thing. The text is null where a former run published it, or somebody else. */
  standing(ref: DiscoveryRef): ReadonlyMap<string, string | null>;
  /** Of a thing that is shown. */
  stateOf(ref: DiscoveryRef): "published" | "waiting" | "failed" | "not-yet";
  /** A person deleted it in Home Assistant, and it has no switch of its own to come back. */
  isDismissed(ref: DiscoveryRef): boolean;
  /** When the broker last took a config of it. */
  publishedAt(ref: DiscoveryRef): Date | null;
  /** When a Home Assistant that reads of this site last gave birth. */
  bornAt(siteId: string): Date | null;
  /** Publishes again, changed or not, also what was dismissed. Undefined where discovery is off. */
  send(refs: readonly DiscoveryRef[]): Promise<{ configs: number; waiting: number }> | undefined;
  /** Takes back what nobody wants to stand there, once more and for the last time. */
  cleanUp(siteId: string): Promise<{ topic: string; why: ClearedWhy }[]>;
}
