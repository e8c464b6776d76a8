import type { FastifyRequest } from "fastify";

/** Addresses of the hub that a provider sends browsers to. They must be entered there. */
export interface PublicAddresses {
  readonly redirectUri: string;
  readonly logoutRedirectUri: string;
}

/** @param publicUrl `PUBLIC_URL`; without it the hub is where it was asked. */
export function publicAddresses(request: FastifyRequest, publicUrl: string | null): PublicAddresses {
  const origin = publicUrl === null ? `${request.protocol}://${request.host}` : new URL(publicUrl).origin;
  return { redirectUri: `${origin}/api/auth/callback`, logoutRedirectUri: `${origin}/login` };
}
