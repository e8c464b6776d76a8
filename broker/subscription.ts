import { problemOfFilter } from "./packet-rules.ts";

/** A subscription as its client asked for it, and as it was granted. */
export interface Subscription {
  /** As the client says it, `$share/…` included. */
  readonly filter: string;
  /** QoS 2 is not offered to readers. */
  readonly qos: 0 | 1;
  readonly noLocal: boolean;
  readonly retainAsPublished: boolean;
  /** The Subscription Identifier. */
  readonly identifier?: number | undefined;
}

/** What a filter says: which topics, and for which group of clients together. */
export interface ParsedFilter {
  /** What topics are compared with. */
  readonly pattern: string;
  /** The group that shares it; null where it is one client's own. */
  readonly group: string | null;
}

const SHARED = "$share/";

/** Undefined where it is no filter. MQTT 5 §4.7, §4.8.2 */
export function parseFilter(filter: string): ParsedFilter | undefined {
  if (!filter.startsWith(SHARED))
    return problemOfFilter(filter) === null ? { pattern: filter, group: null } : undefined;
  const end = filter.indexOf("/", SHARED.length);
  const group = filter.slice(SHARED.length, end < 0 ? undefined : end);
  if (end < 0 || group === "" || /[+#]/.test(group)) return undefined;
  const pattern = filter.slice(end + 1);
  return problemOfFilter(pattern) === null ? { pattern, group } : undefined;
}
