import type { DiscoveryRef } from "#contracts/discovery.ts";

const OBJECT_ID = /^powerbeacon_(hub|device|cluster|agent|schedule)_([0-9a-f-]{36})$/;

/** What Home Assistant knows a thing by: in its config topic, as its identifier, and at the head of each unique_id. */
export function objectIdOf({ type, id }: DiscoveryRef): string {
  return `powerbeacon_${type}_${id}`;
}

/** The thing with this object id; undefined when the object id is none of ours. */
export function refOf(objectId: string): DiscoveryRef | undefined {
  const [, type, id] = OBJECT_ID.exec(objectId) ?? [];
  // the pattern holds these words alone
  return id === undefined ? undefined : { type: type as DiscoveryRef["type"], id };
}

/** The unique_id of one entity of a thing. It never changes, or Home Assistant would take it for a new one. */
export function uniqueIdOf(ref: DiscoveryRef, component: string): string {
  return `${objectIdOf(ref)}_${component}`;
}
