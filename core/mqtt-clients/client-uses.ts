import type { Logger } from "pino";
import type { Database } from "../kernel/database.ts";
import { type WriteBehind, startWriteBehind } from "../kernel/write-behind.ts";
import type { MqttClient } from "./mqtt-client.entity.ts";

/** How a credential was last used. */
export type ClientUse = Pick<MqttClient, "lastSeenAt" | "lastAddress" | "lastClientId" | "lastProtocolVersion">;

/** What the broker tells of a connection. */
export interface ClientConnection {
  readonly clientId: string;
  readonly address: string | null;
  readonly protocolVersion: 3 | 4 | 5;
}

/** A client that stays is written down this often, too. */
const WRITE_INTERVAL_MS = 60_000;
const MAX_WAITING = 10_000;
const CLIENT_ID_LENGTH = 200;

const WRITE_USE = `update mqtt_client c set last_seen_at = u.last_seen_at, last_address = u.last_address,
  last_client_id = u.last_client_id, last_protocol_version = u.last_protocol_version
  from jsonb_to_recordset(?::jsonb)
    as u (id uuid, last_seen_at timestamptz, last_address varchar, last_client_id varchar, last_protocol_version smallint)
  where c.id = u.id`;

/** Who is connected with which credential, and who was when. Known at once, written down at most once a minute each. */
export class ClientUses {
  /** With the connections that are open and since when, the oldest first. */
  readonly #byId = new Map<string, { use: ClientUse; readonly open: Map<ClientConnection, Date> }>();
  readonly #behind: WriteBehind<object>;
  readonly #timer: NodeJS.Timeout;

  constructor({ database, log }: { readonly database: Database; readonly log: Logger }) {
    this.#behind = startWriteBehind({
      what: "last uses of MQTT credentials",
      intervalMs: WRITE_INTERVAL_MS,
      maxWaiting: MAX_WAITING,
      write: (uses) => database.execute(WRITE_USE, [JSON.stringify(uses)]),
      isUp: () => database.isUp(),
      log,
    });
    this.#timer = setInterval(() => this.#seeConnected(new Date()), WRITE_INTERVAL_MS);
  }

  /** @param connection one object, until it is `disconnected`. */
  connected(id: string, connection: ClientConnection, now: Date): void {
    const known = this.#byId.get(id) ?? { use: useOf(connection, now), open: new Map() };
    known.open.set(connection, now);
    this.#byId.set(id, known);
    this.#note(id, useOf(connection, now));
  }

  disconnected(id: string, connection: ClientConnection, now: Date): void {
    const known = this.#byId.get(id);
    if (!known) return;
    known.open.delete(connection);
    this.#note(id, { ...known.use, lastSeenAt: now });
  }

  connectionsOf(id: string): number {
    return this.#byId.get(id)?.open.size ?? 0;
  }

  /** Who is connected now: the oldest of several connections, as whoever only looks in is soon gone; undefined when nobody is. */
  connectedAs(id: string): { readonly clientId: string; readonly since: Date } | undefined {
    const [oldest] = this.#byId.get(id)?.open ?? [];
    return oldest && { clientId: idOf(oldest[0]), since: oldest[1] };
  }

  /** Undefined for a credential that nobody has used since the hub started. Who is connected is seen now. */
  of(id: string, now: Date): ClientUse | undefined {
    const known = this.#byId.get(id);
    return known && known.open.size > 0 ? { ...known.use, lastSeenAt: now } : known?.use;
  }

  forget(id: string): void {
    this.#byId.delete(id);
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#seeConnected(new Date());
    await this.#behind.close();
  }

  #seeConnected(now: Date): void {
    for (const [id, { use, open }] of this.#byId) if (open.size > 0) this.#note(id, { ...use, lastSeenAt: now });
  }

  #note(id: string, use: ClientUse): void {
    const known = this.#byId.get(id);
    if (known) known.use = use;
    this.#behind.add(id, {
      id,
      last_seen_at: use.lastSeenAt,
      last_address: use.lastAddress,
      last_client_id: use.lastClientId,
      last_protocol_version: use.lastProtocolVersion,
    });
  }
}

function useOf(connection: ClientConnection, now: Date): ClientUse {
  const { address, protocolVersion } = connection;
  return {
    lastSeenAt: now,
    lastAddress: address,
    lastClientId: idOf(connection),
    lastProtocolVersion: protocolVersion,
  };
}

function idOf({ clientId }: ClientConnection): string {
  return clientId.slice(0, CLIENT_ID_LENGTH).toWellFormed();
}
