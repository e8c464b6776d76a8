import type { FastifyReply, FastifyRequest } from "fastify";
import { randomBytes } from "node:crypto";
import { hashToken } from "../kernel/tokens.ts";

export const SESSION_COOKIE = "pb_session";
/** Marks a browser that logged in before, so that strangers who guess elsewhere do not stand in its way. */
const BROWSER_COOKIE = "pb_browser";
const BROWSER_MAX_AGE_SECONDS = 365 * 24 * 3_600;

/** The browser keeps the session's token where no script can read it. */
export function setSessionCookie(request: FastifyRequest, reply: FastifyReply, token: string, maxAge: number): void {
  void reply.setCookie(SESSION_COOKIE, token, { ...options(request), maxAge });
}

export function clearSessionCookie(reply: FastifyReply): void {
  void reply.clearCookie(SESSION_COOKIE, { path: "/" });
}

/** The mark of the calling browser as its hash; undefined when it has none. */
export function browserOf(request: FastifyRequest): string | undefined {
  const mark = request.cookies[BROWSER_COOKIE];
  return mark === undefined ? undefined : hashToken(mark);
}

/** Gives the browser a mark, unless it has one. @returns its hash. */
export function markBrowser(request: FastifyRequest, reply: FastifyReply): string {
  const mark = request.cookies[BROWSER_COOKIE] ?? randomBytes(16).toString("base64url");
  void reply.setCookie(BROWSER_COOKIE, mark, {
    ...options(request),
    path: "/api/auth",
    maxAge: BROWSER_MAX_AGE_SECONDS,
  });
  return hashToken(mark);
}

function options(request: FastifyRequest) {
  return { path: "/", httpOnly: true, sameSite: "lax", secure: request.protocol === "https" } as const;
}
