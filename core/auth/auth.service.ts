import { randomUUID } from "node:crypto";
import type { EntityManager } from "@mikro-orm/postgresql";
import type { SetupInit, UserAnswer } from "#contracts/api/accounts.ts";
import { HubError } from "../kernel/errors.ts";
import { equalHashes, hashToken } from "../kernel/tokens.ts";
import { hashPassword, verifyNobody, verifyPassword } from "./passwords.ts";
import { User } from "./user.entity.ts";

/** Any number will do: it lets one set-up through at a time. */
const SETUP_LOCK = 0x50_42_53_55;

export async function isSetUp(em: EntityManager): Promise<boolean> {
  return (await em.count(User)) > 0;
}

/**
 * Makes the first superuser. Of several calls at the same moment one wins.
 *
 * @throws HubError SETUP_COMPLETE, BAD_SETUP_CODE, INVALID_INPUT (password)
 */
export async function setUp(
  em: EntityManager,
  input: SetupInit,
  rules: { setupCode: string; passwordMinLength: number },
  now: Date,
): Promise<User> {
  if (await isSetUp(em)) throw new HubError("SETUP_COMPLETE", "This hub is set up already");
  if (!equalHashes(hashToken(input.setupCode.trim()), hashToken(rules.setupCode))) {
    throw new HubError("BAD_SETUP_CODE", "The set-up code is not the one in the hub's log", { field: "setupCode" });
  }
  checkPassword(input.password, rules.passwordMinLength);
  const passwordHash = await hashPassword(input.password);
  return await em.transactional(async (em) => {
    await em.execute("select pg_advisory_xact_lock(?)", [SETUP_LOCK]);
    if (await isSetUp(em)) throw new HubError("SETUP_COMPLETE", "This hub is set up already");
    return em.create(User, {
      id: randomUUID(),
      username: input.username,
      email: input.email,
      fullName: input.fullName,
      role: "superuser",
      enabled: true,
      passwordHash,
      createdAt: now,
      lastLoginAt: null,
    });
  });
}

/** @throws HubError BAD_CREDENTIALS, the same for an unknown user, a wrong password and a disabled account. */
export async function logIn(em: EntityManager, username: string, password: string, now: Date): Promise<User> {
  const user = await em.findOne(User, { username: { $ilike: escapeLike(username.trim()) } });
  const fits = user ? await verifyPassword(user.passwordHash, password) : await verifyNobody(password);
  if (!user && !(await isSetUp(em)))
    throw new HubError("SETUP_REQUIRED", "This hub is not set up yet; its log has the code");
  if (!user || !fits || !user.enabled) throw new HubError("BAD_CREDENTIALS", "The user name or the password is wrong");
  user.lastLoginAt = now;
  await em.flush();
  return user;
}

export function answerOf(user: User): UserAnswer {
  return {
    id: user.id,
    username: user.username,
    email: user.email ?? null,
    fullName: user.fullName ?? null,
    role: user.role,
    enabled: user.enabled,
    createdAt: user.createdAt.toISOString(),
    lastLoginAt: user.lastLoginAt?.toISOString() ?? null,
  };
}

function checkPassword(password: string, minLength: number): void {
  if (password.length < minLength) {
    throw new HubError("INVALID_INPUT", `The password needs at least ${minLength} characters`, { field: "password" });
  }
}

/** The user name is compared without regard to case, never as a pattern. */
function escapeLike(text: string): string {
  return text.replaceAll(/[\\%_]/g, String.raw`\$&`);
}
