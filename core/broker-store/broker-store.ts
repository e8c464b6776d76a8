import { createHash } from "node:crypto";
import type { Loaded } from "@mikro-orm/core";
import type {
  BrokerStore,
  StoreChanges,
  StoredQueued,
  StoredRetained,
  StoredSession,
  StoredState,
} from "#contracts/broker-store.ts";
import type { Database } from "../kernel/database.ts";
import { MqttQueued } from "./mqtt-queued.entity.ts";
import { MqttRetained } from "./mqtt-retained.entity.ts";
import { MqttSession } from "./mqtt-session.entity.ts";

// rows of a site, or of a session, that was deleted meanwhile find none and are left out

const END = `delete from mqtt_session where id in (select jsonb_array_elements_text(?::jsonb))`;

const SESSIONS = `insert into mqtt_session (id, client_id, site_id, principal_id, seconds, left_at, subscriptions, awaiting_pubrel, will)
  select b.* from jsonb_to_recordset(?::jsonb) as b (id text, client_id text, site_id uuid, principal_id text, seconds int,
    left_at timestamptz, subscriptions jsonb, awaiting_pubrel jsonb, will jsonb) join site s on s.id = b.site_id
  on conflict (id) do update set site_id = excluded.site_id, principal_id = excluded.principal_id, seconds = excluded.seconds,
    left_at = excluded.left_at, subscriptions = excluded.subscriptions, awaiting_pubrel = excluded.awaiting_pubrel,
    will = excluded.will`;

const EMPTY = `delete from mqtt_queued where session_id in (select jsonb_array_elements_text(?::jsonb))`;

const LEAVE = `delete from mqtt_queued q using jsonb_to_recordset(?::jsonb) as b (session_id text, number bigint)
  where q.session_id = b.session_id and q.number = b.number`;

const QUEUE = `insert into mqtt_queued (session_id, number, site_id, packet_id, topic, payload, properties, retain, identifiers,
    about_site_id, expires_at)
  select b.session_id, b.number, s.site_id, b.packet_id, b.topic, decode(b.payload, 'base64'), b.properties, b.retain,
    b.identifiers, b.about_site_id, b.expires_at
  from jsonb_to_recordset(?::jsonb) as b (session_id text, number bigint, packet_id int, topic text, payload text, properties jsonb,
    retain boolean, identifiers jsonb, about_site_id text, expires_at timestamptz) join mqtt_session s on s.id = b.session_id
  on conflict (session_id, number) do update set packet_id = excluded.packet_id`;

const CLEAR = `delete from mqtt_retained where topic in (select jsonb_array_elements_text(?::jsonb))`;

const RETAIN = `insert into mqtt_retained (topic, site_id, principal_id, about_site_id, payload, qos, properties, expires_at)
  select b.topic, b.site_id, b.principal_id, b.about_site_id, decode(b.payload, 'base64'), b.qos, b.properties, b.expires_at
  from jsonb_to_recordset(?::jsonb) as b (topic text, site_id uuid, principal_id text, about_site_id uuid, payload text, qos smallint,
    properties jsonb, expires_at timestamptz) join site s on s.id = b.site_id
  on conflict (topic) do update set site_id = excluded.site_id, principal_id = excluded.principal_id, about_site_id = excluded.about_site_id,
    payload = excluded.payload, qos = excluded.qos, properties = excluded.properties, expires_at = excluded.expires_at`;

/** Keeps in Postgres what the embedded broker holds for its clients: a few statements for each batch of changes. */
export function createBrokerStore(database: Database): BrokerStore {
  const tell = async (sql: string, rows: readonly unknown[]) => {
    if (rows.length > 0) await database.execute(sql, [JSON.stringify(rows)]);
  };
  return {
    load: () => load(database),
    async save(changes: StoreChanges) {
      if (!database.isUp()) throw new Error("the database does not answer");
      await tell(END, changes.ended.map(keyOf));
      await tell(SESSIONS, changes.sessions.map(sessionRow));
      await tell(EMPTY, changes.emptied.map(keyOf));
      await tell(
        LEAVE,
        changes.left.map(({ sessionId, number }) => ({ session_id: keyOf(sessionId), number })),
      );
      await tell(QUEUE, changes.queued.map(queuedRow));
      await tell(CLEAR, changes.cleared);
      await tell(RETAIN, changes.retained.map(retainedRow));
    },
  };
}

