import type { FastifyReply, FastifyRequest } from "fastify";
import {
  Login,
  LoginAnswer,
  LogoutAnswer,
  MeAnswer,
  MeChange,
  SetupInit,
  SetupStatus,
  UserAnswer,
} from "#contracts/api/accounts.ts";
import type { SiteRef } from "#contracts/api/sites.ts";
import { networkOf } from "#contracts/network.ts";
import type { Database } from "../kernel/database.ts";
import { HubError } from "../kernel/errors.ts";
import type { Account, App } from "../kernel/routes.ts";
import type { Trail } from "../kernel/trail.ts";
import type { KnownSite } from "../sites/sites.ts";
import { type Accounts, chainOfAccount, refreshAccount } from "./accounts.ts";
import {
  type SetupRules,
  answerOf,
  beginSession,
  changeOwnAccount,
  checkCredentials,
  findUser,
  isSetUp,
  setUp,
} from "./auth.service.ts";
import { type Callers, permissionsOf } from "./callers.ts";
import { LoginGuard } from "./login-guard.ts";
import { browserOf, clearSessionCookie, markBrowser, setSessionCookie } from "./session-cookie.ts";
import type { LiveSession, SessionClient, Sessions } from "./sessions.ts";
import type { User } from "./user.entity.ts";

export interface AuthRoutes {
  readonly database: Database;
  readonly accounts: Accounts;
  readonly sessions: Sessions;
  readonly callers: Callers;
  readonly setupCode: string;
  readonly passwordMinLength: number;
  readonly saveSignOn: SetupRules["saveSignOn"];
  /** The audit log under the name of somebody who has just logged in. */
  readonly trailOf: (user: { id: string; username: string }, request: FastifyRequest) => Trail;
  /** Where a browser goes on to end its session at the provider by which it logged in. */
  readonly logoutUrl: (session: LiveSession, request: FastifyRequest) => Promise<string | null>;
}

/** Guessing is slow: so many tries a minute from one address. */
const guarded = { rateLimit: { max: 10, timeWindow: "1 minute" } } as const;

/** Addresses and browsers that logged in are no strangers; of so many the oldest is forgotten. */
const MAX_KNOWN = 20_000;

