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
  readonly #byId = new Map<string, { use: ClientUse; connections: number; since: Date }>();
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

  connected(id: string, { clientId, address, protocolVersion }: ClientConnection, now: Date): void {
    this.#note(id, (this.#byId.get(id)?.connections ?? 0) + 1, {
      lastSeenAt: now,
      lastAddress: address,
      lastClientId: clientId.slice(0, CLIENT_ID_LENGTH).toWellFormed(),
      lastProtocolVersion: protocolVersion,
    });
  }

  disconnected(id: string, now: Date): void {
    const known = this.#byId.get(id);
    if (known) this.#note(id, known.connections - 1, { ...known.use, lastSeenAt: now });
  }

  connectionsOf(id: string): number {
    return this.#byId.get(id)?.connections ?? 0;
  }

  /** Who is connected now, with the newest of several connections; undefined when nobody is. */
  connectedAs(id: string): { readonly clientId: string; readonly since: Date } | undefined {
    const known = this.#byId.get(id);
    return known && known.connections > 0 ? { clientId: known.use.lastClientId ?? "", since: known.since } : undefined;
  }

  /** Undefined for a credential that nobody has used since the hub started. Who is connected is seen now. */
  of(id: string, now: Date): ClientUse | undefined {
    const known = this.#byId.get(id);
    return known && known.connections > 0 ? { ...known.use, lastSeenAt: now } : known?.use;
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
    for (const [id, { use, connections }] of this.#byId)
      if (connections > 0) this.#note(id, connections, { ...use, lastSeenAt: now });
  }

  #note(id: string, connections: number, use: ClientUse): void {
    const known = this.#byId.get(id);
    const isNew = connections > (known?.connections ?? 0);
    this.#byId.set(id, { use, connections, since: isNew || !known ? (use.lastSeenAt ?? new Date()) : known.since });
    this.#behind.add(id, {
      id,
      last_seen_at: use.lastSeenAt,
      last_address: use.lastAddress,
      last_client_id: use.lastClientId,
      last_protocol_version: use.lastProtocolVersion,
    });
  }
}
