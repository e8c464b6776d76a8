import { expect, it } from "vitest";
import type { BrokerStore, StoreChanges } from "#contracts/broker-store.ts";
import type { Principal } from "#contracts/principal.ts";
import type { AccessPolicy } from "./access-policy.ts";
import { HUB } from "./hub-link.ts";
import { Keeper } from "./keeper.ts";
import { DEFAULT_LIMITS } from "./limits.ts";
import { Listening } from "./listening.ts";
import { OutgoingQueue } from "./outgoing-queue.ts";
import { Publication } from "./publication.ts";
import { RetainedStore } from "./retained-store.ts";
import { Session } from "./session.ts";
import { people } from "./testing.ts";
import { TopicRules } from "./topic-rules.ts";

const reader = people()["reader"] as Principal;
const rules = new TopicRules("powerbeacon", "homeassistant");

function keeperOn(save: BrokerStore["save"]): Keeper {
  const log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
  const store: BrokerStore = { load: async () => ({ sessions: [], queued: [], retained: [] }), save };
  return new Keeper({ store, policy: {} as AccessPolicy, log });
}

function lasting(id: string): Session {
  const session = new Session(id, reader);
  session.seconds = 60;
  return session;
}

/** A session with one message that waits. */
function owed(id: string, keeper: Keeper): Session {
  const session = lasting(id);
  const queue = new OutgoingQueue({
    limits: DEFAULT_LIMITS,
    onDropped: () => {},
    onChange: () => keeper.queueChanged(session),
  });
  session.queue = queue;
  keeper.changed(session);
  queue.add({ publication: event(), retain: false, identifiers: undefined, id: 0, isSent: false });
  return session;
}

function event(): Publication {
  const topic = "powerbeacon/device/nas/event";
  const fields = { topic, rules: rules.of(topic), brokerCounter: 7, payload: Buffer.from("on"), qos: 1, retain: false };
  const nothing = { properties: undefined, clientId: undefined, siteId: null, expiresAtMs: null };
  return new Publication({ ...fields, ...nothing, publisher: HUB });
}

it("a session that ended while the store failed is not stored again beside the one that follows it", async () => {
  const told: StoreChanges[] = [];
  let next: Session | undefined;
  const keeper = keeperOn(async (changes) => {
    told.push(changes);
    if (told.length > 1) return;
    await Promise.resolve();
    keeper.ended(former);
    next = owed("reader/tablet", keeper);
    throw new Error("the database is away");
  });
  const former = owed("reader/tablet", keeper);
  await keeper.close();
  await keeper.close();
  expect(next).toBeDefined();
  expect(told.slice(1)).toMatchObject([
    { ended: ["reader/tablet"], sessions: [{ id: "reader/tablet" }], queued: [{ sessionId: "reader/tablet" }] },
  ]);
});

it("what waits in a session is stored with it, and not before", async () => {
  const known = new Set<string>();
  const early: string[] = [];
  const stored: string[] = [];
  const keeper = keeperOn(async ({ sessions, queued }) => {
    for (const { id } of sessions) known.add(id);
    for (const { sessionId } of queued) (known.has(sessionId) ? stored : early).push(sessionId);
  });
  for (let at = 0; at < 1_000; at++) keeper.changed(lasting(`reader/${at}`));
  owed("reader/last", keeper);
  await keeper.close();
  expect({ early, stored }).toEqual({ early: [], stored: ["reader/last"] });
});

it("sessions with many filters are stored in several goes, so that no statement is larger than a text can be", async () => {
  const filters: number[] = [];
  const keeper = keeperOn(async ({ sessions }) => {
    filters.push(sessions.reduce((sum, { subscriptions }) => sum + subscriptions.length, 0));
  });
  for (let at = 0; at < 10; at++) {
    const session = lasting(`reader/${at}`);
    for (let of = 0; of < 2_000; of++) {
      const subscription = { filter: `a/${of}`, qos: 1, noLocal: false, retainAsPublished: false } as const;
      session.subscriptions.set(subscription.filter, new Listening(session, subscription, subscription.filter, null));
    }
    keeper.changed(session);
  }
  await keeper.close();
  expect(filters).toEqual([10_000, 10_000]);
});

it("what is not retained any more is forgotten, also when the store failed at first", async () => {
  let isAway = false;
  const kept = new Set<string>();
  const keeper = keeperOn(async ({ cleared, retained }) => {
    if (isAway) throw new Error("the database is away");
    for (const topic of cleared) kept.delete(topic);
    for (const { topic } of retained) kept.add(topic);
  });
  const retained = new RetainedStore(10, (...change) => keeper.retainedChanged(...change));
  keeper.start(retained);
  const topic = "homeassistant/status";
  const message = {
    topic,
    rules: rules.of(topic),
    brokerCounter: 1,
    payload: Buffer.from("online"),
    qos: 1,
    retain: true,
  };
  const nothing = { properties: undefined, clientId: undefined, siteId: null, expiresAtMs: null };
  retained.store(new Publication({ ...message, ...nothing, publisher: reader }));
  await keeper.close();
  expect([...kept]).toEqual([topic]);
  retained.delete(topic);
  isAway = true;
  await keeper.close();
  isAway = false;
  await keeper.close();
  expect([...kept]).toEqual([]);
});
