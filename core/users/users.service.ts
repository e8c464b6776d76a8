import { randomUUID } from "node:crypto";
import type { EntityManager } from "@mikro-orm/postgresql";
import type { UserChange, UserCreate } from "#contracts/api/accounts.ts";
import type { Actor, Role } from "#contracts/permissions.ts";
import { type Accounts, chainOfAccount, membershipsOf, refreshAccount } from "../auth/accounts.ts";
import { fieldsOf, findUser, targetOf } from "../auth/auth.service.ts";
import { Membership } from "../auth/membership.entity.ts";
import { checkPassword, hashPassword } from "../auth/passwords.ts";
import { User } from "../auth/user.entity.ts";
import { Cluster } from "../clusters/cluster.entity.ts";
import { Device } from "../devices/device.entity.ts";
import { Schedule } from "../schedules/schedule.entity.ts";
import { HubError } from "../kernel/errors.ts";
import type { Trail } from "../kernel/trail.ts";
import { type ManagedAccount, checkMayGive, checkMayManage } from "./users.rules.ts";

export interface UsersContext {
  /** The hub's own: accounts are of no site. */
  readonly em: EntityManager;
  readonly accounts: Accounts;
  readonly trail: Trail;
  readonly actor: Actor & { readonly siteId: string };
  readonly passwordMinLength: number;
}

/** Any number will do: one change of superusers at a time, or two could each leave the other as the last. */
const SUPERUSER_LOCK = 0x50_42_53_53;

/** Makes an account that belongs to the site of the call. @throws HubError FORBIDDEN (role), DUPLICATE, INVALID_INPUT (password) */
export async function createUser(context: UsersContext, input: UserCreate, now: Date): Promise<User> {
  const { em, accounts, trail, actor } = context;
  const { username, email, fullName, role, enabled, mustChangePassword, password } = input;
  checkMayGive(actor, role);
  if (password === undefined && input.passwordHash === undefined)
    throw new HubError("INVALID_INPUT", "An account needs a password", { field: "password" });
  if (password !== undefined) checkPassword(password, context.passwordMinLength);
  if (input.passwordHash !== undefined && actor.role !== "superuser")
    throw new HubError("FORBIDDEN", "Only superusers import password hashes", { field: "passwordHash" });
  const passwordHash = password === undefined ? (input.passwordHash ?? null) : await hashPassword(password);
  const user = await em.transactional(async (em) => {
    await decideInTurn(em, context);
    const user = em.create(User, {
      id: randomUUID(),
      username,
      email,
      fullName,
      enabled,
      mustChangePassword,
      passwordHash,
      superuser: role === "superuser",
      createdAt: now,
    });
    await em.flush();
    await setRole(em, user, actor.siteId, role);
    const chain = role === "superuser" ? null : actor.siteId;
    await trail.in(chain).write(em, { action: "user.create", target: targetOf(user), details: { role } });
    return user;
  });
  await refreshAccount(em, accounts, user.id);
  return user;
}

export interface UserChangeResult {
  readonly user: User;
  /** Whether the account's sessions must end: it is disabled, or somebody else set its password. */
  readonly endsSessions: boolean;
}

/**
 * Changes an account, and what it is in the site of the call.
 *
 * @throws HubError NOT_FOUND, FORBIDDEN, LAST_SUPERUSER, DUPLICATE (email), INVALID_INPUT (password)
 */
export async function changeUser(context: UsersContext, id: string, change: UserChange): Promise<UserChangeResult> {
  const { em, accounts, actor } = context;
  managedAccount(context, id);
  const trail = context.trail.in(chainFor(context, id, change.role));
  if (change.password !== undefined) checkPassword(change.password, context.passwordMinLength);
  const passwordHash = change.password === undefined ? undefined : await hashPassword(change.password);
  const user = await em.transactional(async (em) => {
    const managed = await decideInTurn(em, context, id);
    const user = await findUser(em, id);
    const { email, fullName, enabled, mustChangePassword, role } = change;
    if (role !== undefined && role !== managed?.role) checkMayGive(actor, role);
    if (email !== undefined) user.email = email;
    if (fullName !== undefined) user.fullName = fullName;
    if (enabled !== undefined) user.enabled = enabled;
    if (mustChangePassword !== undefined) user.mustChangePassword = mustChangePassword;
    if (passwordHash !== undefined) user.passwordHash = passwordHash;
    if (role !== undefined) await setRole(em, user, actor.siteId, role);
    await em.flush();
    await keepOneSuperuser(em, role === undefined ? "enabled" : "role");
    const details = { fields: fieldsOf(change), ...(role !== undefined && { role }) };
    await trail.write(em, { action: "user.change", target: targetOf(user), details });
    if (passwordHash !== undefined) await trail.write(em, { action: "user.password", target: targetOf(user) });
    return user;
  });
  await refreshAccount(em, accounts, user.id);
  const endsSessions = !user.enabled || (passwordHash !== undefined && id !== actor.userId);
  return { user, endsSessions };
}

