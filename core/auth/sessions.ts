import { SignJWT, jwtVerify } from "jose";
import { randomUUID } from "node:crypto";
import type { EntityManager } from "@mikro-orm/postgresql";
import { isDatabaseGone } from "../kernel/database-gone.ts";
import type { Account } from "../kernel/routes.ts";
import { Session } from "./session.entity.ts";
import type { User } from "./user.entity.ts";

/**
 * Who is logged in. Each login is a row; all of them are held in memory too, so that a call is checked without the
 * database and an ended session is invalid at once. The JWT only carries the session's id.
 */
export interface Sessions {
  begin(em: EntityManager, user: User, client: SessionClient, now: Date): Promise<BegunSession>;
  /** The account behind a token; undefined when it is not valid (any more). */
  accountOf(token: string, now: Date): Promise<Account | undefined>;
  isOpen(sessionId: string, now: Date): boolean;
  /** Deletes the rows of sessions that ended while the database was away. */
  forgetEnded(em: EntityManager): Promise<void>;
  /** Ends a session at once; its row goes as soon as the database answers. */
  end(em: EntityManager, sessionId: string): Promise<void>;
}

export interface SessionClient {
  readonly address: string | null;
  readonly userAgent: string | null;
}

export interface BegunSession {
  readonly token: string;
  readonly expiresInSeconds: number;
}

/** More logins than this at once end the oldest. */
const MAX_SESSIONS = 10_000;

interface LiveSession {
  readonly account: Account;
  readonly expiresAt: Date;
}

export interface SessionOptions {
  readonly secret: string;
  readonly lifetimeHours: number;
  readonly siteId: string;
}

/** Reads the open sessions and forgets the others. */
export async function loadSessions(em: EntityManager, options: SessionOptions, now: Date): Promise<Sessions> {
  const key = new TextEncoder().encode(options.secret);
  const live = new Map<string, LiveSession>();
  const ended = new Set<string>();
  await em.nativeDelete(Session, { expiresAt: { $lte: now } });
  const rows = await em.find(Session, {}, { populate: ["user"], orderBy: { createdAt: "asc" } });
  for (const row of rows) {
    const user = row.user.unwrap();
    if (user.enabled) live.set(row.id, { account: accountFor(user, row.id), expiresAt: row.expiresAt });
  }

  async function forgetEnded(em: EntityManager): Promise<void> {
    const ids = [...ended];
    try {
      await em.nativeDelete(Session, { id: { $in: ids } });
      for (const id of ids) ended.delete(id);
    } catch (error) {
      if (!isDatabaseGone(error)) throw error; // else they are deleted when it is back
    }
  }

  function accountFor(user: User, sessionId: string): Account {
    return { userId: user.id, username: user.username, role: user.role, sessionId, siteId: options.siteId };
  }

  function forgetExpired(now: Date): void {
    for (const [id, session] of live) if (session.expiresAt <= now) live.delete(id);
  }

  return {
    begin: async (em, user, client, now) => {
      const id = randomUUID();
      const expiresInSeconds = Math.round(options.lifetimeHours * 3_600);
      const expiresAt = new Date(now.getTime() + expiresInSeconds * 1_000);
      await em.nativeDelete(Session, { expiresAt: { $lte: now } });
      em.create(Session, {
        id,
        user,
        createdAt: now,
        expiresAt,
        address: client.address,
        userAgent: client.userAgent?.slice(0, 200) ?? null,
      });
      await em.flush();
      forgetExpired(now);
      const [oldest] = live.keys();
      if (live.size >= MAX_SESSIONS && oldest) live.delete(oldest);
      live.set(id, { account: accountFor(user, id), expiresAt });
      const token = await new SignJWT({ sid: id })
        .setProtectedHeader({ alg: "HS256" })
        .setSubject(user.id)
        .setIssuedAt(now)
        .setExpirationTime(expiresAt)
        .sign(key);
      return { token, expiresInSeconds };
    },
    accountOf: async (token, now) => {
      const id = await sessionIdOf(token, key, now);
      const session = id === undefined ? undefined : live.get(id);
      return session && session.expiresAt > now ? session.account : undefined;
    },
    isOpen: (sessionId, now) => {
      const session = live.get(sessionId);
      return session !== undefined && session.expiresAt > now;
    },
    end: async (em, sessionId) => {
      live.delete(sessionId);
      ended.add(sessionId);
      await forgetEnded(em);
    },
    forgetEnded,
  };
}

async function sessionIdOf(token: string, key: Uint8Array, now: Date): Promise<string | undefined> {
  try {
    const { payload } = await jwtVerify(token, key, { algorithms: ["HS256"], currentDate: now });
    return typeof payload["sid"] === "string" ? payload["sid"] : undefined;
  } catch {
    return undefined; // not ours, changed or expired: all the same to the caller, who is not logged in
  }
}