export function authRoutes(app: App, hub: AuthRoutes): void {
  const { database, accounts, sessions, callers, passwordMinLength } = hub;
  const guard = new LoginGuard();
  const known = new Set<string>();
  for (const { userId, address } of sessions) {
    const account = accounts.byId(userId);
    if (account && address !== null) remember(`${accountKey(account.username)} ${networkOf(address)}`);
  }

  app.get(
    "/setup/status",
    {
      config: { permission: "public" },
      schema: { summary: "Does the hub have its first account?", response: { 200: SetupStatus } },
    },
    async () => ({ complete: await isSetUp(database.fork()) }),
  );

  app.post(
    "/setup/init",
    {
      config: { permission: "public", ...guarded },
      schema: {
        summary: "Make the first superuser, with the code from the hub's log",
        body: SetupInit,
        response: { 201: UserAnswer },
      },
    },
    async (request, reply) => {
      const em = database.fork();
      const user = await setUp({ em, trail: request.trail }, request.body, hub, new Date());
      accounts.put(user, []);
      return reply.code(201).send(answerOf(user, "superuser"));
    },
  );

  // a log-in may come as a form, too
  app.addContentTypeParser("application/x-www-form-urlencoded", { parseAs: "string" }, (request, body, done) => {
    if (request.routeOptions.url?.endsWith("/auth/login"))
      done(null, Object.fromEntries(new URLSearchParams(String(body))));
    else done(new HubError("UNSUPPORTED_MEDIA_TYPE", "The body must be JSON"));
  });

  app.post(
    "/auth/login",
    {
      config: { permission: "public", ...guarded },
      schema: { summary: "Log in", body: Login, response: { 200: LoginAnswer } },
    },
    async (request, reply) => {
      refuseOtherSites(request);
      const { username, password } = request.body;
      const user = await guardedCheck(request, username, password);
      const { session, token, expiresInSeconds } = await logIn(request, reply, user, { password });
      const { role } = callers.ofSession(session, undefined);
      return {
        access_token: token,
        token_type: "bearer" as const,
        expires_in: expiresInSeconds,
        user: answerOf(user, callers.sitesOf(user.id).length > 0 ? role : null),
      };
    },
  );

  app.post(
    "/auth/logout",
    { config: { permission: "self" }, schema: { summary: "End this session", response: { 200: LogoutAnswer } } },
    async (request, reply) => {
      const { sessionId, userId } = request.account;
      const session = sessions.of(userId, new Date()).find(({ id }) => id === sessionId);
      if (session) await sessions.end(database.fork(), [session.id]);
      request.trail.in(chainOfCaller(userId)).note({ action: "session.logout" });
      clearSessionCookie(reply);
      return { logoutUrl: session ? await hub.logoutUrl(session, request) : null };
    },
  );

  app.get(
    "/auth/me",
    { config: { permission: "self" }, schema: { summary: "The account that calls", response: { 200: MeAnswer } } },
    async (request) => meOf(request.account, await findUser(database.fork(), request.account.userId)),
  );

  app.route({
    method: ["PATCH", "PUT"],
    url: "/auth/me",
    config: { permission: "self", ...guarded },
    schema: { summary: "Change one's own account", body: MeChange, response: { 200: MeAnswer } },
    handler: async (request) => {
      const { account } = request;
      const em = database.fork();
      const trail = request.trail.in(chainOfCaller(account.userId));
      const { user, passwordChanged } = await changeOwnAccount(
        { em, trail, passwordMinLength },
        account.userId,
        request.body,
      );
      await refreshAccount(em, accounts, user.id);
      if (passwordChanged) {
        const others = sessions.of(user.id, new Date()).filter(({ id }) => id !== account.sessionId);
        await sessions.end(
          database.fork(),
          others.map(({ id }) => id),
        );
      }
      return meOf(account, user);
    },
  });

  /** Checks a password; every failure makes the next try of its kind wait longer. */
  async function guardedCheck(request: FastifyRequest, username: string, password: string): Promise<User> {
    const account = accountKey(username);
    const browser = browserOf(request);
    // a browser that logged in before is counted by itself: whoever guesses at the same address is not in its way
    const from = browser !== undefined && known.has(`${account} ${browser}`) ? browser : networkOf(request.ip);
    guard.admit(account, from, { isKnown: known.has(`${account} ${from}`), nowMs: performance.now() });
    try {
      const user = await checkCredentials(database.fork(), username, password);
      guard.succeeded(account, from);
      return user;
    } catch (error) {
      if (error instanceof HubError && error.code === "BAD_CREDENTIALS") {
        guard.failed(account, from, performance.now());
        // what is no user name may be a password that was typed into the wrong field
        const user = [...accounts].find((known) => accountKey(known.username) === account);
        const target = { type: "user", id: user?.id ?? null, name: user?.username ?? null };
        request.trail.note({ action: "session.login", target, result: "refused", reason: error.code });
      }
      throw error;
    }
  }

  async function logIn(request: FastifyRequest, reply: FastifyReply, user: User, login: { password?: string }) {
    const em = database.fork();
    const client: SessionClient = { address: request.ip, userAgent: request.headers["user-agent"] ?? null };
    // one that another process made is not known yet
    const account = accounts.byId(user.id) ?? (await refreshAccount(em, accounts, user.id));
    const trail = hub.trailOf(user, request).in(account ? chainOfAccount(account) : null);
    const session = await beginSession({ em, sessions, trail }, user, { client, ...login }, new Date());
    const begun = await sessions.admit(session, new Date());
    setSessionCookie(request, reply, begun.token, begun.expiresInSeconds);
    for (const mark of [networkOf(request.ip), markBrowser(request, reply)])
      remember(`${accountKey(user.username)} ${mark}`);
    return { session, ...begun };
  }

  function remember(mark: string): void {
    known.delete(mark);
    known.add(mark);
    if (known.size > MAX_KNOWN) for (const oldest of known.keys().take(1)) known.delete(oldest);
  }

  function chainOfCaller(userId: string): string | null {
    const account = accounts.byId(userId);
    return account ? chainOfAccount(account) : null;
  }

  function meOf(account: Account, user: User): MeAnswer {
    const own = callers.sitesOf(user.id);
    const site = own.find(({ id }) => id === account.siteId);
    return {
      ...answerOf(user, site ? account.role : null),
      site: site ? refOf(site) : null,
      sites: own.map((site) => ({ ...refOf(site), role: accounts.roleIn(user.id, site.id) ?? "viewer" })),
      permissions: permissionsOf(account),
      hasPassword: user.passwordHash !== null,
    };
  }
}

/** One key for all spellings that the database may take for one name. */
function accountKey(username: string): string {
  return username.trim().normalize("NFKD").replaceAll(/\p{M}/gu, "").toLowerCase();
}

/** A page elsewhere must not log a browser in as somebody else. */
function refuseOtherSites(request: FastifyRequest): void {
  if (/^(cross|same)-site$/.test(String(request.headers["sec-fetch-site"])))
    throw new HubError("CSRF_HEADER_MISSING", "A log-in must come from the hub's own page, or from a program");
}

function refOf({ id, key, name }: KnownSite): SiteRef {
  return { id, key, name };
}
