import { isUtf8 } from "node:buffer";
import type { AedesConnect, AedesPublish } from "./aedes-insides.ts";

/** Reason codes of MQTT 5 (§2.4) that the broker itself gives. */
export const Reason = {
  malformedPacket: 0x81,
  protocolError: 0x82,
  noSubscriptionExisted: 0x11,
  serverShuttingDown: 0x8b,
  sessionTakenOver: 0x8e,
  notAuthorized: 0x87,
  topicFilterInvalid: 0x8f,
  topicNameInvalid: 0x90,
  packetIdentifierNotFound: 0x92,
  receiveMaximumExceeded: 0x93,
  topicAliasInvalid: 0x94,
  packetTooLarge: 0x95,
  quotaExceeded: 0x97,
  administrativeAction: 0x98,
} as const;

/** Which properties a client may send with which packet. MQTT 5 §2.2.2.2 */
const propertiesOf: Readonly<Record<string, ReadonlySet<string>>> = {
  connect: new Set([
    "sessionExpiryInterval",
    "receiveMaximum",
    "maximumPacketSize",
    "topicAliasMaximum",
    "requestResponseInformation",
    "requestProblemInformation",
    "userProperties",
    "authenticationMethod",
    "authenticationData",
  ]),
  will: new Set([
    "willDelayInterval",
    "payloadFormatIndicator",
    "messageExpiryInterval",
    "contentType",
    "responseTopic",
    "correlationData",
    "userProperties",
  ]),
  publish: new Set([
    "payloadFormatIndicator",
    "messageExpiryInterval",
    "topicAlias",
    "contentType",
    "responseTopic",
    "correlationData",
    "userProperties",
  ]),
  subscribe: new Set(["subscriptionIdentifier", "userProperties"]),
  unsubscribe: new Set(["userProperties"]),
  disconnect: new Set(["sessionExpiryInterval", "reasonString", "userProperties", "serverReference"]),
  puback: new Set(["reasonString", "userProperties"]),
  pubrec: new Set(["reasonString", "userProperties"]),
  pubrel: new Set(["reasonString", "userProperties"]),
  pubcomp: new Set(["reasonString", "userProperties"]),
};

/**
 * What is wrong with the properties of a packet; null when nothing is.
 *
 * The parser makes an array of a property that comes twice, and forwarding that would break the readers' connections.
 */
export function problemOfProperties(packet: string, properties: object | undefined): string | null {
  if (properties === undefined) return null;
  const allowed = propertiesOf[packet];
  for (const [name, value] of Object.entries(properties)) {
    if (!allowed?.has(name)) return `${packet} with the property ${name}`;
    // what the parser says for "cut off"
    if (value === undefined || value === null || value === -1) return `${packet} with a property that is cut off`;
    if (Array.isArray(value)) return `${packet} with the property ${name} twice`;
  }
  return null;
}

/** What is wrong with a CONNECT; null when nothing is. */
export function problemOfConnect(packet: AedesConnect): string | null {
  // MQTT 3.1.1 §3.1.2.1: the name and the version belong together
  if ((packet.protocolVersion === 3) !== (packet.protocolId === "MQIsdp")) return "protocol name of another version";
  // MQTT 3.1.1 §3.1.2.9; MQTT 5 allows it
  if (packet.protocolVersion < 5 && packet.password !== undefined && packet.username === undefined)
    return "password without user name";
  const problem = problemOfProperties("connect", packet.properties);
  if (problem !== null) return problem;
  // MQTT 5 §3.1.2.11.3, §3.1.2.11.4
  if (packet.properties?.receiveMaximum === 0) return "Receive Maximum 0";
  if (packet.properties?.maximumPacketSize === 0) return "Maximum Packet Size 0";
  if (packet.properties?.authenticationData !== undefined) return "authentication data without a method";
  if (packet.will === undefined) return null;
  // MQTT 3.1.1 §3.1.2.6
  if (packet.will.qos > 2) return "Will with QoS 3";
  const willProblem = problemOfTopicName(packet.will.topic);
  return willProblem === null ? problemOfProperties("will", packet.will.properties) : `Will: ${willProblem}`;
}

/** What is wrong with a topic name; null when nothing is. MQTT 5 §4.7.1, §4.7.3 */
export function problemOfTopicName(name: string): string | null {
  if (name === "") return "empty topic";
  if (name.includes("+") || name.includes("#")) return "a wildcard in a topic name";
  if (levelsOf(name) > MAX_LEVELS) return "a topic with too many levels";
  return null;
}

/** What is wrong with a topic filter; null when nothing is. MQTT 5 §4.7.1 */
export function problemOfFilter(filter: string): string | null {
  if (filter === "") return "empty filter";
  if (levelsOf(filter) > MAX_LEVELS) return "a filter with too many levels";
  const words = filter.split("/");
  for (const [at, word] of words.entries()) {
    if (word.includes("#") && (word !== "#" || at !== words.length - 1))
      return "# elsewhere than alone on the last level";
    if (word.includes("+") && word !== "+") return "+ with something else on its level";
  }
  return null;
}

/** The matcher under Aedes throws above 100 levels. Ours never have more than seven. */
const MAX_LEVELS = 50;

function levelsOf(topic: string): number {
  let levels = 1;
  for (let at = topic.indexOf("/"); at >= 0; at = topic.indexOf("/", at + 1)) levels++;
  return levels;
}

/**
 * Whether text may stand in an MQTT string: well-formed UTF-8 without U+0000, which no text in Postgres can hold.
 *
 * @param text the decoded bytes; U+FFFD in it may come from bytes that are no UTF-8.
 * @see MQTT 5 §1.5.4
 */
export function isMqttString(text: string, bytes: () => Buffer): boolean {
  if (text.includes("\0")) return false;
  return !text.includes("\uFFFD") || isUtf8(bytes());
}

/** Whether a PUBLISH with QoS, or another packet with an identifier, lacks one. MQTT 5 §2.2.1 */
export function lacksIdentifier(packet: { cmd?: string; qos?: number; messageId?: number }): boolean {
  if (packet.cmd === "publish" && (packet as AedesPublish).qos === 0) return false;
  return packet.messageId === undefined || packet.messageId <= 0;
}
