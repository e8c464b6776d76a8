import type { DiscoveryComponent } from "#contracts/discovery.ts";

/** The topic as others see it, with its base. */
export type FullName = (topic: string) => string;

/** One entity of a thing. The ids follow from its key in the table. */
export interface Component<Thing> extends Pick<DiscoveryComponent, "platform" | "name"> {
  /** Not offered, it is taken out of Home Assistant where it was there before. Left out: always offered. */
  readonly isOffered?: (thing: Thing) => boolean;
  readonly options: (thing: Thing, fullName: FullName) => Readonly<Record<string, unknown>>;
}

/**
 * The entities of one kind of thing. A key is part of the unique_id, so it never changes, and one that is no longer needed stays
 * in its table, not offered. Some readers of discovery drop keys such as `restart`, `last_seen` and `*_address`.
 *
 * @see https://www.home-assistant.io/integrations/mqtt/ and the page of each platform, for the options
 */
export type Components<Thing> = Readonly<Record<string, Component<Thing>>>;

export const CONNECTIVITY = { payload_on: "online", payload_off: "offline", device_class: "connectivity" };

export const DIAGNOSTIC = { entity_category: "diagnostic" };

/** For what would fill the recorder, or what few people want. */
export const DISABLED = { enabled_by_default: false };
