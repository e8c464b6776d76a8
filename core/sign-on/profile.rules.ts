import { z } from "zod";
import { Username } from "#contracts/api/accounts.ts";
import type { ProvisionedRole } from "#contracts/api/sign-on.ts";
import { text } from "#contracts/text.ts";
import { SignOnRefusal } from "./sign-on-refusal.ts";

/** What a provider says of somebody, checked and cut down to what the hub keeps. */
export interface Profile {
  readonly issuer: string;
  readonly subject: string;
  readonly email: string | null;
  /** Only the provider's plain yes counts where a decision hangs on the address. */
  readonly emailVerified: boolean;
  readonly fullName: string | null;
  /** What an account of this person could be called, before others are asked. */
  readonly username: string;
  /** What the role claim means; null where the settings ask for none. */
  readonly role: ProvisionedRole | null;
}

export interface RoleSettings {
  readonly roleClaim?: string | null | undefined;
  readonly roleMapping: readonly { readonly value: string; readonly role: ProvisionedRole }[];
  readonly defaultRole: ProvisionedRole;
}

type Claims = Readonly<Record<string, unknown>>;

const Issuer = text(500).min(1);
const Subject = text(255).min(1);
const Email = z.email().max(254);
const FullName = text(120).trim().min(1);

/** @throws SignOnRefusal CLAIM_MISSING */
export function profileOf(claims: Claims, settings: RoleSettings): Profile {
  const issuer = Issuer.safeParse(claims["iss"]).data;
  const subject = Subject.safeParse(claims["sub"]).data;
  if (issuer === undefined || subject === undefined) throw new SignOnRefusal("CLAIM_MISSING", "there is no usable sub");
  return {
    issuer,
    subject,
    // an address that the provider itself doubts would keep its real owner from using it
    email: claims["email_verified"] === false ? null : (Email.safeParse(claims["email"]).data ?? null),
    emailVerified: claims["email_verified"] === true,
    fullName: FullName.safeParse(claims["name"]).data ?? null,
    username: usernameOf(claims),
    role: settings.roleClaim ? roleOf(claimAt(claims, settings.roleClaim), settings) : null,
  };
}

/**
 * Whether somebody unknown may have an account.
 *
 * @throws SignOnRefusal CLAIM_MISSING, EMAIL_UNVERIFIED, DOMAIN_NOT_ALLOWED
 */
export function checkDomain(profile: Profile, claims: Claims, allowedDomains: readonly string[]): void {
  if (allowedDomains.length === 0) return;
  if (claims["email"] === undefined) throw new SignOnRefusal("CLAIM_MISSING", "there is no email");
  if (!profile.emailVerified) throw new SignOnRefusal("EMAIL_UNVERIFIED");
  const domain = profile.email?.slice(profile.email.lastIndexOf("@") + 1).toLowerCase();
  if (domain === undefined || !allowedDomains.includes(domain)) throw new SignOnRefusal("DOMAIN_NOT_ALLOWED");
}

/** `anna`, `anna-2`, `anna-3` …: the first that is free becomes the user name. */
export function* usernamesLike(wanted: string): Generator<string> {
  yield wanted;
  for (let number = 2; number < 1_000; number++) yield `${wanted.slice(0, 46)}-${number}`;
}

/** The value of a claim; dots lead into objects, as in Keycloak's `realm_access.roles`. A claim whose own name has dots goes before. */
export function claimAt(claims: Claims, path: string): unknown {
  if (Object.hasOwn(claims, path)) return claims[path];
  let value: unknown = claims;
  for (const name of path.split(".")) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
    value = (value as Claims)[name];
  }
  return value;
}

function roleOf(claim: unknown, { roleMapping, defaultRole }: RoleSettings): ProvisionedRole {
  const values = Array.isArray(claim) ? claim : [claim];
  return roleMapping.find(({ value }) => values.includes(value))?.role ?? defaultRole;
}

function usernameOf(claims: Claims): string {
  const email = typeof claims["email"] === "string" ? claims["email"].split("@", 1)[0] : undefined;
  for (const candidate of [claims["preferred_username"], email, claims["sub"]]) {
    if (typeof candidate !== "string") continue;
    const name = Username.safeParse(
      candidate
        .normalize("NFC")
        .replaceAll(/[^\p{L}\p{N}._@-]+/gu, "-")
        .slice(0, 50),
    );
    if (name.success) return name.data;
  }
  return "user";
}
