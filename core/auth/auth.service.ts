import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { type EntityManager, LockMode } from "@mikro-orm/postgresql";
import type { MeChange, SetupInit, UserAnswer } from "#contracts/api/accounts.ts";
import type { Role } from "#contracts/permissions.ts";
import type { SignOnChange } from "#contracts/api/sign-on.ts";
import { HubError } from "../kernel/errors.ts";
import { equalHashes, hashToken } from "../kernel/tokens.ts";
import type { Trail } from "../kernel/trail.ts";
import { checkPassword, hashPassword, isBcrypt, verifyNobody, verifyPassword } from "./passwords.ts";
import type { LiveSession, SessionClient, Sessions } from "./sessions.ts";
import { User } from "./user.entity.ts";

/** Any number will do: it lets one set-up through at a time. */
const SETUP_LOCK = 0x50_42_53_55;

export async function isSetUp(em: EntityManager): Promise<boolean> {
  return (await em.count(User)) > 0;
}

export interface SetupRules {
  readonly setupCode: string;
  readonly passwordMinLength: number;
  /** @throws HubError INVALID_INPUT, before anything is made. */
  readonly saveSignOn: (change: SignOnChange, trail: Trail) => Promise<void>;
}

/**
 * Makes the first superuser. Of several calls at the same moment one wins.
 *
 * @param em the hub's own.
 * @throws HubError SETUP_COMPLETE, BAD_SETUP_CODE, INVALID_INPUT (password)
 */
export async function setUp(
  { em, trail }: { em: EntityManager; trail: Trail },
  input: SetupInit,
  rules: SetupRules,
  now: Date,
): Promise<User> {
  if (await isSetUp(em)) throw new HubError("SETUP_COMPLETE", "This hub is set up already");
  if (!equalHashes(hashToken(input.setupCode.trim()), hashToken(rules.setupCode))) {
    throw new HubError("BAD_SETUP_CODE", "The set-up code is not the one in the hub's log", { field: "setupCode" });
  }
  checkPassword(input.password, rules.passwordMinLength);
  if (input.oidc) await rules.saveSignOn(input.oidc, trail);
  const passwordHash = await hashPassword(input.password);
  return await em.transactional(async (em) => {
    await em.execute("select pg_advisory_xact_lock(?)", [SETUP_LOCK]);
    if (await isSetUp(em)) throw new HubError("SETUP_COMPLETE", "This hub is set up already");
    const { username, email, fullName } = input;
    const user = em.create(User, {
      id: randomUUID(),
      username,
      email,
      fullName,
      superuser: true,
      passwordHash,
      createdAt: now,
    });
    await em.flush();
    await trail.write(em, { action: "hub.setup", target: targetOf(user) });
    return user;
  });
}

/** How long a refusal takes at least. Milliseconds. */
const REFUSAL_MS = 300;
/** What bcrypt with a cost of 12 takes on a slow machine; each step of the cost doubles it. Milliseconds. */
const BCRYPT_12_MS = 1_000;

const HIGHEST_COST = `select max(substr(password_hash, 5, 2))::int as cost from "user" where password_hash like '$2%'`;

/**
 * The time of a refusal tells neither whether the user exists nor how its password is kept: as long as there are hashes
 * from elsewhere, all refusals take as long as the slowest of them.
 */
async function refusalMs(em: EntityManager): Promise<number> {
  const [row] = await em.execute<{ cost: number | null }[]>(HIGHEST_COST);
  return row?.cost ? Math.max(REFUSAL_MS, BCRYPT_12_MS * 2 ** (row.cost - 12)) : REFUSAL_MS;
}

/** @throws HubError BAD_CREDENTIALS, the same for an unknown user, a wrong password and a disabled account. */
export async function checkCredentials(em: EntityManager, username: string, password: string): Promise<User> {
  const startedMs = performance.now();
  const user = await findByName(em, username);
  const hash = user?.passwordHash;
  const fits = hash ? await verifyPassword(hash, password) : await verifyNobody(password);
  if (user && fits && user.enabled) return user;
  if (!user && !(await isSetUp(em)))
    throw new HubError("SETUP_REQUIRED", "This hub is not set up yet; its log has the code");
  const leftMs = startedMs + (await refusalMs(em)) - performance.now();
  await delay(Math.max(0, leftMs), undefined, { ref: false });
  throw badCredentials();
}

function badCredentials(): HubError {
  return new HubError("BAD_CREDENTIALS", "The user name or the password is wrong");
}

/** User names are compared without regard to case, never as a pattern. */
export async function findByName(em: EntityManager, username: string): Promise<User | null> {
  return await em.findOne(User, {
    username: {
      $ilike: username
        .trim()
        .normalize("NFKC")
        .replaceAll(/[\\%_]/g, String.raw`\$&`),
    },
  });
}

