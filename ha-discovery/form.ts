import {
  type DiscoveredThing,
  type DiscoveryForm,
  type DiscoveryFormat,
  type DiscoveryRef,
  discoveryTopics,
} from "#contracts/discovery.ts";
import { COMPONENTS, type Surroundings, configOf, entityOf, rootOf } from "./config.ts";
import { objectIdOf, refOf } from "./object-id.ts";

/** What a config topic speaks of. */
export interface Place {
  readonly format: DiscoveryFormat;
  readonly ref: DiscoveryRef;
  /** The key of the one component, and its platform; null where the message is about all of them. */
  readonly component: { readonly platform: string; readonly key: string } | null;
}

/** Which topics a thing has under a prefix, and what is to stand on them in a format. Pure. */
export class Form {
  readonly format: DiscoveryFormat;
  readonly topics: ReturnType<typeof discoveryTopics>;
  readonly #around: Surroundings;

  constructor({ format, prefix }: DiscoveryForm, around: Surroundings) {
    this.format = format;
    this.topics = discoveryTopics(prefix);
    this.#around = around;
  }

  /** Every topic that a thing can have, also of components that are not offered. */
  topicsOf(ref: DiscoveryRef, format: DiscoveryFormat = this.format): string[] {
    const objectId = objectIdOf(ref);
    if (format === "device") return [this.topics.config.for(objectId)];
    return Object.entries(COMPONENTS[ref.type]).map(([key, { platform }]) =>
      this.topics.component.for(`${platform}/${objectId}/${key}`),
    );
  }

  /** Of both formats. Undefined for what is none of ours, and under another prefix. */
  placeOf(topic: string): Place | undefined {
    const objectId = this.topics.config.match(topic);
    if (objectId !== undefined) return placed("device", objectId, null);
    const [platform = "", node = "", key = ""] = this.topics.component.match(topic)?.split("/") ?? [];
    return placed("single", node, { platform, key });
  }

  /** Whether anything is to stand there, as long as the thing is shown. */
  wants({ format, component }: Place, thing: DiscoveredThing): boolean {
    if (format !== this.format) return false;
    return component === null || entityOf(thing, component.key, this.#around)?.platform === component.platform;
  }

  /** What is to stand at a place. Undefined where nothing is. */
  textAt(place: Place, thing: DiscoveredThing): string | undefined {
    if (!this.wants(place, thing)) return undefined;
    if (place.component === null) return JSON.stringify(configOf(thing, this.#around));
    const entity = entityOf(thing, place.component.key, this.#around);
    // what a component says itself counts
    return entity && JSON.stringify({ ...entity.fields, ...without(rootOf(thing, this.#around), entity.fields) });
  }

  messagesOf(thing: DiscoveredThing): Map<string, string> {
    const messages = new Map<string, string>();
    for (const topic of this.topicsOf(thing)) {
      const place = this.placeOf(topic);
      const text = place && this.textAt(place, thing);
      if (text !== undefined) messages.set(topic, text);
    }
    return messages;
  }
}

function placed(format: DiscoveryFormat, objectId: string, component: Place["component"]): Place | undefined {
  const ref = refOf(objectId);
  return ref && { format, ref, component };
}

/** An availability list of its own stands with its own mode. */
function without(root: object, fields: Readonly<Record<string, unknown>>): object {
  const own = "availability" in fields ? ["availability", "availability_mode"] : [];
  return Object.fromEntries(Object.entries(root).filter(([key]) => !own.includes(key)));
}
