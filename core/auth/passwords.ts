import argon2 from "argon2";
import bcrypt from "bcrypt";
import { HubError } from "../kernel/errors.ts";

/** argon2id as OWASP recommends it (19 MiB, 2 passes): about 25 ms on a thread of its own. */
const OPTIONS = { type: argon2.argon2id, memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;

/** So many at a time, so that a flood of logins leaves threads for everything else. */
const AT_A_TIME = 2;
const MAX_WAITING = 100;

let running = 0;
const waiting: (() => void)[] = [];

export function hashPassword(password: string): Promise<string> {
  return inTurn(() => argon2.hash(password, OPTIONS));
}

/** @param hash argon2id, or bcrypt of an imported account. */
export function verifyPassword(hash: string, password: string): Promise<boolean> {
  return inTurn(() =>
    isBcrypt(hash) ? bcrypt.compare(password, hash.replace("$2y$", "$2b$")) : argon2.verify(hash, password),
  );
}

/** Whether a hash came from elsewhere, and is to be replaced by ours as soon as the password is known. */
export function isBcrypt(hash: string): boolean {
  return /^\$2[aby]\$/.test(hash);
}

/** A hash that no password fits, to take the same time for a user that does not exist or has no password. */
let nobody: Promise<string> | undefined;
export async function verifyNobody(password: string): Promise<false> {
  nobody ??= hashPassword("no password has this hash");
  await verifyPassword(await nobody, password);
  return false;
}

/** @throws HubError INVALID_INPUT naming the field. */
export function checkPassword(password: string, minLength: number): void {
  if (password.length < minLength)
    throw new HubError("INVALID_INPUT", `The password needs at least ${minLength} characters`, { field: "password" });
}

async function inTurn<T>(work: () => Promise<T>): Promise<T> {
  if (running >= AT_A_TIME) {
    if (waiting.length >= MAX_WAITING)
      throw new HubError("TOO_MANY_REQUESTS", "Too many logins at the moment; try again shortly");
    await new Promise<void>((resolve) => waiting.push(resolve));
  }
  running++;
  try {
    return await work();
  } finally {
    running--;
    waiting.shift()?.();
  }
}
