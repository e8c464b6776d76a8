import type { DiscoveredThing } from "#contracts/discovery.ts";
import type { Farewells } from "./farewells.ts";
import type { Form } from "./form.ts";
import type { DiscoveredThings, PublishedConfigs } from "./hub.ts";
import { type Shelf, hashOf } from "./shelf.ts";

/** What is to be done on a topic. */
export type Task =
  | { readonly type: "publish"; readonly thing: DiscoveredThing; readonly text: string }
  /** The broker has it already. */
  | { readonly type: "note"; readonly thing: DiscoveredThing; readonly hash: string }
  /** A person deleted it in Home Assistant. */
  | { readonly type: "leave" }
  /** Home Assistant is told that the config moves to the other format. */
  | { readonly type: "hand-over"; readonly thing: DiscoveredThing }
  | { readonly type: "rest" }
  | { readonly type: "clear" }
  | { readonly type: "nothing" };

/** What is known of all topics. */
export interface Knowledge {
  readonly form: Form;
  readonly things: DiscoveredThings;
  readonly published: PublishedConfigs;
  readonly shelf: Shelf;
  readonly farewells: Farewells;
  /** Deleted in Home Assistant, and not noted down yet. */
  readonly isDismissed: (thing: DiscoveredThing) => boolean;
  /** To be published although nothing changed. */
  readonly isAsked: (topic: string) => boolean;
}

export function taskFor(topic: string, knowledge: Knowledge): Task {
  const { form, things } = knowledge;
  const place = form.placeOf(topic);
  const thing = place && things.of(place.ref);
  const text = thing && form.textAt(place, thing);
  if (thing && text !== undefined) return publicationOf(topic, thing, text, knowledge);
  return removalOf(topic, place?.format === form.format ? undefined : thing, knowledge);
}

function publicationOf(topic: string, thing: DiscoveredThing, text: string, knowledge: Knowledge): Task {
  const { published, shelf, isAsked, isDismissed } = knowledge;
  if (published.get(topic)?.hash === null || isDismissed(thing)) return { type: "leave" };
  const hash = hashOf(text);
  const isThere = !isAsked(topic) && shelf.hashOf(topic) === hash;
  return isThere ? { type: "note", thing, hash } : { type: "publish", thing, text };
}

/** @param moved the thing, where it goes on in the other format. */
function removalOf(topic: string, moved: DiscoveredThing | undefined, knowledge: Knowledge): Task {
  const { published, shelf, farewells } = knowledge;
  const isNoted = typeof published.get(topic)?.hash === "string";
  if (!isNoted && !shelf.has(topic) && !farewells.isForGood(topic)) return { type: "nothing" };
  if (!moved) return { type: "clear" };
  switch (farewells.handedOver(topic)) {
    case undefined:
      return { type: "hand-over", thing: moved };
    case "just now":
      return { type: "rest" };
    case "before":
      return { type: "clear" };
  }
}

/** The thing that is to have a config there. */
export function wantedAt(
  topic: string,
  { form, things }: Pick<Knowledge, "form" | "things">,
): DiscoveredThing | undefined {
  const place = form.placeOf(topic);
  const thing = place && things.of(place.ref);
  return thing && form.wants(place, thing) ? thing : undefined;
}

/** Whose clients read what stands on a topic; null = those of every site. */
export function siteOf(topic: string, { form, published }: Pick<Knowledge, "form" | "published">): string | null {
  const isHub = form.placeOf(topic)?.ref.type === "hub";
  return isHub ? null : (published.get(topic)?.siteId ?? null);
}

/** Everything names the hub, so all read of it. */
export function readersOf({ type, siteId }: DiscoveredThing): string | null {
  return type === "hub" ? null : siteId;
}
