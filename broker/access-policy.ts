import type { AgentPrincipal, IntegrationPrincipal, MqttCredentials, Principal } from "#contracts/principal.ts";
import { responsePrefix } from "#contracts/topics.ts";
import type { RuledTopic } from "./topic-rules.ts";

export type Authentication =
  | { readonly ok: true; readonly principal: Principal }
  /** `unavailable` where nobody can tell right now: clients may try again, Home Assistant does not ask for a new password. */
  | { readonly ok: false; readonly reason: "bad-credentials" | "unavailable" };

/** What a client was not allowed to do. The topic is without base where it stands under it. */
export interface AccessRefusal {
  readonly username: string;
  readonly action: "publish" | "subscribe" | "will" | "receive";
  readonly topic: string;
  readonly reason: string;
}

/** The reason for a request that its sender may make, but not retained. */
export const RETAINED_REQUEST = "requests are never retained";

export interface ClientConnection {
  readonly clientId: string;
  readonly address: string | null;
  readonly protocolVersion: 3 | 4 | 5;
}

/** Who is in which cluster. Asked for every message, so an answer may change at any time. */
export interface ClusterDirectory {
  /** The cluster that a device is in (`unassigned…` for none); undefined for a key that nobody has. */
  clusterOfDevice(device: string): string | undefined;
  clusterOfAgent(agent: string): string | undefined;
  /** The cluster of the thing with this discovery object id. Without it, only integrations with all clusters read discovery. */
  clusterOfDiscovery?(objectId: string): string | undefined;
}

/** What the broker asks the hub. All but `authenticate` is called on the way of a message: no I/O, no string building. */
export interface AccessPolicy extends ClusterDirectory {
  authenticate(credentials: MqttCredentials): Authentication | Promise<Authentication>;
  connected(principal: Principal, connection: ClientConnection): void;
  disconnected(principal: Principal, connection: ClientConnection): void;
  refused(refusal: AccessRefusal): void;
}

/** What the access rules look at in a message. */
export interface MessageInQuestion {
  readonly payload: Buffer;
  readonly retain: boolean;
}

/** Why a principal may not publish this message, as a sentence; null when it may. A Will obeys the same. */
export function refusalOfPublish(
  principal: Principal,
  topic: RuledTopic,
  message: MessageInQuestion,
  directory: ClusterDirectory,
): string | null {
  if (principal.type === "hub") return null;
  if (principal.type === "agent") return refusalOfAgent(principal, topic, message, directory);
  return refusalOfIntegration(principal, topic, message, directory);
}

function refusalOfAgent(
  agent: AgentPrincipal,
  topic: RuledTopic,
  message: MessageInQuestion,
  directory: ClusterDirectory,
): string | null {
  const { agentPublishes } = topic.rule;
  if (agentPublishes === "no") return "agents do not publish here";
  if (topic.key !== agent.key) return "this topic belongs to another agent";
  // also its Will: a removed agent leaves nothing behind
  if (directory.clusterOfAgent(agent.key) === undefined) return "this agent was removed";
  if (message.retain && agentPublishes !== "own, retained") return "messages on this topic are never retained";
  return null;
}

function refusalOfIntegration(
  integration: IntegrationPrincipal,
  topic: RuledTopic,
  message: MessageInQuestion,
  directory: ClusterDirectory,
): string | null {
  const { permissions } = integration;
  const needed = topic.rule.integrationPublishes;
  switch (needed) {
    case "no":
      return "only the hub and agents publish here";
    case "discovery":
      return permissions.has("discovery") ? null : "needs the permission discovery";
    case "discovery, empty":
      if (!permissions.has("discovery")) return "needs the permission discovery";
      if (!isDiscoveryOfItsClusters(integration, topic, directory)) return "the cluster is not one of its own";
      return message.retain && message.payload.length === 0 ? null : "only an empty retained message may be left here";
    case "any permission":
      if (permissions.size === 0) return "has no permission at all";
      break;
    case "wake":
      if (!permissions.has("wake")) return "needs the permission wake";
      if (looksSigned(message.payload)) return "only the hub publishes orders";
      break;
    case "wake or power":
      if (!permissions.has("wake") && !permissions.has("power")) return "needs the permission wake or power";
      break;
  }
  if (!concerns(integration, topic, directory)) return "the cluster is not one of its own";
  // A retained request would wake or stop machines again at every restart.
  if (message.retain) return RETAINED_REQUEST;
  return null;
}

