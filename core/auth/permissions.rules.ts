import { Permission, type Role } from "#contracts/permissions.ts";

/** The one place that says what a role may do. */
const PERMISSIONS: Readonly<Record<Role, ReadonlySet<Permission>>> = {
  superuser: new Set(Permission.options),
  // The other roles get their rights together with accounts; until then nobody has them.
  admin: new Set(),
  user: new Set(),
  viewer: new Set(),
};

export function mayDo(role: Role, permission: Permission): boolean {
  return PERMISSIONS[role].has(permission);
}
