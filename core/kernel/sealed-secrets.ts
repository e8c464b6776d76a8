import { randomBytes } from "node:crypto";
import { CompactEncrypt, compactDecrypt, decodeProtectedHeader } from "jose";
import { keptSecret, replaceSecret } from "./data-folder.ts";

/**
 * Secrets that are needed as they are, such as SSH keys: encrypted with AES-256-GCM by keys that stand in a file and not in the
 * database. Each is bound to the row that it belongs to.
 *
 * The file holds a key a line, `<id> <32 bytes in base64url>`; the first one seals, all open. It is read anew each time: secrets
 * are needed seldom, and the operator may have changed the key meanwhile.
 */
export class SealedSecrets {
  readonly #dataDir: string;
  readonly #file: string;

  constructor(dataDir: string, file = "device-secret-keys") {
    this.#dataDir = dataDir;
    this.#file = file;
  }

  /** @param rowId the row that the secret belongs to; nobody can move it to another. */
  async seal(rowId: string, secret: object): Promise<string> {
    const [active] = this.#keys();
    if (!active) throw new Error(`${this.#file} holds no key`);
    return await new CompactEncrypt(new TextEncoder().encode(JSON.stringify(secret)))
      .setProtectedHeader({ alg: "dir", enc: "A256GCM", kid: active.id, sub: rowId })
      .encrypt(active.secret);
  }

  /** @throws Error where the row comes from a database of another data folder, or was changed. */
  async open(rowId: string, sealed: string): Promise<unknown> {
    const { kid } = decodeProtectedHeader(sealed);
    const key = this.#keys().find(({ id }) => id === kid);
    if (!key) throw new Error("this secret was sealed with a key that is not there any more");
    const { plaintext, protectedHeader } = await compactDecrypt(sealed, key.secret);
    if (protectedHeader["sub"] !== rowId) throw new Error("this secret belongs to another row");
    return JSON.parse(new TextDecoder().decode(plaintext)) as unknown;
  }

  /** Whether it was sealed with the key in use. */
  isCurrent(sealed: string): boolean {
    return decodeProtectedHeader(sealed).kid === this.#keys()[0]?.id;
  }

  /** Puts a new key in use; the others still open what they sealed. */
  addKey(): void {
    replaceSecret(this.#dataDir, this.#file, [newKey(), ...this.#lines()].join("\n"));
  }

  /** Forgets all keys but the one in use: call it when everything is sealed with that one. */
  dropOldKeys(): void {
    replaceSecret(this.#dataDir, this.#file, this.#lines().slice(0, 1).join("\n"));
  }

  #lines(): string[] {
    return keptSecret(this.#dataDir, this.#file, newKey).split("\n").filter(Boolean);
  }

  #keys(): { readonly id: string; readonly secret: Uint8Array }[] {
    return this.#lines().map((line) => {
      const [id = "", secret = ""] = line.split(" ");
      return { id, secret: Buffer.from(secret, "base64url") };
    });
  }
}

function newKey(): string {
  return `${randomBytes(6).toString("hex")} ${randomBytes(32).toString("base64url")}`;
}
