import type { MeAnswer } from "#contracts/api/accounts.ts";
import type { Actor } from "#contracts/rights.ts";

/** Whoever has no role here may do nothing. */
export const NOBODY: Actor = { userId: "", role: "viewer", permissions: new Set() };

/** The account that is logged in, as the rules of `#contracts/rights.ts` ask for it. */
export function actorOf(account: Pick<MeAnswer, "id" | "role" | "permissions"> | undefined): Actor {
  if (!account?.role) return NOBODY;
  return { userId: account.id, role: account.role, permissions: new Set(account.permissions) };
}
