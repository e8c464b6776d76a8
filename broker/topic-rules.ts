import { discoveryTopics } from "#contracts/discovery.ts";
import type { Permission } from "#contracts/permissions.ts";
import { type FixedTopic, type KeyedTopic, topics } from "#contracts/topics.ts";

/**
 * Who may do what with one topic, the hub apart, which may do everything.
 *
 * This is the table "Who may do what" of the MQTT API, one row per topic.
 */
export interface TopicRule {
  /**
   * What the free level of the topic names; that thing's cluster is the cluster of the message. A schedule is in none, so it is
   * for who reaches all of its site.
   */
  readonly names: "cluster" | "device" | "agent" | "schedule" | "nothing";
  /** `own`: the agent that the topic names. `retained`: it may also leave its message there. */
  readonly agentPublishes: "no" | "own" | "own, retained";
  readonly agentReads: "no" | "yes" | "own" | "signed, own cluster";
  /** What an integration needs for publishing a request here. Persons wake what they may, ask the hub, and manage the rest. */
  readonly integrationPublishes: "no" | "wake" | "wake or power" | "any permission" | "discovery" | "discovery, empty";
  /** `read` counts for things in its clusters; `read, all clusters` where a message concerns the whole site. */
  readonly integrationReads: "no" | "read" | "read, all clusters" | "discovery" | "discovery, own cluster";
  /** What a person needs for things of the own site; `yes` where any token will do. */
  readonly personReads: "no" | "yes" | Permission;
  /** The client with this user name in its topic reads it. */
  readonly response: boolean;
  /** What the hub retains here is kept over a restart, too; everything else it publishes anew. */
  readonly outlivesHub: boolean;
}

/** Who could hand out a credential with any right on the site needs none. */
export const MANAGES = "mqtt-client:manage" satisfies Permission;

const nobody: TopicRule = {
  names: "nothing",
  agentPublishes: "no",
  agentReads: "no",
  integrationPublishes: "no",
  integrationReads: "no",
  personReads: "no",
  response: false,
  outlivesHub: false,
};

const hub: TopicRule = { ...nobody, integrationReads: "read", personReads: "yes" };
const cluster: TopicRule = { ...nobody, names: "cluster", integrationReads: "read", personReads: "cluster:read" };
const device: TopicRule = { ...nobody, names: "device", integrationReads: "read", personReads: "device:read" };
const schedule: TopicRule = { ...nobody, names: "schedule", integrationReads: "read", personReads: "schedule:read" };
const agent: TopicRule = { ...nobody, names: "agent" };
const ofAgent: TopicRule = {
  ...agent,
  agentPublishes: "own, retained",
  integrationReads: "read",
  personReads: "agent:read",
};
const ofSite: TopicRule = { ...nobody, integrationReads: "read, all clusters" };

const rules: readonly (readonly [FixedTopic | KeyedTopic, TopicRule])[] = [
  [topics.agentHeartbeat, ofAgent],
  [topics.agentStatus, { ...ofAgent, agentReads: "own" }],
  [topics.agentSightings, { ...agent, agentPublishes: "own" }],
  [topics.agentReceipt, { ...agent, agentPublishes: "own" }],
  [topics.agentInventory, { ...agent, agentPublishes: "own, retained" }],
  [topics.agentUpdate, ofAgent],
  [topics.agentOrder, { ...agent, agentReads: "own" }],
  [topics.agentWatch, { ...agent, agentReads: "own" }],
  [topics.deviceState, device],
  [topics.deviceInfo, device],
  [topics.deviceAvailability, device],
  [topics.deviceResult, device],
  [topics.deviceEvent, device],
  [topics.deviceSet, { ...nobody, names: "device", integrationPublishes: "wake or power" }],
  [
    topics.clusterWake,
    { ...nobody, names: "cluster", agentReads: "signed, own cluster", integrationPublishes: "wake" },
  ],
  [topics.clusterWakeResult, cluster],
  [topics.clusterSet, { ...nobody, names: "cluster", integrationPublishes: "wake or power" }],
  [topics.clusterState, cluster],
  [topics.clusterInfo, cluster],
  [topics.scheduleState, schedule],
  [topics.scheduleInfo, schedule],
  [topics.scheduleSet, { ...nobody, names: "schedule", integrationPublishes: "wake or power" }],
  [topics.hubStatus, { ...hub, agentReads: "yes" }],
  [topics.hubInfo, { ...hub, agentReads: "yes" }],
  [topics.hubUpdate, hub],
  [topics.hubRequest, { ...nobody, integrationPublishes: "any permission" }],
  [topics.hubResponse, { ...ofSite, personReads: MANAGES }],
  // it tells of agents and of whom was refused what, too
  [topics.event, { ...ofSite, personReads: "agent:read" }],
];

