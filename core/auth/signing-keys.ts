import { createHash } from "node:crypto";
import { keptSecret, replaceSecret } from "../kernel/data-folder.ts";
import { randomSecret } from "../kernel/tokens.ts";

/** The keys that sign and check session tokens: the first signs, both count, so that a new one ends nobody's session. */
export interface SigningKeys {
  readonly current: SigningKey;
  byId(id: string): SigningKey | undefined;
}

export interface SigningKey {
  /** The `kid` of a token: it tells keys apart and nothing about them. */
  readonly id: string;
  readonly secret: Uint8Array;
}

const FILE = "jwt-secret";

/**
 * Secrets from the settings, else from the data folder, where the first start makes one.
 *
 * @param settings `JWT_SECRET` and `JWT_SECRET_PREVIOUS`.
 */
export function openSigningKeys(
  dataDir: string,
  settings: { readonly secret: string | null; readonly previousSecret: string | null },
): SigningKeys {
  const secrets =
    settings.secret === null
      ? keptSecret(dataDir, FILE).split("\n")
      : [settings.secret, ...(settings.previousSecret === null ? [] : [settings.previousSecret])];
  const [current, previous] = secrets.slice(0, 2).map(keyOf);
  if (!current) throw new Error("there is always one signing key");
  return { current, byId: (id) => [current, previous].find((key) => key?.id === id) };
}

/**
 * Puts a new key before the one in use, which goes on to count; the one before that does not any more. The hub takes it up
 * at its next start.
 */
export function rotateSigningKeys(dataDir: string): void {
  const [current = ""] = keptSecret(dataDir, FILE).split("\n");
  replaceSecret(dataDir, FILE, `${randomSecret()}${randomSecret()}\n${current}`);
}

function keyOf(secret: string): SigningKey {
  const id = createHash("sha256").update(`kid ${secret}`).digest("base64url").slice(0, 12);
  return { id, secret: new TextEncoder().encode(secret) };
}
