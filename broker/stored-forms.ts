import type { AedesPublish, PublishProperties } from "./aedes-insides.ts";
import type {
  StoredProperties,
  StoredQueued,
  StoredRetained,
  StoredSession,
  StoredWill,
} from "#contracts/broker-store.ts";
import { messageOf } from "./exchange.ts";
import type { Outgoing } from "./outgoing-queue.ts";
import type { Publication } from "./publication.ts";
import type { Session } from "./session.ts";

/** How what the broker holds is written down, and read again. */

export function storedSession(session: Session, siteId: string): StoredSession {
  const { id, principal, seconds, leftAtMs, will } = session;
  const isLasting = seconds > 0;
  return {
    id,
    principalId: principal.id,
    siteId,
    seconds,
    leftAtMs,
    subscriptions: isLasting ? [...session.subscriptions.values()].map(({ subscription }) => subscription) : [],
    awaitingPubrel: isLasting ? [...session.awaitingPubrel] : [],
    will: will && storedWill(will.packet),
  };
}

export function storedQueued(sessionId: string, { publication, retain, identifiers, id }: Outgoing): StoredQueued {
  const { topic, payload, brokerCounter, siteId, expiresAtMs, properties } = publication;
  return {
    sessionId,
    number: brokerCounter,
    packetId: id,
    topic,
    payload,
    properties: storedProperties(properties),
    retain,
    identifiers: identifiers === undefined ? [] : typeof identifiers === "number" ? [identifiers] : identifiers,
    aboutSiteId: siteId,
    expiresAtMs,
  };
}

export function storedRetained(publication: Publication, siteId: string): StoredRetained {
  const { topic, payload, qos, expiresAtMs, properties, publisher, siteId: aboutSiteId } = publication;
  return {
    aboutSiteId,
    topic,
    payload,
    qos,
    expiresAtMs,
    siteId,
    principalId: publisher.id,
    properties: storedProperties(properties),
  };
}

/** What is forwarded of a message's properties, its lifetime apart. */
export function propertiesOf(stored: StoredProperties | null): PublishProperties | undefined {
  if (stored === null) return undefined;
  const { correlationData, ...others } = stored;
  return {
    ...others,
    ...(correlationData !== undefined && { correlationData: Buffer.from(correlationData, "base64") }),
  };
}

export function willPacketOf({ topic, payload, qos, retain, properties, delay, lifetime }: StoredWill): AedesPublish {
  return {
    topic,
    payload: Buffer.from(payload, "base64"),
    qos,
    retain,
    properties: {
      ...propertiesOf(properties),
      ...(delay !== null && { willDelayInterval: delay }),
      ...(lifetime !== null && { messageExpiryInterval: lifetime }),
    },
  };
}

function storedWill(packet: AedesPublish): StoredWill {
  const { topic, qos, retain, properties } = packet;
  return {
    topic,
    payload: messageOf(packet).payload.toString("base64"),
    qos,
    retain,
    properties: storedProperties(properties),
    delay: properties?.willDelayInterval ?? null,
    lifetime: properties?.messageExpiryInterval ?? null,
  };
}

function storedProperties(properties: PublishProperties | undefined): StoredProperties | null {
  if (properties === undefined) return null;
  const {
    messageExpiryInterval: _lifetime,
    willDelayInterval: _delay,
    topicAlias: _alias,
    subscriptionIdentifier: _identifier,
    correlationData,
    ...others
  } = properties;
  return { ...others, ...(correlationData !== undefined && { correlationData: correlationData.toString("base64") }) };
}
