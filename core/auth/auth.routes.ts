import type { CookieSerializeOptions } from "@fastify/cookie";
import type { FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { Login, LoginAnswer, SetupInit, SetupStatus, UserAnswer } from "#contracts/api/accounts.ts";
import type { App } from "../kernel/routes.ts";
import { HubError } from "../kernel/errors.ts";
import { answerOf, isSetUp, logIn, setUp } from "./auth.service.ts";
import type { Sessions } from "./sessions.ts";
import { User } from "./user.entity.ts";

export const SESSION_COOKIE = "pb_session";

export interface AuthRoutes {
  readonly sessions: Sessions;
  readonly setupCode: string;
  readonly passwordMinLength: number;
}

/** Guessing is slow: so many tries a minute from one address, and at one account from everywhere. */
const GUESSES_A_MINUTE = 10;
const guarded = { rateLimit: { max: GUESSES_A_MINUTE, timeWindow: "1 minute" } } as const;

export function authRoutes(app: App, { sessions, setupCode, passwordMinLength }: AuthRoutes): void {
  const limitByName = app.createRateLimit({
    max: GUESSES_A_MINUTE,
    timeWindow: "1 minute",
    keyGenerator: (request) => `log-in ${Login.parse(request.body).username.trim().toLowerCase()}`,
  });

  app.get(
    "/setup/status",
    {
      config: { permission: "public" },
      schema: { summary: "Does the hub have its first account?", response: { 200: SetupStatus } },
    },
    async (request) => ({
      complete: await isSetUp(request.em),
    }),
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
      const user = await setUp(request.em, request.body, { setupCode, passwordMinLength }, new Date());
      return reply.code(201).send(answerOf(user));
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
      const guess = await limitByName(request);
      if (!guess.isAllowed && guess.isExceeded) {
        void reply.header("retry-after", guess.ttlInSeconds);
        throw new HubError("TOO_MANY_REQUESTS", "Too many log-ins of this account; wait a minute");
      }
      const user = await logIn(request.em, request.body.username, request.body.password, new Date());
      const client = { address: request.ip, userAgent: request.headers["user-agent"] ?? null };
      const { token, expiresInSeconds } = await sessions.begin(request.em, user, client, new Date());
      setCookie(request, reply, token, expiresInSeconds);
      return { access_token: token, token_type: "bearer" as const, expires_in: expiresInSeconds, user: answerOf(user) };
    },
  );

  app.post(
    "/auth/logout",
    { config: { permission: "self" }, schema: { summary: "End this session", response: { 204: z.null() } } },
    async (request, reply) => {
      await sessions.end(request.em, request.account.sessionId);
      return reply.clearCookie(SESSION_COOKIE, { path: "/" }).code(204).send(null);
    },
  );

  app.get(
    "/auth/me",
    { config: { permission: "self" }, schema: { summary: "The account that calls", response: { 200: UserAnswer } } },
    async (request) => {
      const user = await request.em.findOne(User, { id: request.account.userId });
      if (!user) throw new HubError("UNAUTHENTICATED", "This account is gone");
      return answerOf(user);
    },
  );
}

function setCookie(request: FastifyRequest, reply: FastifyReply, token: string, maxAge: number): void {
  const options: CookieSerializeOptions = {
    path: "/",
    httpOnly: true,
    sameSite: "lax",
    secure: request.protocol === "https",
    maxAge,
  };
  void reply.setCookie(SESSION_COOKIE, token, options);
}
