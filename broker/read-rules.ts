import type { AgentPrincipal, IntegrationPrincipal, PersonPrincipal, Principal } from "#contracts/principal.ts";
import { looksSigned } from "#contracts/signed.ts";
import { responsePrefix } from "#contracts/topics.ts";
import type { PlaceDirectory } from "./access-policy.ts";
import { type Bounds, concerns, isWithin, placeOf } from "./bounds.ts";
import type { RuledTopic } from "./topic-rules.ts";

/** What the rules look at in a message that is to be read. */
export interface MessageToRead {
  readonly payload: Buffer;
  /** The site of who published it; of the hub's messages, the one that the hub names. */
  readonly siteId: string | null;
}

/** Whether a principal may see this message. Asked for each message when it is forwarded. */
export function mayRead(
  principal: Principal,
  topic: RuledTopic,
  message: MessageToRead,
  directory: PlaceDirectory,
): boolean {
  if (principal.type === "hub") return true;
  if (topic.rule.response) return isResponseFor(principal, topic, message.siteId);
  switch (principal.type) {
    case "agent":
      return agentMayRead(principal, topic, message);
    case "integration":
      return integrationMayRead(principal, topic, message, directory);
    case "person":
      return personMayRead(principal, topic, message, directory);
  }
}

function agentMayRead(agent: AgentPrincipal, topic: RuledTopic, { payload }: MessageToRead): boolean {
  switch (topic.rule.agentReads) {
    case "no":
      break;
    case "yes":
      return true;
    case "own":
      return topic.key === agent.key;
    case "signed, own cluster":
      return topic.key === agent.cluster && looksSigned(payload);
  }
  return false;
}

function integrationMayRead(
  integration: IntegrationPrincipal,
  topic: RuledTopic,
  { siteId }: MessageToRead,
  directory: PlaceDirectory,
): boolean {
  const { permissions, clusters } = integration;
  switch (topic.rule.integrationReads) {
    case "no":
      break;
    case "read":
      return permissions.has("read") && concerns(integration, topic, siteId, directory);
    case "read, all clusters":
      return permissions.has("read") && clusters === null && concerns(integration, topic, siteId, directory);
    case "discovery":
      return permissions.has("discovery") && concerns(integration, topic, siteId, directory);
    case "discovery, own cluster":
      return permissions.has("discovery") && isDiscoveryFor(integration, topic, siteId, directory);
  }
  return false;
}

function personMayRead(
  person: PersonPrincipal,
  topic: RuledTopic,
  { siteId }: MessageToRead,
  directory: PlaceDirectory,
): boolean {
  const { personReads, integrationReads } = topic.rule;
  if (personReads === "no" || (personReads !== "yes" && !person.may(personReads))) return false;
  return integrationReads === "discovery, own cluster"
    ? isDiscoveryFor(person, topic, siteId, directory)
    : concerns(person, topic, siteId, directory);
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
  directory: PlaceDirectory,
): string | null {
  if (filter.startsWith("$")) return "this broker has no such topics";
  if (principal.type === "hub" || filter.includes("+") || filter.includes("#")) return null;
  const siteId = principal.type === "agent" ? null : principal.siteId;
  if (mayRead(principal, topic, { payload: SIGNED, siteId }, directory)) return null;
  const isUnknownYet = topic.rule.names !== "nothing" && placeOf(topic, directory) === undefined;
  if (isUnknownYet && principal.type === "integration" && topic.rule.integrationReads === "read") return null;
  return "this client may not read this topic";
}

const SIGNED = Buffer.from("eyJ");

/** Why nobody may be answered on this topic at a client's wish; null when it is the client's own. MQTT 5 §4.10 */
export function refusalOfResponseTopic(principal: Principal, topic: RuledTopic): string | null {
  if (principal.type === "hub" || (topic.rule.response && isResponseFor(principal, topic, null))) return null;
  return "its response topic is not one of its own";
}

function isResponseFor(principal: Principal, topic: RuledTopic, siteId: string | null): boolean {
  // a person may have a token for each of several sites
  if (siteId !== null && "siteId" in principal && principal.siteId !== siteId) return false;
  // a separator in a user name could reach into the responses of another
  return !principal.username.includes("/") && topic.name.startsWith(responsePrefix(principal.username));
}

/** A discovery topic names an object id, which only the hub can tell the cluster of. */
function isDiscoveryFor(client: Bounds, topic: RuledTopic, siteId: string | null, directory: PlaceDirectory): boolean {
  const place = directory.clusterOfDiscovery?.(topic.key);
  if (place && place.key !== null) return isWithin(client, place);
  return !client.clusters && (siteId === null || siteId === client.siteId);
}
