/**
 * Every topic of PowerBeacon, as values that build, filter and match. No topic string stands anywhere else.
 *
 * Names here are without the base topic (`powerbeacon` unless set otherwise): each part's MQTT link adds and strips it.
 */

/** MQTT 3.1.1 §4.7: a level may hold neither a wildcard nor a separator, and U+0000 is never allowed. */
const NOT_IN_A_LEVEL = ["+", "#", "/", "\0"];

export interface TopicOptions {
  readonly qos: 0 | 1;
  readonly retain: boolean;
}

/** A topic whose levels are all fixed, such as `hub/status`. */
export class FixedTopic {
  readonly name: string;
  readonly options: TopicOptions;

  constructor(name: string, options: TopicOptions) {
    this.name = name;
    this.options = options;
  }

  get filter(): string {
    return this.name;
  }
}

/** A topic with one free level, such as `device/<device>/state`. */
export class KeyedTopic {
  readonly #before: string;
  readonly #after: string;
  readonly options: TopicOptions;

  /** @param pattern the topic filter with one `+` where the key stands. */
  constructor(pattern: string, options: TopicOptions) {
    const at = pattern.indexOf("+");
    this.#before = pattern.slice(0, at);
    this.#after = pattern.slice(at + 1);
    this.options = options;
  }

  /** The topic name for a key. @throws RangeError when the key could not stand on one level. */
  for(key: string): string {
    if (key === "" || NOT_IN_A_LEVEL.some((character) => key.includes(character)))
      throw new RangeError(`"${key}" cannot be a topic level`);
    return this.#before + key + this.#after;
  }

  /** The topic filter that matches the topic for every key. */
  get filter(): string {
    return `${this.#before}+${this.#after}`;
  }

  /** The key in a topic name, or undefined when the name is another topic's. */
  match(name: string): string | undefined {
    if (!name.startsWith(this.#before) || !name.endsWith(this.#after)) return undefined;
    const key = name.slice(this.#before.length, name.length - this.#after.length);
    if (key === "" || name.length < this.#before.length + this.#after.length || key.includes("/")) return undefined;
    return key;
  }
}

const state: TopicOptions = { qos: 1, retain: true };
const message: TopicOptions = { qos: 1, retain: false };

export const topics = {
  hubStatus: new FixedTopic("hub/status", state),
  hubInfo: new FixedTopic("hub/info", state),
  /** A wake request (plain, anyone → hub) or a wake order (signed, hub → agents). */
  clusterWake: new KeyedTopic("cluster/+/wake", message),
  clusterWakeResult: new KeyedTopic("cluster/+/wake/result", message),
  clusterSet: new KeyedTopic("cluster/+/set", message),
  clusterState: new KeyedTopic("cluster/+/state", state),
  clusterInfo: new KeyedTopic("cluster/+/info", state),
  deviceSet: new KeyedTopic("device/+/set", message),
  deviceState: new KeyedTopic("device/+/state", state),
  deviceAvailability: new KeyedTopic("device/+/availability", state),
  deviceInfo: new KeyedTopic("device/+/info", state),
  deviceResult: new KeyedTopic("device/+/result", message),
  deviceEvent: new KeyedTopic("device/+/event", message),
  agentStatus: new KeyedTopic("agent/+/status", state),
  agentHeartbeat: new KeyedTopic("agent/+/heartbeat", { qos: 0, retain: true }),
  agentInventory: new KeyedTopic("agent/+/inventory", state),
  agentOrder: new KeyedTopic("agent/+/order", message),
  agentWatch: new KeyedTopic("agent/+/watch", state),
  agentReceipt: new KeyedTopic("agent/+/receipt", message),
  agentSightings: new KeyedTopic("agent/+/sightings", message),
  hubUpdate: new FixedTopic("hub/update", state),
  agentUpdate: new KeyedTopic("agent/+/update", state),
  /** The free level is the verb. */
  hubRequest: new KeyedTopic("hub/request/+", message),
  hubResponse: new KeyedTopic("hub/response/+", message),
  scheduleState: new KeyedTopic("schedule/+/state", state),
  scheduleSet: new KeyedTopic("schedule/+/set", message),
  scheduleInfo: new KeyedTopic("schedule/+/info", state),
  event: new FixedTopic("event", message),
} as const;

/** MQTT 5 response topics are honoured below this level only, which its client alone may read. */
export function responsePrefix(username: string): string {
  return `client/${username}/response/`;
}

/** Whether somebody's responses stand on this topic. A name with a wildcard is none: its publisher would be thrown out. */
export function isResponseTopic(topic: string): boolean {
  return /^client\/[^/+#\p{Cc}]+\/response\/[^+#\p{Cc}]+$/u.test(topic);
}
