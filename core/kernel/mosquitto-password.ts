import { createHmac, pbkdf2, randomBytes } from "node:crypto";
import { promisify } from "node:util";

const derive = promisify(pbkdf2);

/** What `mosquitto_passwd` of Mosquitto 2 uses. Our passwords are high-entropy tokens, which more rounds would not make safer. */
const ITERATIONS = 101;
const SALT_BYTES = 12;
const HASH_BYTES = 64;

/**
 * A password as Mosquitto keeps it: `$7$<iterations>$<salt>$<PBKDF2-HMAC-SHA512>`, both in base64.
 *
 * @see mosquitto 2.0, `apps/mosquitto_passwd/mosquitto_passwd.c` and `src/security_default.c`
 */
export async function mosquittoHash(password: string, salt: Buffer = randomBytes(SALT_BYTES)): Promise<string> {
  const hash = await derive(password, salt, ITERATIONS, HASH_BYTES, "sha512");
  return `$7$${ITERATIONS}$${salt.toString("base64")}$${hash.toString("base64")}`;
}

/** A salt that is the same for the same password, so that a file does not change each time it is made anew. */
export function lastingSalt(secret: string, password: string): Buffer {
  return createHmac("sha256", secret).update(password).digest().subarray(0, SALT_BYTES);
}
