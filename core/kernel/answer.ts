import { responsePrefix } from "#contracts/topics.ts";
import type { Link, LinkMessage, PublishOptions } from "./link.ts";

/** An MQTT 5 response topic, without base, and the data that correlates. */
export interface AnswerAddress {
  readonly topic: string;
  readonly correlationData: Buffer | undefined;
}

/**
 * Where a request wants to be answered besides the usual topic; null when it does not say.
 *
 * Nobody borrows the hub's rights: an answer goes to the asker's own topics only.
 */
export function answerAddressOf(link: Link, message: LinkMessage): AnswerAddress | null | "not-allowed" {
  if (message.responseTopic === undefined) return null;
  const topic = link.ownName(message.responseTopic);
  const isOwn = topic?.startsWith(responsePrefix(message.by)) && !/[+#\0]/.test(topic);
  return topic !== undefined && isOwn ? { topic, correlationData: message.correlationData } : "not-allowed";
}

/** Why `not-allowed`, for people. */
export function whyNotAllowed(link: Link, { by }: LinkMessage): string {
  return `A response topic must begin with ${link.fullName(responsePrefix(by))}`;
}

/**
 * Publishes an answer on its usual topic, and where the asker wants it too.
 *
 * @param to.siteId the asker's; an answer is for nobody of another one.
 */
export async function publishAnswer(
  link: Link,
  usualTopic: string,
  payload: string,
  to: { readonly address: AnswerAddress | null; readonly siteId: string | null },
): Promise<void> {
  const { address, siteId } = to;
  const answer: PublishOptions = { qos: 1, retain: false, siteId };
  const sent = [link.publish(usualTopic, payload, answer)];
  if (address) {
    const { topic, correlationData } = address;
    sent.push(link.publish(topic, payload, { ...answer, ...(correlationData && { properties: { correlationData } }) }));
  }
  await Promise.all(sent);
}
