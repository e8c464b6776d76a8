import type { ConnectionContext } from "./connection-context.ts";
import type { Connection } from "./connection.ts";
import type { Subscription } from "./subscription.ts";

/** Bytes that may wait for a reader before the rest of its retained messages does. */
const BACKLOG = 256 * 1024;
/** Unacknowledged messages of a lasting session before the rest waits; its queue would drop the oldest. */
const QUEUED = 500;
/** Messages in a row before others get their turn. */
const SLICE = 100;

/**
 * Sends the retained messages of new subscriptions, as fast as the client takes them.
 *
 * A message that changes meanwhile is read again when its turn comes, so that no old state overtakes a new one.
 */
export function replayRetained(
  connection: Connection,
  subscriptions: readonly Subscription[],
  { retained, exchange }: Pick<ConnectionContext, "retained" | "exchange">,
): void {
  const { client, outbox, principal } = connection;
  const subscriber = connection.session?.subscriber ?? null;
  if (subscriber === null || principal === null || subscriptions.length === 0) return;
  const due = topicsOf();
  sendSlice();

  function* topicsOf(): Generator<{ topic: string; subscription: Subscription }> {
    for (const subscription of subscriptions)
      for (const { topic } of retained.match(subscription.filter)) yield { topic, subscription };
  }

  function sendSlice(): void {
    for (let sent = 0; sent < SLICE;) {
      if (client.closed || subscriber === null || principal === null) return;
      if (outbox.backlog > BACKLOG) return outbox.whenDrained(sendSlice);
      if (subscriber.queued > QUEUED) return subscriber.whenAcknowledged(sendSlice);
      const next = due.next();
      if (next.done) return;
      const message = retained.get(next.value.topic);
      if (message === undefined) continue;
      if (message.hasExpired(Date.now())) {
        retained.delete(message.topic);
        continue;
      }
      sent++;
      if (!exchange.mayRead(principal, message)) continue;
      const { qos, identifier } = next.value.subscription;
      subscriber.send(message, qos > 0 && message.qos > 0 ? 1 : 0, true, identifier);
    }
    setImmediate(sendSlice);
  }
}
