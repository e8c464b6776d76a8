import type { AccessPolicy } from "./access-policy.ts";
import type { StoredQueued, StoredRetained, StoredSession, StoredState } from "#contracts/broker-store.ts";
import type { Exchange } from "./exchange.ts";
import { HUB } from "./hub-link.ts";
import type { Keeper } from "./keeper.ts";
import { Publication } from "./publication.ts";
import { refusalOfPublish } from "./publish-rules.ts";
import type { RetainedStore } from "./retained-store.ts";
import { Session } from "./session.ts";
import type { Sessions } from "./sessions.ts";
import { propertiesOf, willPacketOf } from "./stored-forms.ts";
import type { TopicRules } from "./topic-rules.ts";

export interface RestoreOptions {
  readonly policy: AccessPolicy;
  readonly rules: TopicRules;
  readonly exchange: Exchange;
  readonly sessions: Sessions;
  readonly retained: RetainedStore;
  readonly keeper: Keeper;
}

/**
 * Takes back what was kept over a restart, as far as it still has an owner who may have it.
 *
 * Every client is away now. One whose connection the end of the former process broke leaves its Will now, so that nothing
 * says that an agent is there that is not. MQTT 5 §3.1.2.5: a server that failed may publish Wills when it starts again.
 */
export function restoreBroker(state: StoredState, options: RestoreOptions, nowMs: number): void {
  const { exchange, sessions, keeper } = options;
  exchange.startAfter(state.queued.at(-1)?.number ?? 0);
  for (const one of state.retained) keeper.loadedTopic(one.topic, restoreRetained(one, options, nowMs));
  const queued = Map.groupBy(state.queued, ({ sessionId }) => sessionId);
  const restored = state.sessions.flatMap((one) => {
    const session = restoreSession(one, queued.get(one.id) ?? [], options);
    keeper.loadedSession(one.id, session !== undefined);
    return session ?? [];
  });
  // Wills last: they may be for sessions that are here again
  for (const session of restored) sessions.resume(session, nowMs);
}

/** False for a message that is not kept any longer. */
function restoreRetained(
  { topic, payload, qos, properties, principalId, aboutSiteId, expiresAtMs }: StoredRetained,
  { policy, rules, exchange, retained }: RestoreOptions,
  nowMs: number,
): boolean {
  const publisher = principalId === HUB.id ? HUB : policy.principal(principalId);
  if (!publisher || (expiresAtMs !== null && expiresAtMs <= nowMs)) return false;
  const ruled = rules.of(topic);
  if (publisher === HUB && !ruled.rule.outlivesHub) return false;
  if (refusalOfPublish(publisher, ruled, { payload, retain: true }, policy) !== null) return false;
  return retained.store(
    new Publication({
      brokerCounter: exchange.nextNumber(),
      topic,
      payload,
      qos,
      retain: true,
      properties: propertiesOf(properties),
      clientId: undefined,
      rules: ruled,
      publisher,
      siteId: aboutSiteId,
      expiresAtMs,
    }),
  );
}

/** Undefined for one whose owner is gone. */
function restoreSession(
  stored: StoredSession,
  queued: readonly StoredQueued[],
  { policy, rules, sessions }: RestoreOptions,
): Session | undefined {
  const principal = policy.principal(stored.principalId);
  if (!principal) return undefined;
  const session = new Session(stored.id, principal);
  session.seconds = stored.seconds;
  session.leftAtMs = stored.leftAtMs;
  session.will = stored.will && { packet: willPacketOf(stored.will), principal };
  for (const id of stored.awaitingPubrel) session.awaitingPubrel.add(id);
  for (const subscription of stored.subscriptions) sessions.subscribe(session, subscription);
  session.queue = sessions.newQueue(session, true);
  for (const one of queued) session.queue.restore(outgoingOf(one, rules));
  return session;
}

/** Only readers that are told nothing of the publisher get what waits, so its name need not be known. */
function outgoingOf(
  { number, packetId, topic, payload, properties, retain, identifiers, aboutSiteId, expiresAtMs }: StoredQueued,
  rules: TopicRules,
) {
  const publication = new Publication({
    brokerCounter: number,
    topic,
    payload,
    qos: 1,
    retain,
    properties: propertiesOf(properties),
    clientId: undefined,
    rules: rules.of(topic),
    publisher: HUB,
    siteId: aboutSiteId,
    expiresAtMs,
  });
  const told = identifiers.length > 1 ? identifiers : identifiers[0];
  return { publication, retain, identifiers: told, id: packetId, isSent: false };
}
