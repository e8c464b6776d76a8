import type { FastifyReply, FastifyRequest } from "fastify";
import { SITE_HEADER } from "#contracts/api/sites.ts";
import { type Permission, reachFor } from "#contracts/permissions.ts";
import type { Audit } from "../audit/audit.service.ts";
import type { Accounts } from "../auth/accounts.ts";
import { type Callers, NO_SITE_ID } from "../auth/callers.ts";
import { SESSION_COOKIE, setSessionCookie } from "../auth/session-cookie.ts";
import type { Sessions } from "../auth/sessions.ts";
import { TOKEN_MARK, type Tokens, tokenActorName } from "../auth/tokens.ts";
import { HubError } from "../kernel/errors.ts";
import type { Account } from "../kernel/routes.ts";

export interface AdmissionOptions {
  readonly audit: Audit;
  readonly accounts: Accounts;
  readonly sessions: Sessions;
  readonly tokens: Tokens;
  readonly callers: Callers;
}

/** Personal tokens end here, whatever they may. */
const SESSION_ONLY = /^\/api\/(auth|users|tokens)(\/|$)/;
const CSRF_HEADER = "x-powerbeacon";
const UNSAFE_METHODS = new Set(["POST", "PUT", "PATCH", "DELETE"]);

/** Who calls, and about which site. Whoever is not let in is told so a moment later. */
export async function recognize(
  request: FastifyRequest,
  reply: FastifyReply,
  options: AdmissionOptions,
): Promise<void> {
  const address = request.ip;
  const stranger = { type: "stranger", id: null, name: null } as const;
  request.trail = options.audit.trail({ siteId: null, actor: stranger, address, requestId: request.id });
  const { permission, knowsCaller } = request.routeOptions.config;
  if (permission === undefined || (permission === "public" && !knowsCaller)) return;
  try {
    const account = await accountOf(request, reply, options);
    checkOwnPassword(account, request, options);
    request.account = account;
  } catch (error) {
    if (permission !== "public") request.refusal = error as Error; // a stranger is welcome, too
    return;
  }
  const { siteId, username, userId, tokenId } = request.account;
  const token = tokenId === null ? undefined : options.tokens.byId(tokenId);
  const actor = token
    ? ({ type: "token", id: token.id, name: tokenActorName(username, token) } as const)
    : ({ type: "user", id: userId, name: username } as const);
  request.trail = options.audit.trail({ siteId: chainFor(siteId), actor, address, requestId: request.id });
}

/** Lets a request in, or not. */
export function admit(request: FastifyRequest): void {
  const { permission } = request.routeOptions.config;
  if (request.refusal) throw request.refusal;
  if (permission !== undefined && permission !== "public") checkPermission(request, permission);
}

/** @throws HubError PASSWORD_CHANGE_REQUIRED */
function checkOwnPassword({ userId }: Account, { routeOptions }: FastifyRequest, { accounts }: AdmissionOptions): void {
  if (accounts.byId(userId)?.mustChangePassword && !routeOptions.url?.startsWith("/api/auth/"))
    throw new HubError("PASSWORD_CHANGE_REQUIRED", "Change the password first; it was given for one log-in");
}

/** @throws HubError TOKEN_NOT_ALLOWED, NO_SITE, FORBIDDEN */
function checkPermission({ account, routeOptions }: FastifyRequest, permission: Permission): void {
  if (account.tokenId !== null && SESSION_ONLY.test(routeOptions.url ?? ""))
    throw new HubError("TOKEN_NOT_ALLOWED", "Personal tokens do not reach accounts, sessions and tokens");
  if (permission !== "self" && account.siteId === NO_SITE_ID)
    throw new HubError("NO_SITE", "This account belongs to no site");
  if (reachFor(account, permission) === undefined)
    throw new HubError(
      "FORBIDDEN",
      account.tokenId === null ? `Your role does not allow ${permission}` : `This token does not allow ${permission}`,
    );
}

/** What is refused from here on is noted under the caller's name, in the hub's chain until the site is known. */
function nameCaller(
  request: FastifyRequest,
  { audit, accounts }: AdmissionOptions,
  { type, id, userId }: { type: "user" | "token"; id: string; userId: string },
): void {
  const actor = { type, id, name: accounts.byId(userId)?.username ?? null };
  request.trail = audit.trail({ siteId: null, actor, address: request.ip, requestId: request.id });
}

async function accountOf(request: FastifyRequest, reply: FastifyReply, options: AdmissionOptions): Promise<Account> {
  const { sessions, tokens, callers } = options;
  const now = new Date();
  const siteKey = siteKeyOf(request);
  const bearer = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? "")?.[1];
  if (bearer?.startsWith(TOKEN_MARK)) {
    const token = tokens.find(bearer, request.ip, now);
    if (!token) throw new HubError("UNAUTHENTICATED", "This token is not valid, or not any more");
    nameCaller(request, options, { type: "token", id: token.id, userId: token.userId });
    return callers.ofToken(token, siteKey);
  }
  const text = bearer ?? request.cookies[SESSION_COOKIE];
  const found = text === undefined ? undefined : await sessions.find(text, now);
  if (!found) throw new HubError("UNAUTHENTICATED", "Log in first");
  const { userId } = found.session;
  nameCaller(request, options, { type: "user", id: userId, userId });
  if (bearer === undefined) {
    if (UNSAFE_METHODS.has(request.method) && request.headers[CSRF_HEADER] !== "1")
      throw new HubError("CSRF_HEADER_MISSING", "A change by cookie needs the header X-PowerBeacon: 1");
    const renewed = await sessions.renew(found.session, found.issuedAt, now);
    if (renewed) setSessionCookie(request, reply, renewed.token, renewed.expiresInSeconds);
  }
  return callers.ofSession(found.session, siteKey);
}

/** A browser's stream of events cannot send a header. */
function siteKeyOf(request: FastifyRequest): string | undefined {
  const { site } = request.query as { readonly site?: unknown }; // not checked yet
  const named = request.routeOptions.url === "/api/events" && typeof site === "string" ? site : undefined;
  const header = request.headers[SITE_HEADER];
  return named ?? (typeof header === "string" ? header : undefined);
}

function chainFor(siteId: string): string | null {
  return siteId === NO_SITE_ID ? null : siteId;
}
