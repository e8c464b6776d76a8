import type { FastifyReply, FastifyRequest } from "fastify";
import type { Logger } from "pino";
import { buildEndSessionUrl } from "openid-client";
import type { Accounts } from "../auth/accounts.ts";
import { Provider } from "../auth/provider.entity.ts";
import type { LiveSession, Sessions } from "../auth/sessions.ts";
import type { Database } from "../kernel/database.ts";
import { createOutbound } from "../kernel/outbound.ts";
import type { Trail } from "../kernel/trail.ts";
import type { Sites } from "../sites/sites.ts";
import { ClientSecrets } from "./client-secrets.ts";
import { type DiscoveredProvider, Discoveries } from "./discoveries.ts";
import { beginFlow } from "./exchange.ts";
import { FLOW_SECONDS, type Flow, Flows } from "./flows.ts";
import { accessOf } from "./providers.service.ts";
import { publicAddresses } from "./public-address.ts";
import { reasonsOf } from "./sign-on-refusal.ts";

/** What log-ins by a provider need of the hub. */
export interface SignOn {
  readonly database: Database;
  readonly accounts: Accounts;
  readonly sessions: Sessions;
  readonly sites: Sites;
  readonly discoveries: Discoveries;
  readonly secrets: ClientSecrets;
  readonly flows: Flows;
  readonly publicUrl: string | null;
  /** The audit log under the name of somebody who has just logged in. */
  readonly trailOf: (user: { id: string; username: string }, request: FastifyRequest) => Trail;
  readonly log: Logger;
}

/** @param secretKey encrypts the secrets of clients: 32 bytes in base64url. */
export function openSignOn(
  hub: Omit<SignOn, "discoveries" | "secrets" | "flows">,
  { outboundAllowed, secretKey }: { outboundAllowed: readonly string[]; secretKey: string },
): SignOn {
  const discoveries = new Discoveries(createOutbound({ allowed: outboundAllowed }));
  return { ...hub, discoveries, secrets: new ClientSecrets(secretKey), flows: new Flows() };
}

export const FLOW_COOKIE = "pb_sign_on";
const COOKIE_PATH = "/api/auth";

export async function discovered({ discoveries, secrets }: SignOn, provider: Provider): Promise<DiscoveredProvider> {
  return await discoveries.of(await accessOf(provider, secrets));
}

/** Gives the browser the cookie of a new flow. @returns where it goes on. */
export async function sendToProvider(
  signOn: SignOn,
  provider: Provider,
  { request, reply }: { request: FastifyRequest; reply: FastifyReply },
  start: Pick<Flow, "returnTo" | "link">,
): Promise<string> {
  const { redirectUri } = publicAddresses(request, signOn.publicUrl);
  const known = await discovered(signOn, provider);
  const { flow, url } = await beginFlow(known, provider.scopes, { ...start, providerId: provider.id, redirectUri });
  void reply.setCookie(FLOW_COOKIE, await signOn.flows.seal(flow, new Date()), {
    path: COOKIE_PATH,
    httpOnly: true,
    sameSite: "lax", // the provider's answer is a navigation from elsewhere
    secure: request.protocol === "https",
    maxAge: FLOW_SECONDS,
  });
  return url;
}

export function clearFlowCookie(reply: FastifyReply): void {
  void reply.clearCookie(FLOW_COOKIE, { path: COOKIE_PATH });
}

/**
 * Where a browser goes on to end its session at the provider, too; null where there is no such place. No token stands in it,
 * so the provider asks the person whether that is meant.
 *
 * @see OpenID Connect RP-Initiated Logout 1.0 §2
 */
export async function logoutUrl(signOn: SignOn, session: LiveSession, request: FastifyRequest): Promise<string | null> {
  if (session.providerId === null) return null;
  try {
    const provider = await signOn.database.fork().findOne(Provider, { id: session.providerId });
    if (!provider?.enabled) return null;
    const { configuration } = await discovered(signOn, provider);
    if (configuration.serverMetadata().end_session_endpoint === undefined) return null;
    const { logoutRedirectUri } = publicAddresses(request, signOn.publicUrl);
    return buildEndSessionUrl(configuration, { post_logout_redirect_uri: logoutRedirectUri }).href;
  } catch (error) {
    signOn.log.warn(
      { reason: reasonsOf(error) },
      "the session at the provider goes on: it cannot be asked how to end it",
    );
    return null;
  }
}
