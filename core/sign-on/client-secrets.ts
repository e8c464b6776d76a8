import { CompactEncrypt, compactDecrypt } from "jose";

/**
 * Keeps the secrets that the hub shares with providers: unlike passwords they are needed as they are, so they are encrypted
 * with a key that is not in the database (AES-256-GCM). A secret is bound to its provider's row.
 */
export class ClientSecrets {
  readonly #key: Uint8Array;

  /** @param key 32 bytes in base64url. */
  constructor(key: string) {
    this.#key = Buffer.from(key, "base64url");
  }

  seal(providerId: string, secret: string): Promise<string> {
    return new CompactEncrypt(new TextEncoder().encode(secret))
      .setProtectedHeader({ alg: "dir", enc: "A256GCM", kid: providerId })
      .encrypt(this.#key);
  }

  /** Fails where the row comes from a database of another data folder, or was changed. */
  async open(providerId: string, sealed: string): Promise<string> {
    const { plaintext, protectedHeader } = await compactDecrypt(sealed, this.#key);
    if (protectedHeader.kid !== providerId) throw new Error("this client secret belongs to another provider");
    return new TextDecoder().decode(plaintext);
  }
}
