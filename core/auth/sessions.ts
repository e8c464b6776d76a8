import { SignJWT, jwtVerify } from "jose";
import { randomUUID } from "node:crypto";
import type { EntityManager } from "@mikro-orm/postgresql";
import type { Logger } from "pino";
import type { Database } from "../kernel/database.ts";
import { isDatabaseGone } from "../kernel/database-gone.ts";
import { HubError } from "../kernel/errors.ts";
import { type WriteBehind, startWriteBehind } from "../kernel/write-behind.ts";
import { Session } from "./session.entity.ts";
import type { SigningKeys } from "./signing-keys.ts";
import type { User } from "./user.entity.ts";

/** A login that is good now. */
export interface LiveSession {
  readonly id: string;
  readonly userId: string;
  readonly createdAt: Date;
  readonly address: string | null;
  readonly userAgent: string | null;
  readonly providerId: string | null;
  readonly lastUsedAt: Date;
  readonly expiresAt: Date;
}

export interface SessionClient {
  readonly address: string | null;
  readonly userAgent: string | null;
  /** The provider that the login came by. */
  readonly providerId?: string | null;
}

export interface BegunSession {
  readonly id: string;
  readonly token: string;
  readonly expiresInSeconds: number;
}

export interface SessionOptions {
  readonly keys: SigningKeys;
  readonly lifetimeHours: number;
  readonly database: Database;
  readonly log: Logger;
}

/** However much a session is used, it ends after so long. */
const MAX_AGE_MS = 30 * 24 * 3_600_000;
/** More logins than this at once end the oldest. */
const MAX_SESSIONS = 10_000;
const MAX_SESSIONS_OF_ONE = 100;
/** The last use is written down this late. */
const FLUSH_INTERVAL_MS = 10_000;

const WRITE_USE = `update session s set last_used_at = u.last_used_at, expires_at = u.expires_at
  from jsonb_to_recordset(?::jsonb) as u (id uuid, last_used_at timestamptz, expires_at timestamptz) where s.id = u.id`;

interface Use {
  readonly id: string;
  readonly last_used_at: Date;
  readonly expires_at: Date;
}

/**
 * Who is logged in. Each login is a row; all of them are held in memory too, so that a call is checked without the
 * database and an ended session is invalid at once. The JWT only carries the session's id.
 */