/** Whether a principal may see this message. Asked for each message when it is forwarded. */
export function mayRead(
  principal: Principal,
  topic: RuledTopic,
  payload: Buffer,
  directory: ClusterDirectory,
): boolean {
  if (principal.type === "hub") return true;
  if (topic.rule.response) return isResponseFor(principal, topic);
  if (principal.type === "integration") return integrationMayRead(principal, topic, directory);
  switch (topic.rule.agentReads) {
    case "no":
      break;
    case "yes":
      return true;
    case "own":
      return topic.key === principal.key;
    case "signed, own cluster":
      return topic.key === principal.cluster && looksSigned(payload);
  }
  return false;
}

function integrationMayRead(integration: IntegrationPrincipal, topic: RuledTopic, directory: ClusterDirectory) {
  const { permissions } = integration;
  switch (topic.rule.integrationReads) {
    case "no":
      break;
    case "read":
      return permissions.has("read") && concerns(integration, topic, directory);
    case "read, all clusters":
      return permissions.has("read") && integration.clusters === null;
    case "discovery":
      return permissions.has("discovery");
    case "discovery, own cluster":
      return permissions.has("discovery") && isDiscoveryOfItsClusters(integration, topic, directory);
  }
  return false;
}

/**
 * Why a subscription is refused, as a sentence; null when it is granted.
 *
 * A filter with wildcards is granted even when it is wider than the rights, since each message is checked. So is one
 * for a thing that does not exist yet. What is left are names that this principal could never read.
 */
export function refusalOfSubscribe(
  principal: Principal,
  filter: string,
  topic: RuledTopic,
  directory: ClusterDirectory,
): string | null {
  if (filter.startsWith("$")) return "this broker has no such topics";
  if (principal.type === "hub" || filter.includes("+") || filter.includes("#")) return null;
  if (mayRead(principal, topic, SIGNED, directory)) return null;
  const isUnknownYet = topic.rule.names !== "nothing" && clusterOf(topic, directory) === undefined;
  if (isUnknownYet && principal.type === "integration" && topic.rule.integrationReads === "read") return null;
  return "this client may not read this topic";
}

const SIGNED = Buffer.from("eyJ");

/** A compact JWS starts with the base64url of `{"`. @see RFC 7515 §7.1 */
function looksSigned(payload: Buffer): boolean {
  return payload.length >= 3 && payload[0] === 0x65 && payload[1] === 0x79 && payload[2] === 0x4a;
}

/** Why nobody may be answered on this topic at a client's wish; null when it is the client's own. MQTT 5 §4.10 */
export function refusalOfResponseTopic(principal: Principal, topic: RuledTopic): string | null {
  if (principal.type === "hub" || (topic.rule.response && isResponseFor(principal, topic))) return null;
  return "its response topic is not one of its own";
}

function isResponseFor(principal: Principal, topic: RuledTopic): boolean {
  // a separator in a user name could reach into the responses of another
  return !principal.username.includes("/") && topic.name.startsWith(responsePrefix(principal.username));
}

/** Whether a topic is about the whole hub or about one of the integration's clusters. */
function concerns(integration: IntegrationPrincipal, topic: RuledTopic, directory: ClusterDirectory): boolean {
  if (integration.clusters === null || topic.rule.names === "nothing") return true;
  const cluster = clusterOf(topic, directory);
  return cluster !== undefined && integration.clusters.has(cluster);
}

/** A discovery topic names an object id, which only the hub can tell the cluster of. */
function isDiscoveryOfItsClusters(integration: IntegrationPrincipal, topic: RuledTopic, directory: ClusterDirectory) {
  if (integration.clusters === null) return true;
  const cluster = directory.clusterOfDiscovery?.(topic.key);
  return cluster !== undefined && integration.clusters.has(cluster);
}

function clusterOf(topic: RuledTopic, directory: ClusterDirectory): string | undefined {
  switch (topic.rule.names) {
    case "cluster":
      return topic.key;
    case "device":
      return directory.clusterOfDevice(topic.key);
    case "agent":
      return directory.clusterOfAgent(topic.key);
    case "nothing":
      break;
  }
  return undefined;
}