/** A client id may be longer than an index holds. */
function keyOf(clientId: string): string {
  return createHash("sha256").update(clientId).digest("hex");
}

function sessionRow(session: StoredSession) {
  return {
    id: keyOf(session.id),
    client_id: session.id,
    site_id: session.siteId,
    principal_id: session.principalId,
    seconds: session.seconds,
    left_at: instant(session.leftAtMs),
    subscriptions: session.subscriptions,
    awaiting_pubrel: session.awaitingPubrel,
    will: session.will,
  };
}

function queuedRow(queued: StoredQueued) {
  return {
    session_id: keyOf(queued.sessionId),
    number: queued.number,
    packet_id: queued.packetId,
    topic: queued.topic,
    payload: queued.payload.toString("base64"),
    properties: queued.properties,
    retain: queued.retain,
    identifiers: queued.identifiers,
    about_site_id: queued.aboutSiteId,
    expires_at: instant(queued.expiresAtMs),
  };
}

function retainedRow(retained: StoredRetained) {
  return {
    topic: retained.topic,
    site_id: retained.siteId,
    principal_id: retained.principalId,
    about_site_id: retained.aboutSiteId,
    payload: retained.payload.toString("base64"),
    qos: retained.qos,
    properties: retained.properties,
    expires_at: instant(retained.expiresAtMs),
  };
}

async function load(database: Database): Promise<StoredState> {
  const em = database.fork();
  const everywhere = { filters: { site: false } };
  const sessions = await em.find(MqttSession, {}, everywhere);
  const queued = await em.find(MqttQueued, {}, { ...everywhere, orderBy: { number: "asc" }, exclude: ["payload"] });
  const payloads = await queuedPayloads(database);
  const retained = await em.find(MqttRetained, {}, everywhere);
  const clientIds = new Map(sessions.map(({ id, clientId }) => [id, clientId]));
  return {
    sessions: sessions.map(loadedSession),
    queued: queued.map((row) => loadedQueued(row, payloads.get(row.number), clientIds.get(row.session.id) ?? "")),
    retained: retained.map(loadedRetained),
  };
}

function loadedSession(row: MqttSession): StoredSession {
  const { clientId, site, principalId, seconds, leftAt, subscriptions, awaitingPubrel, will = null } = row;
  const leftAtMs = leftAt?.getTime() ?? null;
  return { id: clientId, siteId: site.id, principalId, seconds, leftAtMs, subscriptions, awaitingPubrel, will };
}

/** By the number of the message. One may wait for many sessions, and is in memory but once. */
async function queuedPayloads(database: Database): Promise<ReadonlyMap<number, Buffer>> {
  const rows = await database.execute("select distinct on (number) number, payload from mqtt_queued", []);
  return new Map(rows.map(({ number, payload }) => [Number(number), payload as Buffer]));
}

function loadedQueued(
  row: Loaded<MqttQueued, never, never, "payload">,
  payload: Buffer | undefined,
  sessionId: string,
): StoredQueued {
  const { number, packetId, topic, properties = null, retain, identifiers, aboutSiteId = null, expiresAt } = row;
  const message = { topic, properties, expiresAtMs: expiresAt?.getTime() ?? null };
  return {
    ...message,
    payload: payload ?? Buffer.alloc(0),
    sessionId,
    number,
    packetId,
    retain,
    identifiers,
    aboutSiteId,
  };
}

function loadedRetained(row: MqttRetained): StoredRetained {
  const { site, principalId, aboutSiteId = null, topic, qos, properties = null, expiresAt } = row;
  const message = { topic, payload: Buffer.from(row.payload), properties, expiresAtMs: expiresAt?.getTime() ?? null };
  return { ...message, siteId: site.id, principalId, aboutSiteId, qos };
}

function instant(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}
