import type { Principal } from "#contracts/principal.ts";
import type { AccessRefusal } from "./access-policy.ts";
import type { AedesPublish } from "./aedes-insides.ts";
import type { ConnectionContext } from "./connection-context.ts";
import { messageOf } from "./exchange.ts";
import { lacksIdentifier, problemOfTopicName, Reason } from "./packet-rules.ts";
import { refusalOfPublish } from "./publish-rules.ts";
import { refusalOfResponseTopic } from "./read-rules.ts";
import { PUBACK, PUBCOMP, PUBREC, type Replies } from "./replies.ts";
import type { Session } from "./session.ts";

export interface InboundOptions {
  readonly context: ConnectionContext;
  readonly replies: Replies;
  readonly session: Session;
  readonly principal: Principal;
  readonly protocolVersion: 3 | 4 | 5;
  readonly refuse: (action: AccessRefusal["action"], topic: string, reason: string) => void;
  /** The client did what ends only its message. */
  readonly onProblem: (problem: string) => void;
  /** The client broke the protocol. */
  readonly fail: (reason: number, problem: string) => void;
}

/** The publishing side of one connection. */
export class Inbound {
  readonly #options: InboundOptions;

  constructor(options: InboundOptions) {
    this.#options = options;
  }

  publish(packet: AedesPublish): void {
    const { session, context, fail } = this.#options;
    if (lacksIdentifier(packet)) return fail(Reason.protocolError, "packet identifier 0");
    if (packet.properties?.topicAlias !== undefined)
      return fail(Reason.topicAliasInvalid, "a topic alias, of which this broker takes none");
    const problem =
      packet.topic.length > context.limits.topicBytes ? "a topic that is too long" : problemOfTopicName(packet.topic);
    if (problem !== null) return this.#refuseName(packet, problem);
    if (packet.qos === 2 && session.awaitingPubrel.has(packet.messageId ?? 0)) return this.#acknowledge(packet);
    const reason = this.#refusalOf(packet);
    if (reason !== null) return this.#acknowledge(packet, Reason.notAuthorized, reason);
    if (packet.qos === 2 && !this.#awaitPubrel(packet.messageId ?? 0)) return;
    context.exchange.publish(packet, session.id, this.#options.principal);
    this.#acknowledge(packet);
  }

  release(id: number): void {
    const { session, context, replies } = this.#options;
    const isKnown = session.awaitingPubrel.delete(id);
    if (isKnown) context.sessions.changed(session);
    replies.acknowledge(PUBCOMP, id, isKnown ? 0 : Reason.packetIdentifierNotFound);
  }

  /** False for a client that has more of them than it was told. MQTT 5 §3.2.2.3.3, §4.9 */
  #awaitPubrel(id: number): boolean {
    const { session, context, fail } = this.#options;
    if (session.awaitingPubrel.size >= context.limits.awaitingPubrel) {
      fail(Reason.receiveMaximumExceeded, "too many messages without PUBREL");
      return false;
    }
    session.awaitingPubrel.add(id);
    context.sessions.changed(session);
    return true;
  }

  #acknowledge(packet: AedesPublish, reasonCode = 0, sentence: string | null = null): void {
    if (packet.qos === 0) return;
    this.#options.replies.acknowledge(packet.qos === 1 ? PUBACK : PUBREC, packet.messageId ?? 0, reasonCode, sentence);
  }

  #refuseName(packet: AedesPublish, problem: string): void {
    const { protocolVersion, fail, onProblem } = this.#options;
    if (protocolVersion !== 5 || packet.qos === 0) return fail(Reason.topicNameInvalid, problem);
    onProblem(problem);
    this.#acknowledge(packet, Reason.topicNameInvalid, problem);
  }

  #refusalOf(packet: AedesPublish): string | null {
    const { context, principal, refuse } = this.#options;
    const { rules, policy } = context;
    const topic = rules.of(packet.topic);
    const responseTopic = packet.properties?.responseTopic;
    const reason =
      refusalOfPublish(principal, topic, messageOf(packet), policy) ??
      (responseTopic === undefined ? null : refusalOfResponseTopic(principal, rules.of(responseTopic)));
    if (reason !== null) refuse("publish", topic.name, reason);
    return reason;
  }
}
