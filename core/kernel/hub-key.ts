import { calculateJwkThumbprint } from "jose";
import { createPrivateKey, generateKeyPairSync, sign } from "node:crypto";
import type { HubKey } from "#contracts/enrolment.ts";
import { keptSecret } from "./data-folder.ts";

/** The key that signs orders and grants: Ed25519, made at the first start, kept in the data folder. */
export interface HubSigner {
  readonly publicKey: HubKey;
  /** The RFC 7638 thumbprint of the public key: `kid` of every signature, and the fingerprint in join codes. */
  readonly fingerprint: string;
  /** A compact JWS (EdDSA) of the claims. */
  sign(claims: object): string;
}

export async function openHubKey(dataDir: string): Promise<HubSigner> {
  const kept = keptSecret(dataDir, "hub-key.json", () =>
    JSON.stringify(generateKeyPairSync("ed25519").privateKey.export({ format: "jwk" })),
  );
  const { kty, crv, x, d } = JSON.parse(kept) as HubKey & { d: string };
  const publicKey: HubKey = { kty, crv, x };
  const privateKey = createPrivateKey({ key: { kty, crv, x, d }, format: "jwk" });
  const fingerprint = await calculateJwkThumbprint(publicKey);
  const header = base64url(JSON.stringify({ alg: "EdDSA", kid: fingerprint }));
  return {
    publicKey,
    fingerprint,
    // in this thread: it takes a tenth of a millisecond, and the way to another thread and back takes longer
    sign: (claims) => {
      const signed = `${header}.${base64url(JSON.stringify(claims))}`;
      return `${signed}.${sign(null, Buffer.from(signed), privateKey).toString("base64url")}`;
    },
  };
}

function base64url(text: string): string {
  return Buffer.from(text).toString("base64url");
}
