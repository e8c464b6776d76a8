import { Transaction } from "#contracts/wake.ts";
import { isResponseTopic, responsePrefix } from "#contracts/topics.ts";
import type { Link, LinkMessage, PublishOptions } from "./link.ts";

/** An MQTT 5 response topic, without base, and the data that correlates. */
export interface AnswerAddress {
  readonly topic: string;
  readonly correlationData: Buffer | undefined;
}

/** What readers with MQTT 5 find beside the payload, as user properties. */
export interface AnswerMarks {
  readonly transaction: string | null;
  /** Why something was refused or failed. */
  readonly code: string | null;
}

/** An answer goes out with them in one packet. Bytes. */
const MAX_TOPIC_BYTES = 1_024;
const MAX_CORRELATION_BYTES = 1_024;

/**
 * Where a request wants to be answered besides the usual topic; null when it does not say.
 *
 * Nobody borrows the hub's rights: an answer goes to the asker's own topics only. A broker that does not tell who asked has
 * rules of its own for who may read there.
 */
export function answerAddressOf(link: Link, message: LinkMessage): AnswerAddress | null | "not-allowed" {
  const { responseTopic, correlationData } = message;
  if (responseTopic === undefined) return null;
  const topic = link.ownName(responseTopic);
  if (topic === undefined || /[+#\p{Cc}]/u.test(topic) || Buffer.byteLength(topic) > MAX_TOPIC_BYTES)
    return "not-allowed";
  if (correlationData && correlationData.length > MAX_CORRELATION_BYTES) return "not-allowed";
  const isOwn = link.knowsSenders ? topic.startsWith(responsePrefix(message.by)) : isResponseTopic(topic);
  return isOwn ? { topic, correlationData } : "not-allowed";
}

/** Why `not-allowed`, for people. */
export function whyNotAllowed(link: Link, { by }: LinkMessage): string {
  const prefix = link.fullName(responsePrefix(link.knowsSenders ? by : "<username>"));
  return `A response topic must begin with ${prefix}, and holds 1 KiB at most, as do the correlation data`;
}

/** The user property in which a request may carry its transaction, and an answer repeats it. */
const TRANSACTION_PROPERTY = "transaction";
const CODE_PROPERTY = "code";

/** Why the user property is refused, for people. */
export const NO_TRANSACTION = "the user property transaction is no text of 1 to 128 characters";

/**
 * The transaction of a request: its payload's, else that of its user properties; undefined when what stands there is none.
 */
export function transactionOf({ userProperties }: LinkMessage, inPayload: string | null): string | null | undefined {
  if (inPayload !== null || !userProperties || !Object.hasOwn(userProperties, TRANSACTION_PROPERTY)) return inPayload;
  return Transaction.safeParse(userProperties[TRANSACTION_PROPERTY]).data;
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
  to: AnswerMarks & { readonly address: AnswerAddress | null; readonly siteId: string | null },
): Promise<void> {
  const { address, siteId } = to;
  const properties = { userProperties: userPropertiesOf(to) };
  const answer: PublishOptions = { qos: 1, retain: false, siteId, properties };
  const sent = [link.publish(usualTopic, payload, answer)];
  if (address) {
    const { topic, correlationData } = address;
    const asked = correlationData ? { ...properties, correlationData } : properties;
    sent.push(link.publish(topic, payload, { ...answer, properties: asked }));
  }
  await Promise.all(sent);
}

function userPropertiesOf({ transaction, code }: AnswerMarks): Record<string, string> {
  return {
    ...(transaction !== null && isPlain(transaction) && { [TRANSACTION_PROPERTY]: transaction }),
    ...(code !== null && { [CODE_PROPERTY]: code }),
  };
}

/** MQTT 5 §1.5.4: a broker may end the connection of who sends other characters; in JSON they do no harm. */
function isPlain(text: string): boolean {
  return !/[\p{Cc}\p{Cs}\p{Cn}]/u.test(text);
}
