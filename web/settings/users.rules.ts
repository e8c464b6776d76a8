import type { MeAnswer, UserAnswer } from "#contracts/api/accounts.ts";
import { ROLES, type Role } from "#contracts/rights.ts";

const FOR_ADMINS: readonly Role[] = ["user", "viewer"];

/** The roles that an account may give to others. */
export function rolesToGive({ role }: Pick<MeAnswer, "role">): readonly Role[] {
  return role === "superuser" ? ROLES : FOR_ADMINS;
}

/** Whether an account may change another one: admins change users and viewers alone, and nobody is offered themselves. */
export function mayManage(me: Pick<MeAnswer, "id" | "role">, { id, role }: Pick<UserAnswer, "id" | "role">): boolean {
  if (id === me.id) return false;
  return me.role === "superuser" || (role !== null && rolesToGive(me).includes(role));
}
