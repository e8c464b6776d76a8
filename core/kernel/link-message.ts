import type { IPublishPacket } from "mqtt-packet";
import type { LinkMessage, MessageProperties } from "./link.ts";

/** Who asked, where the broker does not tell. */
export const NOT_TOLD = "mqtt";
/** The broker stamps who published, and reads the site of what the hub publishes; see there. */
export const BY_PROPERTY = "pb-by";
export const SITE_PROPERTY = "pb-site";
export const TOKEN_PROPERTY = "pb-token";

/** @param isStamped whether the broker removes a client's own stamps; from any other they are anybody's words. */
export function messageOf(
  topic: string,
  key: string,
  payload: Buffer,
  packet: IPublishPacket,
  isStamped: boolean,
): Omit<LinkMessage, "tellsRetained"> {
  const { userProperties, responseTopic, correlationData } = packet.properties ?? {};
  const stamps = isStamped ? userProperties : undefined;
  return {
    topic,
    key,
    payload,
    retained: packet.retain,
    by: stamp(stamps?.[BY_PROPERTY]) ?? NOT_TOLD,
    siteId: stamp(stamps?.[SITE_PROPERTY]) ?? null,
    tokenId: stamp(stamps?.[TOKEN_PROPERTY]) ?? null,
    responseTopic,
    correlationData,
    userProperties,
  };
}

/** mqtt-packet makes an empty packet, and so none at all, of user properties that are none. */
export function propertiesOf(
  { userProperties, ...others }: MessageProperties,
  siteId: string | null,
): MessageProperties {
  const all = { ...userProperties, ...(siteId !== null && { [SITE_PROPERTY]: siteId }) };
  return Object.keys(all).length > 0 ? { ...others, userProperties: all } : others;
}

function stamp(property: string | string[] | undefined): string | undefined {
  return Array.isArray(property) ? property.at(-1) : property;
}
