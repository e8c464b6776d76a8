import type { AgentPrincipal, IntegrationPrincipal, PersonPrincipal, Principal } from "#contracts/principal.ts";
import { looksSigned } from "#contracts/signed.ts";
import type { PlaceDirectory } from "./access-policy.ts";
import { type Bounds, concerns, isWithin } from "./bounds.ts";
import { MANAGES, type RuledTopic } from "./topic-rules.ts";

/** What the rules look at in a message that is to be published. */
export interface MessageInQuestion {
  readonly payload: Buffer;
  readonly retain: boolean;
}

/** The reason for a request that its sender may make, but not retained. */
export const RETAINED_REQUEST = "requests are never retained";

/** Why a principal may not publish this message, as a sentence; null when it may. A Will obeys the same. */
export function refusalOfPublish(
  principal: Principal,
  topic: RuledTopic,
  message: MessageInQuestion,
  directory: PlaceDirectory,
): string | null {
  switch (principal.type) {
    case "hub":
      return null;
    case "agent":
      return refusalOfAgent(principal, topic, message, directory);
    case "integration":
      return refusalOfIntegration(principal, topic, message, directory);
    case "person":
      return refusalOfPerson(principal, topic, message, directory);
  }
}

function refusalOfAgent(
  agent: AgentPrincipal,
  topic: RuledTopic,
  message: MessageInQuestion,
  directory: PlaceDirectory,
): string | null {
  const { agentPublishes } = topic.rule;
  if (agentPublishes === "no") return "agents do not publish here";
  if (topic.key !== agent.key) return "this topic belongs to another agent";
  // also its Will: a removed agent leaves nothing behind
  if (directory.clusterOfAgent(agent.key) === undefined) return "this agent was removed";
  if (message.retain && agentPublishes !== "own, retained") return "messages on this topic are never retained";
  return null;
}

const NO_REQUESTS_HERE = "only the hub and agents publish here";
const NOT_ITS_CLUSTER = "the cluster is not one of its own";

function refusalOfIntegration(
  integration: IntegrationPrincipal,
  topic: RuledTopic,
  message: MessageInQuestion,
  directory: PlaceDirectory,
): string | null {
  const { permissions } = integration;
  const needed = topic.rule.integrationPublishes;
  switch (needed) {
    case "no":
      return NO_REQUESTS_HERE;
    case "discovery":
      return permissions.has("discovery") ? null : "needs the permission discovery";
    case "discovery, empty":
      if (!permissions.has("discovery")) return "needs the permission discovery";
      return refusalOfClearing(integration, topic, message, directory);
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
  if (!concerns(integration, topic, integration.siteId, directory)) return NOT_ITS_CLUSTER;
  // A retained request would wake or stop machines again at every restart.
  if (message.retain) return RETAINED_REQUEST;
  return null;
}

function refusalOfPerson(
  person: PersonPrincipal,
  topic: RuledTopic,
  message: MessageInQuestion,
  directory: PlaceDirectory,
): string | null {
  switch (topic.rule.integrationPublishes) {
    case "no":
      return NO_REQUESTS_HERE;
    case "discovery":
      return person.may(MANAGES) ? null : NEEDS_MANAGES;
    case "discovery, empty":
      return person.may(MANAGES) ? refusalOfClearing(person, topic, message, directory) : NEEDS_MANAGES;
    case "any permission":
      break; // the hub asks for what each request needs
    case "wake":
    case "wake or power":
      if (!mayAct(person, topic, directory)) return "this person may not wake it, power it down or change it";
      if (looksSigned(message.payload)) return "only the hub publishes orders";
      break;
  }
  return message.retain ? RETAINED_REQUEST : null;
}

const NEEDS_MANAGES = `needs the permission ${MANAGES}`;

function mayAct(person: PersonPrincipal, topic: RuledTopic, directory: PlaceDirectory): boolean {
  const { names } = topic.rule;
  if (names !== "device" && names !== "cluster" && names !== "schedule") return false;
  return concerns(person, topic, person.siteId, directory) && person.mayAct(names, topic.key);
}

/** Who deletes a thing in Home Assistant leaves an empty message where its config was. */
function refusalOfClearing(
  client: Bounds,
  topic: RuledTopic,
  message: MessageInQuestion,
  directory: PlaceDirectory,
): string | null {
  const place = directory.clusterOfDiscovery?.(topic.key);
  const isOwn = place === undefined ? !client.clusters : isWithin(client, place);
  if (!isOwn) return NOT_ITS_CLUSTER;
  return message.retain && message.payload.length === 0 ? null : "only an empty retained message may be left here";
}
