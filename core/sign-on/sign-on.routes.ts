import { networkOf } from "#contracts/network.ts";
import type { FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import type { SignOnProblem } from "#contracts/sign-on-problems.ts";
import { chainOfAccount, refreshAccount } from "../auth/accounts.ts";
import { beginSession } from "../auth/auth.service.ts";
import type { Provider } from "../auth/provider.entity.ts";
import { setSessionCookie } from "../auth/session-cookie.ts";
import type { User } from "../auth/user.entity.ts";
import type { Account, App } from "../kernel/routes.ts";
import { DEFAULT_SITE } from "../sites/sites.ts";
import { finishFlow } from "./exchange.ts";
import type { Flow } from "./flows.ts";
import { profileOf } from "./profile.rules.ts";
import { enabledProvider } from "./providers.service.ts";
import { localPath } from "./return-to.rules.ts";
import { SignOnRefusal, problemOf, reasonsOf } from "./sign-on-refusal.ts";
import { type Arrival, type SignOnContext, accountOf, linkIdentity } from "./sign-on.service.ts";
import { FLOW_COOKIE, type SignOn, clearFlowCookie, discovered, sendToProvider } from "./sign-on.ts";

/** Starts and ends of log-ins that one address may have in a minute, together. */
const STEPS_A_MINUTE = 20;

const LoginQuery = z.object({ returnTo: z.string().optional().catch(undefined).describe("a path of the page") });

/** Log-ins by a provider. Browsers walk through these two routes, so every failure is a sentence on the page. */
export function signOnRoutes(app: App, signOn: SignOn): void {
  const { database, accounts, sessions, sites, flows } = signOn;
  const limit = app.createRateLimit({
    max: STEPS_A_MINUTE,
    timeWindow: "1 minute",
    keyGenerator: (request) => `sign-on ${networkOf(request.ip)}`,
  });

  app.get(
    "/auth/login/oauth",
    {
      config: { permission: "public" },
      schema: { summary: "Log in by the provider", querystring: LoginQuery, response: { 302: z.null() } },
    },
    async (request, reply) => {
      void reply.header("cache-control", "no-store");
      const provider = await enabledProvider(database.fork());
      try {
        await refuseFlood(request);
        const start = { returnTo: localPath(request.query.returnTo), link: null };
        return await reply.redirect(await sendToProvider(signOn, provider, { request, reply }, start));
      } catch (error) {
        return await reply.redirect(placeFor(refused(request, provider, error, undefined), undefined));
      }
    },
  );

  app.get(
    "/auth/callback",
    {
      config: { permission: "public", knowsCaller: true },
      schema: { summary: "Where the provider sends browsers back to", response: { 302: z.null() } },
    },
    async (request, reply) => {
      void reply.header("cache-control", "no-store");
      const provider = await enabledProvider(database.fork());
      const cookie = request.cookies[FLOW_COOKIE];
      clearFlowCookie(reply);
      let flow: Flow | undefined;
      try {
        await refuseFlood(request);
        flow = cookie === undefined ? undefined : await flows.finish(cookie, new Date());
        const arrival = await arrivalOf(request, provider, flow);
        if (arrival.flow.link) await link(request, arrival, arrival.flow.link);
        else await logIn(request, reply, arrival);
        return await reply.redirect(arrival.flow.returnTo);
      } catch (error) {
        return await reply.redirect(placeFor(refused(request, provider, error, flow), flow));
      }
    },
  );

  async function refuseFlood(request: FastifyRequest): Promise<void> {
    const step = await limit(request);
    if (!step.isAllowed && step.isExceeded) throw new SignOnRefusal("TOO_MANY_TRIES");
  }

  /** Who comes back with the provider's answer. */
  async function arrivalOf(request: FastifyRequest, provider: Provider, flow: Flow | undefined) {
    if (flow?.providerId !== provider.id) throw new SignOnRefusal("FLOW_EXPIRED");
    const { search, searchParams } = new URL(request.url, flow.redirectUri);
    const states = searchParams.getAll("state");
    if (states.length !== 1 || states[0] !== flow.state) throw new SignOnRefusal("STATE_MISMATCH");
    const claims = await finishFlow(await discovered(signOn, provider), flow, search, new Date());
    return { provider, flow, claims, profile: profileOf(claims, provider) };
  }

  async function logIn(request: FastifyRequest, reply: FastifyReply, arrival: Arrival): Promise<void> {
    const now = new Date();
    const { provider } = arrival;
    const em = database.fork();
    const user = await accountOf(contextOf(request), arrival, now);
    const account = await refreshAccount(em, accounts, user.id);
    const trail = signOn.trailOf(user, request).in(account ? chainOfAccount(account) : null);
    const client = { address: request.ip, userAgent: request.headers["user-agent"] ?? null, providerId: provider.id };
    const details = { provider: provider.name };
    const session = await beginSession({ em, sessions, trail }, user, { client, details }, now);
    const { token, expiresInSeconds } = await sessions.admit(session, now);
    setSessionCookie(request, reply, token, expiresInSeconds);
  }

  async function link(request: FastifyRequest, arrival: Arrival, { userId, sessionId }: NonNullable<Flow["link"]>) {
    const caller = request.account as Account | undefined; // the route is public
    if (caller?.sessionId !== sessionId || caller.userId !== userId) throw new SignOnRefusal("SESSION_ENDED");
    await linkIdentity(contextOf(request), userId, arrival, new Date());
  }

  function contextOf(request: FastifyRequest): SignOnContext {
    const trailOf = (user: User) => {
      const account = accounts.byId(user.id);
      return signOn.trailOf(user, request).in(account ? chainOfAccount(account) : null);
    };
    const defaultSiteId = sites.byKey(DEFAULT_SITE)?.id;
    if (defaultSiteId === undefined) throw new Error("there is always the default site");
    return { em: database.fork(), trailOf, defaultSiteId };
  }

  function refused(request: FastifyRequest, provider: Provider, error: unknown, flow: Flow | undefined): SignOnProblem {
    const problem = problemOf(error);
    if (problem === "HUB_TROUBLE") request.log.error({ err: error }, "a log-in by a provider failed");
    else
      request.log.warn(
        { problem, reason: reasonsOf(error), address: request.ip },
        "a log-in by a provider was refused",
      );
    request.trail.note({
      action: flow?.link ? "identity.link" : "session.login",
      target: { type: "provider", id: provider.id, name: provider.name },
      result: "refused",
      reason: problem,
    });
    return problem;
  }
}

/** Where a browser is told that it came to nothing: where a link was begun, else at the log-in. */
function placeFor(problem: SignOnProblem, flow: Flow | undefined): string {
  const page = flow?.link && problem !== "SESSION_ENDED" ? flow.returnTo : "/login";
  return `${page}?problem=${problem}`;
}
