import type { EntityManager } from "@mikro-orm/postgresql";
import type { Role } from "#contracts/permissions.ts";
import { Turns } from "../kernel/turns.ts";
import { Membership } from "./membership.entity.ts";
import { User } from "./user.entity.ts";

/** What calls need to know of an account, without the database. */
export interface KnownAccount {
  readonly id: string;
  readonly username: string;
  readonly superuser: boolean;
  readonly enabled: boolean;
  readonly mustChangePassword: boolean;
  /** By site. */
  readonly roles: ReadonlyMap<string, Exclude<Role, "superuser">>;
}

/**
 * All accounts in memory, brought up to date after each commit: who is demoted or disabled loses the right with the next
 * call or message.
 */
export class Accounts {
  readonly #byId = new Map<string, KnownAccount>();
  readonly #listeners: ((id: string) => void)[] = [];
  /** Readings of accounts, so that what was read last is what stays. */
  readonly turns = new Turns();

  [Symbol.iterator](): IterableIterator<KnownAccount> {
    return this.#byId.values();
  }

  byId(id: string): KnownAccount | undefined {
    return this.#byId.get(id);
  }

  /** What an account is in a site; undefined = nothing, or it is disabled. */
  roleIn(id: string, siteId: string): Role | undefined {
    const account = this.#byId.get(id);
    if (!account?.enabled) return undefined;
    return account.superuser ? "superuser" : account.roles.get(siteId);
  }

  membersOf(siteId: string): number {
    return [...this.#byId.values()].filter((account) => account.roles.has(siteId)).length;
  }

  put(user: User, memberships: readonly Membership[]): KnownAccount {
    const { id, username, superuser, enabled, mustChangePassword } = user;
    const roles = new Map(memberships.map((membership) => [membership.site.id, membership.role]));
    return this.take({ id, username, superuser, enabled, mustChangePassword, roles });
  }

  take(account: KnownAccount): KnownAccount {
    this.#byId.set(account.id, account);
    this.#tell(account.id);
    return account;
  }

  remove(id: string): void {
    this.#byId.delete(id);
    this.#tell(id);
  }

  /** A site is gone, and every place in it. */
  forgetSite(siteId: string): void {
    for (const account of this.#byId.values()) {
      if (!account.roles.has(siteId)) continue;
      const roles = new Map([...account.roles].filter(([id]) => id !== siteId));
      this.#byId.set(account.id, { ...account, roles });
      this.#tell(account.id);
    }
  }

  /** Calls the listener after each change of an account, and after its end. */
  onChange(listener: (id: string) => void): void {
    this.#listeners.push(listener);
  }

  #tell(id: string): void {
    for (const listener of this.#listeners) listener(id);
  }
}

/** Reads the accounts of all sites once, at the start. */
export async function loadAccounts(em: EntityManager): Promise<Accounts> {
  const accounts = new Accounts();
  const memberships = Map.groupBy(await membershipsOf(em, {}), (membership) => membership.user.id);
  for (const user of await em.find(User, {})) accounts.put(user, memberships.get(user.id) ?? []);
  return accounts;
}

/** Of every site: with an entity manager of the hub itself. */
export async function membershipsOf(em: EntityManager, where: { user?: string }): Promise<Membership[]> {
  return await em.find(Membership, where, { filters: { site: false } });
}

/**
 * Reads one account anew: after the commit of a change, and at a log-in, since it may have been made by another process.
 *
 * @returns undefined for one that is gone.
 */
export function refreshAccount(em: EntityManager, accounts: Accounts, id: string): Promise<KnownAccount | undefined> {
  return accounts.turns.take(async () => {
    const fresh = em.fork();
    const user = await fresh.findOne(User, { id });
    if (user) return accounts.put(user, await membershipsOf(fresh, { user: id }));
    accounts.remove(id);
    return undefined;
  });
}

/** Reads all accounts anew, when the database is back: a change may have been made that nobody could tell of. */
export function refreshAccounts(em: EntityManager, accounts: Accounts): Promise<void> {
  return accounts.turns.take(async () => {
    const fresh = await loadAccounts(em);
    for (const { id } of accounts) if (!fresh.byId(id)) accounts.remove(id);
    for (const account of fresh) accounts.take(account);
  });
}

/** The chain of the audit log that tells of an account: its only site's, else the hub's. */
export function chainOfAccount({ superuser, roles }: KnownAccount): string | null {
  const [site = null, ...others] = roles.keys();
  return superuser || others.length > 0 ? null : site;
}
