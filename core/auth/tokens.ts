import type { EntityManager } from "@mikro-orm/postgresql";
import type { Logger } from "pino";
import type { Actor, Permission } from "#contracts/permissions.ts";
import { reachFor } from "#contracts/permissions.ts";
import { PERSON_MARK, type PersonPrincipal } from "#contracts/principal.ts";
import type { Database } from "../kernel/database.ts";
import { equalHashes, hashToken, randomSecret } from "../kernel/tokens.ts";
import { Turns } from "../kernel/turns.ts";
import { type WriteBehind, startWriteBehind } from "../kernel/write-behind.ts";
import type { Accounts } from "./accounts.ts";
import { Token } from "./token.entity.ts";

/** Begins every personal token; credentials of machines begin with other letters. */
export const TOKEN_MARK = "pb_";

/** A personal token that is good now. */
export interface LiveToken {
  readonly id: string;
  readonly userId: string;
  readonly siteId: string;
  readonly name: string;
  readonly tokenHash: string;
  readonly permissions: ReadonlySet<Permission>;
  readonly expiresAt: Date | null;
  readonly lastUsedAt: Date | null;
  readonly lastAddress: string | null;
}

export interface TokenOptions {
  readonly accounts: Accounts;
  readonly database: Database;
  readonly log: Logger;
  /** Whether somebody may wake this device or power it off, or something in this cluster; decided where devices are known. */
  readonly mayAct: (actor: Actor, siteId: string, thing: "device" | "cluster" | "schedule", key: string) => boolean;
}

/** The last use is written down this late. */
const FLUSH_INTERVAL_MS = 10_000;
const MAX_WAITING = 10_000;

const WRITE_USE = `update token t set last_used_at = u.last_used_at, last_address = u.last_address
  from jsonb_to_recordset(?::jsonb) as u (id uuid, last_used_at timestamptz, last_address varchar) where t.id = u.id`;

/** The personal tokens of all accounts in memory, found by their prefix: no call and no message waits for the database. */
export class Tokens {
  readonly #options: TokenOptions;
  readonly #byPrefix = new Map<string, LiveToken>();
  readonly #prefixes = new Map<string, string>();
  readonly #uses: WriteBehind<object>;
  readonly #listeners: (() => void)[] = [];
  /** Changes of tokens and readings of all. */
  readonly turns = new Turns();

