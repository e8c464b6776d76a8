import { generate, type ISubscribePacket } from "mqtt-packet";
import type { AedesSubscription } from "./aedes-insides.ts";
import type { ConnectionContext } from "./connection-context.ts";
import type { Connection } from "./connection.ts";
import { problemOfFilter, Reason } from "./packet-rules.ts";
import { refusalOfSubscribe } from "./read-rules.ts";
import { replayRetained } from "./retained-replay.ts";

/** MQTT 3.1.1 has one code for every refusal. */
const FAILURE = 0x80;
const SHARED = "$share/";

/**
 * Answers a SUBSCRIBE: one code for each filter, and then the retained messages.
 *
 * Aedes gets the granted filters one by one. Given all, it stores all of them once for each (quadratic), loses a filter
 * `__proto__` and answers two equal filters with one code.
 */
export function answerSubscribe(connection: Connection, packet: ISubscribePacket, context: ConnectionContext): void {
  const { client, principal, filters } = connection;
  if (principal === null) return;
  const identifier = packet.properties?.subscriptionIdentifier;
  if (identifier === 0 || Array.isArray(identifier))
    return connection.fail(Reason.protocolError, "subscription identifier 0, or several");
  if (packet.subscriptions.length === 0) return connection.fail(Reason.protocolError, "SUBSCRIBE without a filter");

  const granted: { subscription: AedesSubscription; isReplayed: boolean }[] = [];
  const codes = packet.subscriptions.map((asked, at) => {
    const isNew = !filters.has(asked.topic);
    const code = at < context.limits.filtersPerPacket ? refusalCode(asked.topic) : Reason.quotaExceeded;
    if (code !== null) return code;
    if (isNew && filters.size >= context.limits.filtersPerClient) return Reason.quotaExceeded;
    filters.add(asked.topic);
    // QoS 2 is not needed by anything here, and without it no reader can hold back messages by half a handshake
    const qos = Math.min(asked.qos, 1);
    const { rh: _handling, ...options } = asked;
    const subscription: AedesSubscription = { ...options, qos, rh: 2 };
    if (identifier !== undefined) subscription.subscriptionIdentifier = identifier;
    granted.push({ subscription, isReplayed: asked.rh === undefined || asked.rh === 0 || (asked.rh === 1 && isNew) });
    return qos;
  });

  let left = granted.length;
  if (left === 0) finish();
  for (const { subscription } of granted) {
    client.subscribe(subscription, () => {
      if (!client.closed) connection.listen(subscription.topic);
      if (--left === 0) finish();
    });
  }

  function refusalCode(filter: string): number | null {
    if (filter.startsWith(SHARED)) return Reason.sharedSubscriptionsNotSupported;
    if (problemOfFilter(filter) !== null || filter.length > context.limits.topicBytes) return Reason.topicFilterInvalid;
    if (principal === null) return Reason.notAuthorized;
    const topic = context.rules.of(filter);
    const reason = refusalOfSubscribe(principal, filter, topic, context.policy);
    if (reason === null) return null;
    connection.refuse("subscribe", topic.name, reason);
    return Reason.notAuthorized;
  }

  function finish(): void {
    if (client.closed) return;
    const protocolVersion = client.version === 5 ? 5 : 4;
    const told = protocolVersion === 5 ? codes : codes.map((code) => (code > 2 ? FAILURE : code));
    connection.outbox.write(
      generate({ cmd: "suback", messageId: packet.messageId ?? 0, granted: told }, { protocolVersion }),
    );
    replayRetained(
      connection,
      granted.filter((one) => one.isReplayed).map((one) => one.subscription),
      context,
    );
  }
}
