import type { Role } from "#contracts/permissions.ts";
import { HubError } from "../kernel/errors.ts";

/** An account as far as the right to change it goes. */
export interface ManagedAccount {
  readonly id: string;
  readonly superuser: boolean;
  /** What it is in the site of the call; null = nothing there. */
  readonly role: Role | null;
  /** How many sites it belongs to. */
  readonly sites: number;
}

const FOR_ADMINS: ReadonlySet<Role | null> = new Set(["user", "viewer"]);

/**
 * Whether somebody may make or change an account. Superusers may change all; admins accounts of role `user` and `viewer`
 * that belong to their site alone, since a password that they set would open every site that it belongs to.
 *
 * @param account undefined for one to be made.
 * @throws HubError FORBIDDEN
 */
export function checkMayManage(
  actor: { readonly userId: string; readonly role: Role },
  account?: ManagedAccount,
): void {
  if (actor.role === "superuser" || !account) return;
  if (account.superuser || !FOR_ADMINS.has(account.role))
    throw new HubError("FORBIDDEN", "Admins manage accounts of the roles user and viewer");
  if (account.sites > 1)
    throw new HubError("FORBIDDEN", "This account belongs to other sites, too; only a superuser may change it");
}

/** @throws HubError FORBIDDEN naming the field: nobody makes anybody more than they may. */
export function checkMayGive(actor: { readonly role: Role }, role: Role | null): void {
  if (actor.role === "superuser" || FOR_ADMINS.has(role)) return;
  throw new HubError("FORBIDDEN", "Admins give the roles user and viewer", { field: "role" });
}
