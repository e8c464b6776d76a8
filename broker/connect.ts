import { randomUUID } from "node:crypto";
import type { IConnackPacket } from "mqtt-packet";
import type { AedesConnect, AedesPublish } from "./aedes-insides.ts";
import type { BrokerLimits } from "./limits.ts";
import { problemOfConnect, Reason } from "./packet-rules.ts";

/** A CONNECT, as far as it counts here. */
export interface ConnectRequest {
  readonly protocolVersion: 3 | 4 | 5;
  /** What the client calls itself. */
  readonly clientId: string;
  /** Whether it left the choice to us. MQTT 5 §3.1.3.1 */
  readonly isIdAssigned: boolean;
  readonly isClean: boolean;
  /** Seconds; 0 for none. */
  readonly keepAliveSeconds: number;
  /** How long the session is to last, as it was asked for and as it is granted. Seconds. */
  readonly askedSessionSeconds: number;
  readonly sessionSeconds: number;
  readonly receiveMaximum: number;
  readonly maximumPacketSize: number;
  readonly wantsReasons: boolean;
  readonly will: AedesPublish | null;
}

/** Why a client is not let in: MQTT 5's reason, and what MQTT 3.1.1 says instead; null where it has no words for it. */
export interface ConnectRefusal {
  readonly reasonCode: number;
  readonly returnCode: number | null;
  readonly sentence: string;
}

export const BAD_CREDENTIALS: ConnectRefusal = {
  reasonCode: 0x86,
  returnCode: 4,
  sentence: "bad user name or password",
};
export const UNAVAILABLE: ConnectRefusal = {
  reasonCode: 0x88,
  returnCode: 3,
  sentence: "nobody can tell right now whether this client may connect; try again",
};

/** What is wrong with a CONNECT; null when nothing is. */
export function refusalOfConnect(packet: AedesConnect): ConnectRefusal | null {
  // [MQTT-3.1.3-8] of 3.1.1; MQTT 5 §3.1.3.1 lets the broker choose an identifier that lasts
  if (packet.protocolVersion < 5 && packet.clientId === "" && !packet.clean)
    return { reasonCode: 0x85, returnCode: 2, sentence: "no client identifier for a lasting session" };
  if (packet.properties?.authenticationMethod !== undefined)
    return { reasonCode: 0x8c, returnCode: null, sentence: "this broker knows no enhanced authentication" };
  const problem = problemOfConnect(packet);
  return problem === null ? null : { reasonCode: Reason.protocolError, returnCode: null, sentence: problem };
}

/** Asking for a session that never ends. MQTT 5 §3.1.2.11.2 */
const FOR_EVER = 0xffff_ffff;

/** Reads a CONNECT with which nothing is wrong. */
export function readConnect(packet: AedesConnect, limits: BrokerLimits): ConnectRequest {
  const { protocolVersion, properties = {} } = packet;
  const askedSessionSeconds =
    protocolVersion === 5 ? (properties.sessionExpiryInterval ?? 0) : packet.clean ? 0 : FOR_EVER;
  return {
    protocolVersion,
    clientId: packet.clientId || `pb-${randomUUID()}`,
    isIdAssigned: packet.clientId === "",
    isClean: packet.clean,
    keepAliveSeconds: packet.keepalive,
    askedSessionSeconds,
    sessionSeconds: Math.min(askedSessionSeconds, limits.sessionSeconds),
    receiveMaximum: properties.receiveMaximum ?? 65_535,
    maximumPacketSize: properties.maximumPacketSize ?? Number.POSITIVE_INFINITY,
    wantsReasons: properties.requestProblemInformation !== false,
    will: packet.will ?? null,
  };
}

/** The keep-alive that the client is told; undefined where its own stands. MQTT 3.1.1 has no way to be told. */
export function serverKeepAlive(
  { protocolVersion, keepAliveSeconds }: ConnectRequest,
  limits: BrokerLimits,
): number | undefined {
  const isFine = keepAliveSeconds > 0 && keepAliveSeconds <= limits.keepAliveSeconds;
  return protocolVersion < 5 || isFine ? undefined : limits.keepAliveSeconds;
}

/** Lets a client in, and tells it what it can count on and what not. MQTT 5 §3.2.2.3 */
export function connackFor(request: ConnectRequest, sessionPresent: boolean, limits: BrokerLimits): IConnackPacket {
  if (request.protocolVersion < 5) return { cmd: "connack", sessionPresent, returnCode: 0 };
  const keepAlive = serverKeepAlive(request, limits);
  return {
    cmd: "connack",
    sessionPresent,
    reasonCode: 0,
    properties: {
      ...(request.sessionSeconds !== request.askedSessionSeconds && { sessionExpiryInterval: request.sessionSeconds }),
      receiveMaximum: limits.awaitingPubrel,
      retainAvailable: true,
      maximumPacketSize: limits.packetBytes,
      ...(request.isIdAssigned && { assignedClientIdentifier: request.clientId }),
      topicAliasMaximum: 0,
      wildcardSubscriptionAvailable: true,
      subscriptionIdentifiersAvailable: true,
      sharedSubscriptionAvailable: true,
      ...(keepAlive !== undefined && { serverKeepAlive: keepAlive }),
    },
  };
}

/** Null where the client's version has no words for it: its connection is closed without. */
export function refusingConnack(protocolVersion: 3 | 4 | 5, refusal: ConnectRefusal): IConnackPacket | null {
  const { reasonCode, returnCode } = refusal;
  if (protocolVersion === 5) return { cmd: "connack", sessionPresent: false, reasonCode };
  return returnCode === null ? null : { cmd: "connack", sessionPresent: false, returnCode };
}
