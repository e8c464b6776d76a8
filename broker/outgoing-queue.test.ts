import { expect, test } from "vitest";
import { type Outgoing, OutgoingQueue } from "./outgoing-queue.ts";
import { Publication } from "./publication.ts";
import { TopicRules } from "./topic-rules.ts";

/** What a store is told of a queue. */

const rules = new TopicRules("powerbeacon", "homeassistant");

function message(number: number): Outgoing {
  const publication = new Publication({
    brokerCounter: number,
    topic: "powerbeacon/event",
    payload: Buffer.from(`${number}`),
    qos: 1,
    retain: false,
    properties: undefined,
    clientId: undefined,
    rules: rules.of("powerbeacon/event"),
    publisher: { type: "hub", id: "hub", username: "hub" },
    siteId: null,
    expiresAtMs: null,
  });
  return { publication, retain: false, identifiers: undefined, id: 0, isSent: false };
}

function newQueue(queuedMessages = 10_000) {
  const limits = { queuedMessages, queuedBytes: 1_000_000_000 };
  return new OutgoingQueue({ limits, onDropped: () => {}, onChange: () => {} });
}

function changesOf(queue: OutgoingQueue) {
  const changes = queue.takeChanges();
  return { changes, added: changes.added.map(({ publication }) => publication.brokerCounter), left: changes.left };
}

test("a message that comes and goes between two looks is none of the store's business", () => {
  const queue = newQueue();
  const one = message(1);
  queue.add(one);
  queue.markSent(one, 1);
  queue.acknowledge(1);
  expect(changesOf(queue)).toMatchObject({ added: [], left: [] });
});

test("a message is told once, again when it gets its identifier, and when it has left", () => {
  const queue = newQueue();
  const one = message(1);
  queue.add(one);
  expect(changesOf(queue)).toMatchObject({ added: [1], left: [] });
  expect(changesOf(queue)).toMatchObject({ added: [], left: [] });
  queue.markSent(one, 7);
  expect(changesOf(queue)).toMatchObject({ added: [1], left: [] });
  queue.acknowledge(7);
  expect(changesOf(queue)).toMatchObject({ added: [], left: [1] });
});

test("what could not be stored is told again, as it is then", () => {
  const queue = newQueue();
  const [one, two] = [message(1), message(2)];
  queue.add(one);
  queue.add(two);
  const { changes } = changesOf(queue);
  queue.remove(one);
  queue.takeBack(changes);
  expect(changesOf(queue)).toMatchObject({ added: [2], left: [1] });
});

test("where very much has left, the queue is stored anew", () => {
  const queue = newQueue();
  const messages = Array.from({ length: 3_000 }, (_, at) => message(at + 1));
  for (const one of messages) queue.add(one);
  changesOf(queue);
  for (const one of messages.slice(0, 2_500)) queue.remove(one);
  const { added, left } = changesOf(queue);
  expect(left).toBe("all");
  expect(added).toHaveLength(500);
});
