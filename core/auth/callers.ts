import { Permission, type Actor, reachFor } from "#contracts/permissions.ts";
import { HubError } from "../kernel/errors.ts";
import type { Account } from "../kernel/routes.ts";
import type { KnownSite, Sites } from "../sites/sites.ts";
import type { Accounts, KnownAccount } from "./accounts.ts";
import type { LiveSession, Sessions } from "./sessions.ts";
import type { LiveToken, Tokens } from "./tokens.ts";

/** Stands for "in no site": no row has it. */
export const NO_SITE_ID = "00000000-0000-0000-0000-000000000000";

export interface CallersOptions {
  readonly accounts: Accounts;
  readonly sessions: Sessions;
  readonly tokens: Tokens;
  readonly sites: Sites;
}

/** Who a call or a stream comes from, in which site and as what. Decided in memory, so every change counts at once. */
export class Callers {
  readonly #options: CallersOptions;

  constructor(options: CallersOptions) {
    this.#options = options;
  }

  /** @param siteKey the site that the call names. @throws HubError UNAUTHENTICATED, NO_SITE */
  ofSession(session: LiveSession, siteKey: string | undefined): Account {
    const known = this.#enabled(session.userId);
    const site = this.#siteFor(known, siteKey);
    const actor = this.#actorIn(known, site);
    return { ...actor, username: known.username, sessionId: session.id, tokenId: null, siteId: site?.id ?? NO_SITE_ID };
  }

  /** A token works in its own site. @throws HubError UNAUTHENTICATED, NO_SITE */
  ofToken(token: LiveToken, siteKey: string | undefined): Account {
    const { accounts, sites } = this.#options;
    const known = this.#enabled(token.userId);
    const role = accounts.roleIn(known.id, token.siteId);
    if (!role || (siteKey !== undefined && sites.byKey(siteKey)?.id !== token.siteId)) throw noSite();
    const { id: userId, username } = known;
    const { permissions, siteId } = token;
    return { userId, role, permissions, username, sessionId: null, tokenId: token.id, siteId };
  }

  /** What a caller of before may do now; undefined when the session, the token or the account's place is gone. */
  now(account: Account): Actor | undefined {
    const { accounts, sessions, tokens } = this.#options;
    if (account.tokenId !== null) return tokens.actorOf(account.tokenId, new Date());
    if (account.sessionId === null || !sessions.isOpen(account.sessionId, new Date())) return undefined;
    const role = accounts.roleIn(account.userId, account.siteId);
    return role && { userId: account.userId, role, permissions: null };
  }

  /** Every site that an account belongs to, in their order. */
  sitesOf(userId: string): KnownSite[] {
    return [...this.#options.sites].filter(({ id }) => this.#options.accounts.roleIn(userId, id) !== undefined);
  }

  #enabled(userId: string): KnownAccount {
    const known = this.#options.accounts.byId(userId);
    if (!known?.enabled) throw new HubError("UNAUTHENTICATED", "Log in first");
    return known;
  }

  #siteFor({ id }: KnownAccount, siteKey: string | undefined): KnownSite | undefined {
    const own = this.sitesOf(id);
    if (siteKey === undefined) return own[0];
    const site = own.find(({ key }) => key === siteKey);
    if (!site) throw noSite();
    return site;
  }

  #actorIn({ id: userId }: KnownAccount, site: KnownSite | undefined): Actor {
    const role = site && this.#options.accounts.roleIn(userId, site.id);
    return role ? { userId, role, permissions: null } : { userId, role: "viewer", permissions: new Set(["self"]) };
  }
}

/** Everything that somebody may do, at least with what is their own. */
export function permissionsOf(actor: Actor): Permission[] {
  return Permission.options.filter((permission) => reachFor(actor, permission) !== undefined);
}

function noSite(): HubError {
  return new HubError("NO_SITE", "This account does not belong to the site");
}
