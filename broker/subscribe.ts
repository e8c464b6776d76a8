import type { ISubscribePacket, IUnsubscribePacket } from "mqtt-packet";
import type { Principal } from "#contracts/principal.ts";
import type { ConnectionContext } from "./connection-context.ts";
import type { Connection } from "./connection.ts";
import { lacksIdentifier, Reason } from "./packet-rules.ts";
import { refusalOfSubscribe } from "./read-rules.ts";
import { replayRetained } from "./retained-replay.ts";
import type { Session } from "./session.ts";
import { parseFilter, type Subscription } from "./subscription.ts";

/** MQTT 3.1.1 has one code for every refusal. */
const FAILURE = 0x80;

interface Refusal {
  readonly code: number;
  readonly sentence: string;
}

/** Answers a SUBSCRIBE: one code for each filter, and then the retained messages. MQTT 5 §3.8 */
export function answerSubscribe(connection: Connection, packet: ISubscribePacket, context: ConnectionContext): void {
  const { session, principal, replies, protocolVersion } = connection;
  if (session === null || principal === null) return;
  const identifier = packet.properties?.subscriptionIdentifier;
  const problem = problemOfSubscribe(packet);
  if (problem !== null) return connection.fail(Reason.protocolError, problem);

  const replayed: Subscription[] = [];
  let sentence: string | null = null;
  const granted = packet.subscriptions.map((asked, at) => {
    const { topic: filter, qos, nl: noLocal = false, rap: retainAsPublished = false, rh: handling = 0 } = asked;
    const refusal =
      at < context.limits.filtersPerPacket
        ? refusalOf(filter, { connection, session, principal, context })
        : { code: Reason.quotaExceeded, sentence: "too many filters in one packet" };
    if (refusal) {
      sentence ??= refusal.sentence;
      return refusal.code;
    }
    const isNew = !session.subscriptions.has(filter);
    // QoS 2 is not needed by anything here, and without it no reader can hold back messages by half a handshake
    const subscription = {
      filter,
      qos: qos > 0 ? 1 : 0,
      noLocal,
      retainAsPublished,
      identifier: identifierOf(identifier),
    } as const;
    context.sessions.subscribe(session, subscription);
    // §4.8.2: a shared one is for what is published from now on
    const isShared = session.subscriptions.get(filter)?.group !== null;
    if (!isShared && (handling === 0 || (handling === 1 && isNew))) replayed.push(subscription);
    return subscription.qos;
  });
  const told = protocolVersion === 5 ? granted : granted.map((code) => (code > 2 ? FAILURE : code));
  replies.send({ cmd: "suback", messageId: packet.messageId ?? 0, granted: told }, sentence);
  if (!connection.client.closed) replayRetained(connection, replayed, context);
}

/** Answers an UNSUBSCRIBE. MQTT 5 §3.10, §3.11 */
export function answerUnsubscribe(
  connection: Connection,
  packet: IUnsubscribePacket,
  context: ConnectionContext,
): void {
  const { session } = connection;
  if (session === null) return;
  if (lacksIdentifier(packet)) return connection.fail(Reason.protocolError, "packet identifier 0");
  // [MQTT-3.10.3-2]
  if (packet.unsubscriptions.length === 0) return connection.fail(Reason.protocolError, "UNSUBSCRIBE without a filter");
  const granted = packet.unsubscriptions.map((filter) => {
    if (context.sessions.unsubscribe(session, filter)) return 0;
    return parseFilter(filter) ? Reason.noSubscriptionExisted : Reason.topicFilterInvalid;
  });
  connection.replies.send({ cmd: "unsuback", messageId: packet.messageId ?? 0, granted }, null);
}

/** What makes the whole packet wrong; null when nothing does. */
function problemOfSubscribe(packet: ISubscribePacket): string | null {
  if (lacksIdentifier(packet)) return "packet identifier 0";
  const identifier = packet.properties?.subscriptionIdentifier as unknown;
  // §3.8.2.1.2
  if (identifier === 0 || Array.isArray(identifier)) return "subscription identifier 0, or several";
  // [MQTT-3.8.3-2]
  if (packet.subscriptions.length === 0) return "SUBSCRIBE without a filter";
  // [MQTT-3.8.3-4]
  if (packet.subscriptions.some(({ topic, nl }) => nl === true && parseFilter(topic)?.group))
    return "No Local on a shared subscription";
  return null;
}

function refusalOf(
  filter: string,
  {
    connection,
    session,
    principal,
    context,
  }: {
    readonly connection: Connection;
    readonly session: Session;
    readonly principal: Principal;
    readonly context: ConnectionContext;
  },
): Refusal | null {
  const { limits, rules, policy } = context;
  const parsed = parseFilter(filter);
  if (!parsed || filter.length > limits.topicBytes)
    return { code: Reason.topicFilterInvalid, sentence: "this is no topic filter" };
  const topic = rules.of(parsed.pattern);
  const reason = refusalOfSubscribe(principal, parsed.pattern, topic, policy);
  if (reason !== null) {
    connection.refuse("subscribe", topic.name, reason);
    return { code: Reason.notAuthorized, sentence: reason };
  }
  if (!context.sessions.hasRoomFor(session, filter))
    return { code: Reason.quotaExceeded, sentence: "too many filters for one client" };
  return null;
}

/** One, as `problemOfSubscribe` makes sure. */
function identifierOf(identifier: number | number[] | undefined): number | undefined {
  return Array.isArray(identifier) ? identifier[0] : identifier;
}
