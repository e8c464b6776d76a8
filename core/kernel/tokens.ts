import { createHash, randomBytes, timingSafeEqual } from "node:crypto";

/**
 * High-entropy tokens: machine credentials, join codes. They need no slow hash, so one SHA-256 checks them.
 */

const BASE32 = "abcdefghijklmnopqrstuvwxyz234567";

/** 128 random bits in 26 characters that survive being read aloud. */
export function randomSecret(): string {
  let bits = 0n;
  for (const byte of randomBytes(17)) bits = (bits << 8n) | BigInt(byte);
  let text = "";
  for (let i = 0; i < 26; i++) {
    text += BASE32[Number(bits & 31n)];
    bits >>= 5n;
  }
  return text;
}

/** The SHA-256 of a token in hexadecimal: what the database keeps. */
export function hashToken(token: string | Buffer): string {
  return createHash("sha256").update(token).digest("hex");
}

/** Compares two hashes of equal length in constant time. */
export function equalHashes(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
}