export class Sessions {
  readonly #options: SessionOptions;
  readonly #live = new Map<string, LiveSession>();
  /** Ended while the database was away: their rows go when it is back. */
  readonly #ended = new Set<string>();
  readonly #uses: WriteBehind<Use>;
  readonly #listeners: (() => void)[] = [];

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#uses = startWriteBehind({
      what: "last uses of sessions",
      intervalMs: FLUSH_INTERVAL_MS,
      maxWaiting: MAX_SESSIONS,
      write: (uses) => options.database.execute(WRITE_USE, [JSON.stringify(uses)]),
      isUp: () => options.database.isUp(),
      log: options.log,
    });
  }

  get size(): number {
    return this.#live.size;
  }

  [Symbol.iterator](): IterableIterator<LiveSession> {
    return this.#live.values();
  }

  restore(session: LiveSession): void {
    this.#live.set(session.id, session);
  }

  /**
   * Writes a login down. From now on whoever ends the account's sessions ends this one, too. When its transaction is through,
   * call `admit`; when it fails, `forget`.
   */
  async create(em: EntityManager, user: User, client: SessionClient, now: Date): Promise<LiveSession> {
    for (const [id, { expiresAt }] of this.#live) if (expiresAt <= now) this.#live.delete(id);
    this.#makeRoom(user.id);
    const session: LiveSession = {
      id: randomUUID(),
      userId: user.id,
      createdAt: now,
      lastUsedAt: now,
      expiresAt: this.#expiryFor(now, now),
      address: client.address,
      userAgent: client.userAgent?.slice(0, 200) ?? null,
      providerId: client.providerId ?? null,
    };
    const { userId: _, ...row } = session;
    em.create(Session, { ...row, user });
    await em.flush();
    this.#live.set(session.id, session);
    return session;
  }

  forget(id: string): void {
    this.#live.delete(id);
  }

  /** Gives out the token of a session that was written down. @throws HubError BAD_CREDENTIALS when it was ended meanwhile. */
  async admit(session: LiveSession, now: Date): Promise<BegunSession> {
    if (!this.#live.has(session.id)) throw new HubError("BAD_CREDENTIALS", "This session was ended");
    const token = await this.#tokenFor(session, now);
    return { id: session.id, token, expiresInSeconds: secondsUntil(session.expiresAt, now) };
  }

  /** The session behind a token; undefined when it is not valid (any more). Counts as a use of it. */
  async find(token: string, now: Date): Promise<{ session: LiveSession; issuedAt: Date } | undefined> {
    const claims = await this.#read(token, now);
    const session = claims && this.#live.get(claims.sid);
    if (!session || session.expiresAt <= now) return undefined;
    const used = { ...session, lastUsedAt: now };
    this.#live.set(session.id, used);
    this.#uses.add(used.id, { id: used.id, last_used_at: now, expires_at: used.expiresAt });
    return { session: used, issuedAt: claims.issuedAt };
  }

  /** A fresh token for a session whose token is past half of its life; undefined while it is not. */
  async renew(session: LiveSession, issuedAt: Date, now: Date): Promise<BegunSession | undefined> {
    const expiresAt = this.#expiryFor(session.createdAt, now);
    const age = now.getTime() - issuedAt.getTime();
    if (age < this.#lifetimeMs / 2 || expiresAt <= session.expiresAt) return undefined;
    const renewed = { ...session, expiresAt };
    this.#live.set(session.id, renewed);
    this.#uses.add(renewed.id, { id: renewed.id, last_used_at: renewed.lastUsedAt, expires_at: expiresAt });
    const token = await this.#tokenFor(renewed, now);
    return { id: session.id, token, expiresInSeconds: secondsUntil(expiresAt, now) };
  }

  #tokenFor(session: LiveSession, now: Date): Promise<string> {
    const { id, secret } = this.#options.keys.current;
    return new SignJWT({ sid: session.id })
      .setProtectedHeader({ alg: "HS256", kid: id })
      .setSubject(session.userId)
      .setIssuedAt(now)
      .setExpirationTime(session.expiresAt)
      .sign(secret);
  }

  isOpen(id: string, now: Date): boolean {
    const session = this.#live.get(id);
    return session !== undefined && session.expiresAt > now;
  }

  of(userId: string, now: Date): LiveSession[] {
    return [...this.#live.values()].filter((session) => session.userId === userId && session.expiresAt > now);
  }

  /** Ends sessions at once; their rows go as soon as the database answers. */
  async end(em: EntityManager, ids: readonly string[]): Promise<void> {
    for (const id of ids) {
      this.#live.delete(id);
      this.#ended.add(id);
    }
    for (const listener of this.#listeners) listener();
    await this.forgetEnded(em);
  }

  /** Calls the listener when sessions were ended, not when they expire. */
  onEnd(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** Deletes the rows of sessions that ended while the database was away, and of those that expired. */
  async forgetEnded(em: EntityManager): Promise<void> {
    const ids = [...this.#ended];
    try {
      await em.nativeDelete(Session, { $or: [{ id: { $in: ids } }, { expiresAt: { $lte: new Date() } }] });
      for (const id of ids) this.#ended.delete(id);
    } catch (error) {
      if (!isDatabaseGone(error)) throw error; // else they are deleted when it is back
    }
  }

  close(): Promise<void> {
    return this.#uses.close();
  }

  get #lifetimeMs(): number {
    return this.#options.lifetimeHours * 3_600_000;
  }

  #expiryFor(createdAt: Date, now: Date): Date {
    return new Date(Math.min(now.getTime() + this.#lifetimeMs, createdAt.getTime() + MAX_AGE_MS));
  }

  /** Sessions stand in the order of their logins. */
  #makeRoom(userId: string): void {
    const own = [...this.#live.values()].filter((session) => session.userId === userId);
    const oldest = own.length >= MAX_SESSIONS_OF_ONE ? own[0]?.id : [...this.#live.keys().take(1)][0];
    if (oldest === undefined || (own.length < MAX_SESSIONS_OF_ONE && this.#live.size < MAX_SESSIONS)) return;
    this.#live.delete(oldest);
    this.#ended.add(oldest);
  }

  async #read(token: string, now: Date): Promise<{ sid: string; issuedAt: Date } | undefined> {
    const { keys } = this.#options;
    try {
      const { payload } = await jwtVerify(token, ({ kid }) => (keys.byId(kid ?? "") ?? keys.current).secret, {
        algorithms: ["HS256"],
        currentDate: now,
      });
      if (typeof payload["sid"] !== "string" || payload.iat === undefined) return undefined;
      return { sid: payload["sid"], issuedAt: new Date(payload.iat * 1_000) };
    } catch {
      return undefined; // not ours, changed or expired: all the same to the caller, who is not logged in
    }
  }
}

/** Reads the open sessions and forgets the others. */
export async function loadSessions(em: EntityManager, options: SessionOptions, now: Date): Promise<Sessions> {
  const sessions = new Sessions(options);
  await em.nativeDelete(Session, { expiresAt: { $lte: now } });
  for (const row of await em.find(Session, {}, { orderBy: { createdAt: "asc" } })) {
    const { id, createdAt, lastUsedAt, expiresAt } = row;
    const client = {
      address: row.address ?? null,
      userAgent: row.userAgent ?? null,
      providerId: row.providerId ?? null,
    };
    sessions.restore({ id, userId: row.user.id, createdAt, lastUsedAt, expiresAt, ...client });
  }
  return sessions;
}

function secondsUntil(instant: Date, now: Date): number {
  return Math.round((instant.getTime() - now.getTime()) / 1_000);
}
