import type { Place, PlaceDirectory } from "./access-policy.ts";
import type { RuledTopic } from "./topic-rules.ts";

/** How far a client reaches: into its site, and there into these clusters; into all of them without. */
export interface Bounds {
  readonly siteId: string;
  readonly clusters?: ReadonlySet<string> | null;
}

export function isWithin({ siteId, clusters }: Bounds, place: Place): boolean {
  return place.siteId === siteId && (!clusters || (place.key !== null && clusters.has(place.key)));
}

/**
 * Whether a message is about something in the client's bounds, or about the hub.
 *
 * @param siteId what the message itself says of its site, for topics that name nothing, or nothing that is there: the hub
 * clears the topics of what was removed, and answers who asks for what never was.
 */
export function concerns(client: Bounds, topic: RuledTopic, siteId: string | null, directory: PlaceDirectory): boolean {
  if (topic.rule.names === "nothing") return siteId === null || siteId === client.siteId;
  const place = placeOf(topic, directory);
  return place === undefined ? !client.clusters && siteId === client.siteId : isWithin(client, place);
}

export function placeOf(topic: RuledTopic, directory: PlaceDirectory): Place | undefined {
  switch (topic.rule.names) {
    case "cluster":
      return directory.cluster(topic.key);
    case "device":
      return directory.clusterOfDevice(topic.key);
    case "agent":
      return directory.clusterOfAgent(topic.key);
    case "schedule":
      return directory.siteOfSchedule?.(topic.key);
    case "nothing":
      break;
  }
  return undefined;
}
