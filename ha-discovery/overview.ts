import type { DiscoveredThing, DiscoveryFormat, DiscoveryForm, DiscoveryRef } from "#contracts/discovery.ts";
import type { Surroundings } from "./config.ts";
import { Form } from "./form.ts";
import type { DiscoveredThings, PublishedConfigs } from "./hub.ts";
import type { DiscoveryPublisher } from "./publisher.ts";
import { hashOf } from "./shelf.ts";

const FORMATS: readonly DiscoveryFormat[] = ["device", "single"];

export interface OverviewOptions {
  readonly enabled: boolean;
  readonly form: Form;
  readonly things: DiscoveredThings;
  readonly published: PublishedConfigs;
  readonly publisher: DiscoveryPublisher;
  readonly surroundings: Surroundings;
}

/** What is published and what is to be, for people to look at. It changes nothing. */
export function overviewOf({ enabled, form, things, published, publisher, surroundings }: OverviewOptions) {
  /** Those of its topics on which something is to stand. */
  const wantedTopics = (ref: DiscoveryRef): string[] => {
    const thing = things.of(ref);
    if (!thing || !enabled) return [];
    return form.topicsOf(ref).filter((topic) => {
      const place = form.placeOf(topic);
      return place && form.wants(place, thing);
    });
  };

  /** The text that the broker has, as far as this run made it. */
  const textAt = (topic: string): string | null => {
    const [place, thing] = [form.placeOf(topic), publisher.shelf.thingOf(topic)];
    const text = place && thing && form.textAt(place, thing);
    return text !== undefined && hashOf(text) === publisher.shelf.hashOf(topic) ? text : null;
  };

  return {
    messagesOf: (thing: DiscoveredThing, other?: DiscoveryForm): ReadonlyMap<string, string> =>
      (other ? new Form(other, surroundings) : form).messagesOf(thing),

    standing: (ref: DiscoveryRef): ReadonlyMap<string, string | null> => {
      const topics = FORMATS.flatMap((format) => form.topicsOf(ref, format));
      return new Map(topics.filter((topic) => publisher.shelf.has(topic)).map((topic) => [topic, textAt(topic)]));
    },

    stateOf: (ref: DiscoveryRef): "published" | "waiting" | "failed" | "not-yet" => {
      const topics = wantedTopics(ref);
      if (topics.some((topic) => publisher.failed.has(topic))) return "failed";
      if (topics.some((topic) => publisher.isWaiting(topic))) return "waiting";
      if (topics.length > 0 && topics.every((topic) => publisher.shelf.has(topic))) return "published";
      return topics.some((topic) => published.get(topic)) ? "waiting" : "not-yet"; // the broker is away
    },

    /** A person deleted it in Home Assistant, and it has no switch of its own to come back. */
    isDismissed: (ref: DiscoveryRef): boolean =>
      form.topicsOf(ref).some((topic) => published.get(topic)?.hash === null),

    /** When the broker last took a config of it. */
    publishedAt: (ref: DiscoveryRef): Date | null => {
      const instants = form.topicsOf(ref).flatMap((topic) => published.get(topic)?.publishedAt ?? []);
      return instants.toSorted((a, b) => a.getTime() - b.getTime()).at(-1) ?? null;
    },

    /** Why a config has no business on a topic. */
    whyUnwanted: (topic: string): "gone" | "format" | "prefix" => {
      const place = form.placeOf(topic);
      if (!place) return "prefix";
      return place.format !== form.format && things.of(place.ref) ? "format" : "gone";
    },
  };
}
