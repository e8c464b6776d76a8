import { randomUUID } from "node:crypto";
import { type EntityManager, UniqueConstraintViolationException } from "@mikro-orm/postgresql";
import { findByName } from "../auth/auth.service.ts";
import { Identity } from "../auth/identity.entity.ts";
import { Membership } from "../auth/membership.entity.ts";
import type { Provider } from "../auth/provider.entity.ts";
import { User } from "../auth/user.entity.ts";
import type { Trail } from "../kernel/trail.ts";
import { type Profile, checkDomain, usernamesLike } from "./profile.rules.ts";
import { SignOnRefusal } from "./sign-on-refusal.ts";

/** Any number will do: it lets one new account through at a time. */
const PROVISION_LOCK = 0x50_42_4e_45;

export interface SignOnContext {
  /** The hub's own: accounts are of no site. */
  readonly em: EntityManager;
  /** The audit log under the name of the account that logs in. */
  readonly trailOf: (user: User) => Trail;
  /** Where new accounts become members, unless the provider's settings name a site. */
  readonly defaultSiteId: string;
}

/** Somebody came back from a provider. */
export interface Arrival {
  readonly provider: Provider;
  readonly profile: Profile;
  readonly claims: Readonly<Record<string, unknown>>;
}

/**
 * The account of somebody who logs in by a provider, brought up to date with what the provider says; a new one where the
 * settings allow it.
 *
 * Issuer and `sub` alone say whose it is. A name or an e-mail address never leads to an account that is there.
 *
 * @throws SignOnRefusal NOT_PROVISIONED, EMAIL_TAKEN, ACCOUNT_DISABLED and those of `checkDomain`; then nothing is changed.
 */
export async function accountOf(context: SignOnContext, arrival: Arrival, now: Date): Promise<User> {
  try {
    return await context.em.transactional(async (em) => {
      const inside = { ...context, em };
      const identity = (await findIdentity(em, arrival.profile)) ?? (await findIdentityInTurn(em, arrival.profile));
      return identity ? await welcomeBack(inside, identity, arrival, now) : await provision(inside, arrival, now);
    });
  } catch (error) {
    if (isTaken(error, "user_email_unique")) throw new SignOnRefusal("EMAIL_TAKEN");
    throw error;
  }
}

/**
 * Links an account at a provider with a user who is logged in.
 *
 * @throws SignOnRefusal IDENTITY_TAKEN, ACCOUNT_DISABLED
 */
export async function linkIdentity(
  { em, trailOf }: SignOnContext,
  userId: string,
  { provider, profile }: Arrival,
  now: Date,
): Promise<void> {
  try {
    await em.transactional(async (em) => {
      const user = await em.findOne(User, { id: userId });
      if (!user?.enabled) throw new SignOnRefusal("ACCOUNT_DISABLED");
      const known = await findIdentity(em, profile);
      if (known && known.user.id !== userId) throw new SignOnRefusal("IDENTITY_TAKEN");
      if (known) return;
      addIdentity(em, user, { provider, profile }, { createdAt: now, lastLoginAt: null });
      await em.flush();
      await trailOf(user).write(em, { action: "identity.link", target: targetOf(user), details: detailsOf(profile) });
    });
  } catch (error) {
    if (isTaken(error, "identity_subject_unique")) throw new SignOnRefusal("IDENTITY_TAKEN");
    throw error;
  }
}

async function findIdentity(em: EntityManager, { issuer, subject }: Profile): Promise<Identity | null> {
  return await em.findOne(Identity, { issuer, subject }, { populate: ["user"] });
}

/** Of two first log-ins at the same moment one makes the account. */
async function findIdentityInTurn(em: EntityManager, profile: Profile): Promise<Identity | null> {
  await em.execute("select pg_advisory_xact_lock(?)", [PROVISION_LOCK]);
  return await findIdentity(em, profile);
}

async function welcomeBack(
  context: SignOnContext,
  identity: Identity,
  { provider, profile }: Arrival,
  now: Date,
): Promise<User> {
  const { em, trailOf } = context;
  const user = identity.user.unwrap();
  if (!user.enabled) throw new SignOnRefusal("ACCOUNT_DISABLED");
  const fields = [];
  if (profile.email !== null && profile.email !== user.email) {
    user.email = profile.email;
    fields.push("email");
  }
  if (profile.fullName !== null && profile.fullName !== user.fullName) {
    user.fullName = profile.fullName;
    fields.push("fullName");
  }
  if (await takeRole(context, user, { provider, profile })) fields.push("role");
  Object.assign(identity, { lastLoginAt: now, email: profile.email });
  await em.flush();
  if (fields.length > 0) {
    const details = { fields, source: "provider" };
    await trailOf(user).write(em, { action: "user.change", target: targetOf(user), details });
  }
  return user;
}

/** A superuser stays one, and who was taken out of the site does not come back by this way. @returns whether it is another. */
async function takeRole(context: SignOnContext, user: User, { provider, profile }: Omit<Arrival, "claims">) {
  if (user.superuser || profile.role === null) return false;
  const where = { site: siteOf(context, provider), user: user.id };
  const membership = await context.em.findOne(Membership, where, { filters: { site: false } });
  if (!membership || membership.role === profile.role) return false;
  membership.role = profile.role;
  return true;
}

async function provision(context: SignOnContext, { provider, profile, claims }: Arrival, now: Date): Promise<User> {
  const { em, trailOf } = context;
  if (!provider.autoProvision) throw new SignOnRefusal("NOT_PROVISIONED");
  checkDomain(profile, claims, provider.allowedDomains);
  const { email, fullName } = profile;
  const user = em.create(User, {
    id: randomUUID(),
    username: await freeUsername(em, profile.username),
    email,
    fullName,
    passwordHash: null,
    createdAt: now,
  });
  const role = profile.role ?? provider.defaultRole;
  const site = siteOf(context, provider);
  em.create(Membership, { site, user, role });
  addIdentity(em, user, { provider, profile }, { createdAt: now, lastLoginAt: now });
  await em.flush();
  const details = { ...detailsOf(profile), role };
  await trailOf(user)
    .in(site)
    .write(em, { action: "user.create", target: targetOf(user), details });
  return user;
}

async function freeUsername(em: EntityManager, wanted: string): Promise<string> {
  for (const username of usernamesLike(wanted)) if (!(await findByName(em, username))) return username;
  throw new SignOnRefusal("HUB_TROUBLE", `every name like ${wanted} is taken`);
}

function addIdentity(
  em: EntityManager,
  user: User,
  { provider, profile }: Omit<Arrival, "claims">,
  dates: { createdAt: Date; lastLoginAt: Date | null },
): void {
  const { issuer, subject, email } = profile;
  em.create(Identity, { id: randomUUID(), user, provider: provider.id, issuer, subject, email, ...dates });
}

function siteOf({ defaultSiteId }: SignOnContext, provider: Provider): string {
  return provider.provisionedSite?.id ?? defaultSiteId;
}

function isTaken(error: unknown, constraint: string): boolean {
  return (
    error instanceof UniqueConstraintViolationException &&
    (error as { readonly constraint?: string }).constraint === constraint
  );
}

function targetOf({ id, username }: User) {
  return { type: "user", id, name: username };
}

function detailsOf({ issuer }: Profile) {
  return { issuer, source: "provider" };
}
