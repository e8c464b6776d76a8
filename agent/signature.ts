import { calculateJwkThumbprint, compactVerify, importJWK } from "jose";
import type { HubKey } from "#contracts/enrolment.ts";

const COMPACT_JWS = /^eyJ[\w-]*\.[\w-]+\.[\w-]+$/;

/** Opens a compact JWS and returns its payload. Rejects when it was not signed by the hub. */
export type OpenSigned = (jws: string) => Promise<unknown>;

/** The RFC 7638 thumbprint (SHA-256, base64url) of a hub's key. */
export function fingerprintOf(hubKey: HubKey): Promise<string> {
  return calculateJwkThumbprint(hubKey, "sha256");
}

/** Accepts what this key signed (EdDSA, RFC 8037) and what names it as `kid`, and nothing else. */
export async function signedBy(hubKey: HubKey): Promise<OpenSigned> {
  const key = await importJWK(hubKey, "EdDSA");
  const kid = await fingerprintOf(hubKey);
  return async (jws) => {
    const { payload, protectedHeader } = await compactVerify(jws, key, { algorithms: ["EdDSA"] });
    if (protectedHeader.kid !== kid) throw new Error("The signature names another key");
    return JSON.parse(new TextDecoder().decode(payload));
  };
}

/** Whether a payload claims to be signed; wake requests share the topic of wake orders and do not. */
export function looksSigned(payload: string): boolean {
  return COMPACT_JWS.test(payload);
}
