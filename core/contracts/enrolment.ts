import { z } from "zod";
import { Inventory } from "./agent.ts";
import { Name } from "./api/common.ts";
import { Key } from "./key.ts";

const JOIN_CODE = /^pbj_([a-z2-7]{26})_([A-Za-z0-9_-]{43})$/;

/** What a person pastes into an agent: a secret that is good for a while, and the fingerprint of the hub's key. */
export interface JoinCode {
  /** 128 random bits in base 32. */
  readonly secret: string;
  /** The RFC 7638 thumbprint (SHA-256, base64url) of the hub's public key. */
  readonly fingerprint: string;
}

export function formatJoinCode(code: JoinCode): string {
  return `pbj_${code.secret}_${code.fingerprint}`;
}

/** Reads a join code; undefined when it is none. */
export function parseJoinCode(text: string): JoinCode | undefined {
  const [, secret, fingerprint] = JOIN_CODE.exec(text.trim()) ?? [];
  return secret && fingerprint ? { secret, fingerprint } : undefined;
}

/** The hub's public key as a JWK (RFC 8037). */
export const HubKey = z.object({ kty: z.literal("OKP"), crv: z.literal("Ed25519"), x: z.string().length(43) });
export type HubKey = z.infer<typeof HubKey>;

/** `POST /api/agents/enrol`. Of the join code only the secret travels. */
export const EnrolRequest = z
  .object({
    secret: z.string().regex(/^[a-z2-7]{26}$/, "is not the secret of a join code"),
    nonce: z.string().min(16).max(64).describe("repeated in the grant, so that an old answer cannot be replayed"),
    name: Name.nullable().describe("null = the host name"),
    inventory: Inventory,
  })
  .strict();
export type EnrolRequest = z.infer<typeof EnrolRequest>;

/** What the hub grants an agent: the payload of a JWS signed by the hub's key. */
export const EnrolGrant = z.object({
  type: z.literal("grant"),
  nonce: z.string(),
  agentId: z.uuid(),
  agent: Key,
  username: z.string(),
  password: z.string().describe("a high-entropy token; shown this once"),
  baseTopic: z.string(),
  mqttUrl: z.string().nullable().describe("null = `/mqtt` on the address that the agent joined at"),
  mqttCa: z
    .string()
    .nullable()
    .default(null)
    .describe("who may have signed the broker's certificate (PEM); null = those that the agent's machine knows"),
});
export type EnrolGrant = z.infer<typeof EnrolGrant>;

/** The agent checks that the key fits its code's fingerprint, then the signature, then the nonce. */
export const EnrolAnswer = z.object({ hubKey: HubKey, grant: z.string().describe("a compact JWS of an EnrolGrant") });
export type EnrolAnswer = z.infer<typeof EnrolAnswer>;