/**
 * Deletes an account. Its devices, clusters and schedules in the site go to the heir, else they are nobody's, and schedules disabled.
 *
 * @throws HubError NOT_FOUND, FORBIDDEN, LAST_SUPERUSER, INVALID_INPUT (heir)
 */
export async function deleteUser(context: UsersContext, id: string, heirId: string | undefined): Promise<void> {
  const { em, accounts, actor } = context;
  managedAccount(context, id);
  const trail = context.trail.in(chainFor(context, id, undefined));
  if (heirId !== undefined && (heirId === id || accounts.roleIn(heirId, actor.siteId) === undefined))
    throw new HubError("INVALID_INPUT", "The heir is no other member of this site", { field: "heir" });
  await em.transactional(async (em) => {
    await decideInTurn(em, context, id);
    const user = await findUser(em, id);
    const everywhere = { filters: { site: false } };
    if (heirId !== undefined) {
      const inSite = { owner: id, site: actor.siteId };
      await em.nativeUpdate(Device, inSite, { owner: heirId }, everywhere);
      await em.nativeUpdate(Cluster, inSite, { owner: heirId }, everywhere);
      await em.nativeUpdate(Schedule, inSite, { owner: heirId }, everywhere);
    }
    // nobody's would run with the rights of the hub, which nobody has decided
    await em.nativeUpdate(Schedule, { owner: id }, { enabled: false }, everywhere);
    em.remove(user);
    await em.flush();
    await keepOneSuperuser(em);
    const details = heirId === undefined ? {} : { heir: accounts.byId(heirId)?.username };
    await trail.write(em, { action: "user.delete", target: targetOf(user), details });
  });
  await refreshAccount(em, accounts, id);
}

/**
 * Decides by the rows as they are now: hashing a password takes a while, in which somebody may have been promoted or
 * demoted. One change of accounts at a time.
 *
 * @param id the account to be changed; without one it is to be made.
 * @throws HubError NOT_FOUND, FORBIDDEN
 */
async function decideInTurn(
  em: EntityManager,
  { actor }: UsersContext,
  id?: string,
): Promise<ManagedAccount | undefined> {
  await em.execute("select pg_advisory_xact_lock(?)", [SUPERUSER_LOCK]);
  const own = await managedRow(em, actor.userId, actor.siteId);
  if (own?.role !== actor.role) throw new HubError("FORBIDDEN", "Your role was changed meanwhile");
  const account = id === undefined ? undefined : await managedRow(em, id, actor.siteId);
  if (id !== undefined && !account) throw new HubError("NOT_FOUND", "There is no such user");
  checkMayManage(actor, account);
  return account;
}

async function managedRow(em: EntityManager, id: string, siteId: string): Promise<ManagedAccount | undefined> {
  const user = await em.findOne(User, { id });
  if (!user) return undefined;
  const memberships = await membershipsOf(em, { user: id });
  const role = user.superuser ? "superuser" : (memberships.find(({ site }) => site.id === siteId)?.role ?? null);
  return { id, superuser: user.superuser, role, sites: memberships.length };
}

/** The chain of the audit log that tells of a change: where a role is given or taken, that site; else where the account belongs. */
function chainFor({ accounts, actor }: UsersContext, id: string, role: Role | null | undefined): string | null {
  const known = accounts.byId(id);
  if (!known || known.superuser || role === "superuser") return null;
  return role === undefined ? chainOfAccount(known) : actor.siteId;
}

/** What the site of the call may know of an account. @throws HubError NOT_FOUND, also for one of another site. */
export function managedAccount(
  { accounts, actor }: Pick<UsersContext, "accounts" | "actor">,
  id: string,
): ManagedAccount {
  const account = accounts.byId(id);
  const role = account?.superuser ? "superuser" : (account?.roles.get(actor.siteId) ?? null);
  const isSeen = actor.role === "superuser" || (role !== null && role !== "superuser");
  if (!account || !isSeen) throw new HubError("NOT_FOUND", "There is no such user");
  return { id, superuser: account.superuser, role, sites: account.roles.size };
}

/** `superuser` is one on the whole hub; the other roles are of one site; null is no place in it. */
async function setRole(em: EntityManager, user: User, siteId: string, role: Role | null): Promise<void> {
  user.superuser = role === "superuser";
  const where = { user: user.id, site: siteId };
  const membership = await em.findOne(Membership, where, { filters: { site: false } });
  if (role === "superuser" || role === null) {
    if (membership) em.remove(membership);
  } else if (membership) membership.role = role;
  else em.create(Membership, { ...where, role });
  await em.flush();
}

/** The advisory lock makes this hold under a race, too. @throws HubError LAST_SUPERUSER (the field that was to change) */
async function keepOneSuperuser(em: EntityManager, field?: string): Promise<void> {
  if ((await em.count(User, { superuser: true, enabled: true })) > 0) return;
  throw new HubError(
    "LAST_SUPERUSER",
    "The hub would be left without a superuser",
    field === undefined ? {} : { field },
  );
}