const response: TopicRule = { ...nobody, response: true };
const discoveryStatus: TopicRule = {
  ...nobody,
  integrationPublishes: "discovery",
  integrationReads: "discovery",
  personReads: MANAGES,
};
const discoveryOther: TopicRule = { ...nobody, integrationReads: "discovery, own cluster", personReads: MANAGES };
// large, many, and seldom different: Home Assistant need not read all of them again
const discoveryConfig: TopicRule = { ...discoveryOther, integrationPublishes: "discovery, empty", outlivesHub: true };

/** A topic name with the rule that holds for it. */
export interface RuledTopic {
  /** Without the base, where it stands under it. */
  readonly name: string;
  readonly rule: TopicRule;
  /** What the free level says: a key, or the object id of a discovery message. Empty where there is none. */
  readonly key: string;
}

/** A topic is looked up once and remembered, since a message meets its rule again for every subscriber. */
const REMEMBERED_TOPICS = 50_000;
/** None of ours is longer. */
const REMEMBERED_LENGTH = 256;

/** Finds the rule of a full topic name. */
export class TopicRules {
  readonly #base: string;
  readonly #discoveryPrefix: string;
  readonly #discovery: ReturnType<typeof discoveryTopics>;
  readonly #known = new Map<string, RuledTopic>();

  constructor(baseTopic: string, discoveryPrefix: string) {
    this.#base = `${baseTopic}/`;
    this.#discoveryPrefix = `${discoveryPrefix}/`;
    this.#discovery = discoveryTopics(discoveryPrefix);
  }

  of(fullName: string): RuledTopic {
    if (fullName.length > REMEMBERED_LENGTH) return this.#find(fullName);
    let topic = this.#known.get(fullName);
    if (topic === undefined) {
      topic = this.#find(fullName);
      if (this.#known.size >= REMEMBERED_TOPICS) this.#known.clear();
      this.#known.set(fullName, topic);
    }
    return topic;
  }

  /** The name as people know it: without the base where it stands under it. */
  withoutBase(fullName: string): string {
    return fullName.startsWith(this.#base) ? fullName.slice(this.#base.length) : fullName;
  }

  #find(fullName: string): RuledTopic {
    if (fullName.startsWith(this.#base)) return underBase(fullName.slice(this.#base.length));
    if (fullName.startsWith(this.#discoveryPrefix)) return this.#underDiscovery(fullName);
    return { name: fullName, rule: nobody, key: "" };
  }

  #underDiscovery(name: string): RuledTopic {
    if (name === this.#discovery.status.name) return { name, rule: discoveryStatus, key: "" };
    const objectId = this.#discovery.config.match(name) ?? this.#discovery.component.match(name)?.split("/")[1];
    if (objectId !== undefined) return { name, rule: discoveryConfig, key: objectId };
    return { name, rule: discoveryOther, key: "" };
  }
}

function underBase(name: string): RuledTopic {
  for (const [topic, rule] of rules) {
    if (!("match" in topic)) {
      if (topic.name === name) return { name, rule, key: "" };
      continue;
    }
    const key = topic.match(name);
    if (key !== undefined) return { name, rule, key };
  }
  return { name, rule: name.startsWith("client/") ? response : nobody, key: "" };
}