  constructor(options: TokenOptions) {
    this.#options = options;
    this.#uses = startWriteBehind({
      what: "last uses of tokens",
      intervalMs: FLUSH_INTERVAL_MS,
      maxWaiting: MAX_WAITING,
      write: (uses) => options.database.execute(WRITE_USE, [JSON.stringify(uses)]),
      isUp: () => options.database.isUp(),
      log: options.log,
    });
  }

  put(row: Token): void {
    this.#prefixes.set(row.id, row.prefix);
    this.#byPrefix.set(row.prefix, {
      id: row.id,
      userId: row.user.id,
      siteId: row.site.id,
      name: row.name,
      tokenHash: row.tokenHash,
      permissions: new Set(row.permissions),
      expiresAt: row.expiresAt ?? null,
      lastUsedAt: row.lastUsedAt ?? null,
      lastAddress: row.lastAddress ?? null,
    });
  }

  remove(id: string): void {
    this.#byPrefix.delete(this.#prefixes.get(id) ?? "");
    this.#prefixes.delete(id);
    for (const listener of this.#listeners) listener();
  }

  /** Calls the listener when a token was revoked, not when it expires. */
  onEnd(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** A site is gone, and every token that worked in it. */
  forgetSite(siteId: string): void {
    for (const { id } of [...this.#byPrefix.values()].filter((token) => token.siteId === siteId)) this.remove(id);
  }

  ids(): string[] {
    return [...this.#prefixes.keys()];
  }

  byId(id: string): LiveToken | undefined {
    return this.#byPrefix.get(this.#prefixes.get(id) ?? "");
  }

  of(userId: string): LiveToken[] {
    return [...this.#byPrefix.values()].filter((token) => token.userId === userId);
  }

  /** The token that these characters are; undefined when there is none or it has expired. Counts as a use of it. */
  find(text: string, address: string | null, now: Date): LiveToken | undefined {
    const prefix = prefixOf(text);
    const token = prefix === undefined ? undefined : this.#byPrefix.get(prefix);
    if (!token || !equalHashes(token.tokenHash, hashToken(text)) || !isOpen(token, now)) return undefined;
    this.#byPrefix.set(prefix ?? "", { ...token, lastUsedAt: now, lastAddress: address });
    this.#uses.add(token.id, { id: token.id, last_used_at: now, last_address: address });
    return token;
  }

  /** What a token may do now: less than its account, never more. Undefined while the account may do nothing there. */
  actorOf(id: string, now: Date): Actor | undefined {
    const token = this.byId(id);
    const role = token && isOpen(token, now) ? this.#options.accounts.roleIn(token.userId, token.siteId) : undefined;
    return token && role && { userId: token.userId, role, permissions: token.permissions };
  }

  /** Lets a person in over MQTT: user name `~ann`, the token as password. Its rights are asked anew at each message. */
  principalOf(username: string, password: Buffer, address: string | null): PersonPrincipal | null {
    const token = this.find(password.toString("utf8"), address, new Date());
    const person = token && this.personOf(token.id);
    return person && username.toLowerCase() === person.username.toLowerCase() ? person : null;
  }

  /** The person with this token, as the broker knows it; undefined while the token is good for nothing. */
  personOf(id: string): PersonPrincipal | undefined {
    const token = this.byId(id);
    const account = token && this.#options.accounts.byId(token.userId);
    if (!account || account.mustChangePassword) return undefined;
    const actor = () => this.actorOf(token.id, new Date());
    if (!actor()) return undefined;
    return {
      type: "person",
      id: token.id,
      username: mqttUsername(account),
      siteId: token.siteId,
      may: (permission) => {
        const now = actor();
        return now !== undefined && reachFor(now, permission) !== undefined;
      },
      mayAct: (thing, key) => {
        const now = actor();
        return now !== undefined && this.#options.mayAct(now, token.siteId, thing, key);
      },
    };
  }

  close(): Promise<void> {
    return this.#uses.close();
  }
}

export function mqttUsername({ username }: { readonly username: string }): string {
  return `${PERSON_MARK}${username}`;
}

/** What the audit log calls whoever acts by a token: somebody may have several. */
export function tokenActorName(username: string, { name }: { readonly name: string }): string {
  return `${username} · ${name}`;
}

export function newToken(): { readonly token: string; readonly prefix: string; readonly tokenHash: string } {
  const prefix = `${TOKEN_MARK}${randomSecret().slice(0, 8)}`;
  const token = `${prefix}_${randomSecret()}${randomSecret()}`;
  return { token, prefix, tokenHash: hashToken(token) };
}

/** Reads all tokens anew: one may have been made or revoked without anybody being told. */
export function refreshTokens(em: EntityManager, tokens: Tokens): Promise<void> {
  return tokens.turns.take(async () => {
    const rows = await em.find(Token, {}, { filters: { site: false } });
    const ids = new Set(rows.map((row) => row.id));
    for (const id of tokens.ids()) if (!ids.has(id)) tokens.remove(id);
    for (const row of rows) if (!tokens.byId(row.id)) tokens.put(row);
  });
}

/** Reads the tokens of all sites once, at the start. */
export async function loadTokens(em: EntityManager, options: TokenOptions): Promise<Tokens> {
  const tokens = new Tokens(options);
  for (const row of await em.find(Token, {}, { filters: { site: false } })) tokens.put(row);
  return tokens;
}

function prefixOf(text: string): string | undefined {
  return /^(pb_[a-z2-7]{8})_[a-z2-7]+$/.exec(text)?.[1];
}

function isOpen({ expiresAt }: LiveToken, now: Date): boolean {
  return expiresAt === null || expiresAt > now;
}