/**
 * Writes a login down, with its row in the audit log. A hash that came from elsewhere becomes one of ours.
 *
 * @param user as it was read before the password was checked, which takes a while.
 * @throws HubError BAD_CREDENTIALS when the account was disabled, or its password changed, meanwhile.
 */
export async function beginSession(
  { em, sessions, trail }: { em: EntityManager; sessions: Sessions; trail: Trail },
  user: User,
  login: { client: SessionClient; password?: string; details?: Record<string, unknown> },
  now: Date,
): Promise<LiveSession> {
  const { client, password, details } = login;
  const isForeign = password !== undefined && user.passwordHash && isBcrypt(user.passwordHash);
  const passwordHash = isForeign ? await hashPassword(password) : user.passwordHash;
  let sessionId: string | undefined;
  try {
    return await em.fork().transactional(async (em) => {
      // the lock makes changes of the account come before this log-in, or after the session is there to be ended
      const current = await em.findOne(User, { id: user.id }, { lockMode: LockMode.PESSIMISTIC_WRITE });
      if (!current?.enabled || (password !== undefined && current.passwordHash !== user.passwordHash))
        throw badCredentials();
      Object.assign(current, { lastLoginAt: now, ...(isForeign && { passwordHash }) });
      user.lastLoginAt = now;
      const session = await sessions.create(em, current, client, now);
      sessionId = session.id;
      await trail.write(em, { action: "session.login", target: targetOf(user), ...(details && { details }) });
      return session;
    });
  } catch (error) {
    if (sessionId !== undefined) sessions.forget(sessionId);
    throw error;
  }
}

export interface OwnAccountContext {
  /** The hub's own: accounts are of no site. */
  readonly em: EntityManager;
  readonly trail: Trail;
  readonly passwordMinLength: number;
}

/**
 * Changes the caller's own account. A new password needs the old one, where there is one.
 *
 * @returns whether the password is another now: then the account's other sessions end.
 * @throws HubError WRONG_PASSWORD (currentPassword), INVALID_INPUT (password), DUPLICATE (email)
 */
export async function changeOwnAccount(
  { em, trail, passwordMinLength }: OwnAccountContext,
  userId: string,
  change: MeChange,
): Promise<{ user: User; passwordChanged: boolean }> {
  const { password, currentPassword, email, fullName } = change;
  const user = await findUser(em, userId);
  const former = user.passwordHash;
  if (password !== undefined) {
    checkPassword(password, passwordMinLength);
    if (former && !(await verifyPassword(former, currentPassword ?? "")))
      throw new HubError("WRONG_PASSWORD", "This is not your current password", { field: "currentPassword" });
    if (former && user.mustChangePassword && (await verifyPassword(former, password)))
      throw new HubError("INVALID_INPUT", "Choose another one than the one that you were given", { field: "password" });
  }
  const passwordHash = password === undefined ? undefined : await hashPassword(password);
  const changed = await em.fork().transactional(async (em) => {
    const user = await em.findOneOrFail(User, { id: userId }, { lockMode: LockMode.PESSIMISTIC_WRITE });
    if (email !== undefined) user.email = email;
    if (fullName !== undefined) user.fullName = fullName;
    if (passwordHash !== undefined) {
      // of two changes at once with the same old password, one came too late
      if (user.passwordHash !== former)
        throw new HubError("WRONG_PASSWORD", "The password was changed meanwhile", { field: "currentPassword" });
      Object.assign(user, { passwordHash, mustChangePassword: false });
    }
    await em.flush();
    if (passwordHash !== undefined) await trail.write(em, { action: "user.password", target: targetOf(user) });
    if (email !== undefined || fullName !== undefined)
      await trail.write(em, { action: "user.change", target: targetOf(user), details: { fields: fieldsOf(change) } });
    return user;
  });
  return { user: changed, passwordChanged: passwordHash !== undefined };
}

/** @throws HubError NOT_FOUND */
export async function findUser(em: EntityManager, id: string): Promise<User> {
  const user = await em.findOne(User, { id });
  if (!user) throw new HubError("NOT_FOUND", "There is no such user");
  return user;
}

/** The names of the fields that a change gives, without those that hold secrets. */
export function fieldsOf(change: object): string[] {
  return Object.keys(change).filter((field) => !/password/i.test(field));
}

export function targetOf({ id, username }: { readonly id: string; readonly username: string }) {
  return { type: "user", id, name: username };
}

/** @param role in the site of the call. */
export function answerOf(user: User, role: Role | null): UserAnswer {
  return {
    id: user.id,
    username: user.username,
    email: user.email ?? null,
    fullName: user.fullName ?? null,
    role,
    enabled: user.enabled,
    mustChangePassword: user.mustChangePassword,
    createdAt: user.createdAt.toISOString(),
    lastLoginAt: user.lastLoginAt?.toISOString() ?? null,
  };
}
