import { CompactSign, calculateJwkThumbprint } from "jose";
import { generateKeyPairSync, webcrypto } from "node:crypto";
import type { HubKey } from "#contracts/enrolment.ts";
import { keptSecret } from "./data-folder.ts";

/** The key that signs orders and grants: Ed25519, made at the first start, kept in the data folder. */
export interface HubSigner {
  readonly publicKey: HubKey;
  /** The RFC 7638 thumbprint of the public key: `kid` of every signature, and the fingerprint in join codes. */
  readonly fingerprint: string;
  /** A compact JWS (EdDSA) of the claims. */
  sign(claims: object): Promise<string>;
}

export async function openHubKey(dataDir: string): Promise<HubSigner> {
  const kept = keptSecret(dataDir, "hub-key.json", () =>
    JSON.stringify(generateKeyPairSync("ed25519").privateKey.export({ format: "jwk" })),
  );
  const { kty, crv, x, d } = JSON.parse(kept) as HubKey & { d: string };
  const publicKey: HubKey = { kty, crv, x };
  const privateKey = await webcrypto.subtle.importKey("jwk", { kty, crv, x, d }, "Ed25519", false, ["sign"]);
  const fingerprint = await calculateJwkThumbprint(publicKey);
  const header = { alg: "EdDSA", kid: fingerprint };
  const encoder = new TextEncoder();
  return {
    publicKey,
    fingerprint,
    sign: (claims) =>
      new CompactSign(encoder.encode(JSON.stringify(claims))).setProtectedHeader(header).sign(privateKey),
  };
}
