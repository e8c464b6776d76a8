import {
  ResponseBodyError,
  WWWAuthenticateChallengeError,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  calculatePKCECodeChallenge,
  fetchUserInfo,
  randomNonce,
  randomPKCECodeVerifier,
  randomState,
} from "openid-client";
import type { DiscoveredProvider } from "./discoveries.ts";
import type { Flow } from "./flows.ts";
import { SignOnRefusal } from "./sign-on-refusal.ts";

/** The hub's clock may be behind the provider's by so much. */
const TOLERANCE_MS = 60_000;

/** Begins a flow. @returns it, and where the browser goes on. */
export async function beginFlow(
  { configuration }: DiscoveredProvider,
  scopes: readonly string[],
  start: Pick<Flow, "providerId" | "redirectUri" | "returnTo" | "link">,
): Promise<{ flow: Flow; url: string }> {
  const flow = { ...start, state: randomState(), nonce: randomNonce(), verifier: randomPKCECodeVerifier() };
  const url = buildAuthorizationUrl(configuration, {
    redirect_uri: flow.redirectUri,
    scope: [...new Set(["openid", ...scopes])].join(" "),
    state: flow.state,
    nonce: flow.nonce,
    code_challenge: await calculatePKCECodeChallenge(flow.verifier),
    code_challenge_method: "S256",
  });
  return { flow, url: url.href };
}

/**
 * Who came back from the provider: the claims of the ID token and, below them, those of the userinfo endpoint. No token is
 * kept.
 *
 * @param search of the callback's address.
 * Fails with SignOnRefusal and with the errors of openid-client.
 */
export async function finishFlow(
  provider: DiscoveredProvider,
  flow: Flow,
  search: string,
  now: Date,
): Promise<Record<string, unknown>> {
  const { configuration } = provider;
  const answer = new URL(search, flow.redirectUri);
  const checks = { expectedState: flow.state, expectedNonce: flow.nonce, pkceCodeVerifier: flow.verifier };
  const redeem = () => authorizationCodeGrant(configuration, answer, { ...checks, idTokenExpected: true });
  const tokens = await redeem().catch((error: unknown) => {
    if (!isClientRefused(error)) throw error;
    provider.showSecretOtherwise();
    return redeem();
  });
  const claims = tokens.claims();
  if (!claims) throw new SignOnRefusal("CLAIM_MISSING", "there is no ID token");
  if (claims.iat * 1_000 > now.getTime() + TOLERANCE_MS)
    throw new SignOnRefusal("CLOCKS_DIFFER", "the ID token was issued in the future");
  if (configuration.serverMetadata().userinfo_endpoint === undefined) return claims;
  return { ...(await fetchUserInfo(configuration, tokens.access_token, claims.sub)), ...claims };
}

/** The provider wants to see the client's secret in another form; the code is not spent. */
function isClientRefused(error: unknown): boolean {
  if (error instanceof ResponseBodyError) return error.error === "invalid_client";
  return error instanceof WWWAuthenticateChallengeError && error.status === 401;
}
