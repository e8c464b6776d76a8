/** Who may do what: what the hub and the page both go by. The page loads this file, so nothing is imported here. */

export const ROLES = ["superuser", "admin", "user", "viewer"] as const;
export type Role = (typeof ROLES)[number];

/** What an account may do. Every route names one of these, or `public`. */
export const PERMISSIONS = [
  "self",
  "device:read",
  "device:create",
  "device:change",
  "device:wake",
  "device:power",
  "cluster:read",
  "cluster:create",
  "cluster:change",
  "schedule:read",
  "schedule:create",
  "schedule:change",
  "agent:read",
  "agent:manage",
  "mqtt-client:manage",
  "user:read",
  "user:manage",
  "audit:read",
  "hub:manage",
] as const;
export type Permission = (typeof PERMISSIONS)[number];

/** `own`: things that the account owns, or that were shared with it for this. */
export type Reach = "any" | "own";

/** What the hub and the page go by: the one place that says what a role may do in a site. `hub:manage` is about the whole hub. */
const REACH: Readonly<Record<Role, Readonly<Partial<Record<Permission, Reach>>>>> = {
  superuser: Object.fromEntries(PERMISSIONS.map((permission) => [permission, "any" as const])),
  admin: {
    self: "any",
    "device:read": "any",
    "device:create": "any",
    "device:change": "any",
    "device:wake": "any",
    "device:power": "any",
    "cluster:read": "any",
    "cluster:create": "any",
    "cluster:change": "any",
    "schedule:read": "any",
    "schedule:create": "any",
    "schedule:change": "any",
    "agent:read": "any",
    "agent:manage": "any",
    "mqtt-client:manage": "any",
    "user:read": "any",
    "user:manage": "any",
    "audit:read": "any",
  },
  user: {
    self: "any",
    "device:read": "any",
    "device:create": "any",
    "device:change": "own",
    "device:wake": "own",
    "device:power": "own",
    "cluster:read": "any",
    "cluster:create": "any",
    "cluster:change": "own",
    "schedule:read": "any",
    "schedule:create": "any",
    "schedule:change": "own",
    "agent:read": "any",
    "user:read": "any",
  },
  viewer: { self: "any", "device:read": "any", "cluster:read": "any", "schedule:read": "any" },
};

/** How far a permission goes in a role; undefined = not at all. */
export function reachOf(role: Role, permission: Permission): Reach | undefined {
  return Object.hasOwn(REACH[role], permission) ? REACH[role][permission] : undefined;
}

/** Who wants to do something. */
export interface Actor {
  readonly userId: string;
  readonly role: Role;
  /** What a personal token was given; null = everything that the role may. */
  readonly permissions: ReadonlySet<Permission> | null;
}

/** How far a permission goes for somebody; undefined = not at all. A token's choice only ever takes away. */
export function reachFor(actor: Actor, permission: Permission): Reach | undefined {
  return actor.permissions && !actor.permissions.has(permission) ? undefined : reachOf(actor.role, permission);
}

/** `view`: a person keeps an eye on it. `wake`: the person may wake it and power it down, too. */
export const SHARE_LEVELS = ["view", "wake"] as const;
export type ShareLevel = (typeof SHARE_LEVELS)[number];

export interface Share {
  readonly userId: string;
  readonly level: ShareLevel;
}

/** A device or cluster, as far as rights go. */
export interface Owned {
  readonly ownerId: string | null;
  readonly shares: readonly Share[];
}

/** Whether somebody may change or delete a device or cluster that lies in the actor's site. */
export function mayChange(
  actor: Actor,
  permission: "device:change" | "cluster:change" | "schedule:change",
  thing: Owned,
): boolean {
  const reach = reachFor(actor, permission);
  return reach === "any" || (reach === "own" && thing.ownerId === actor.userId);
}

/**
 * Whether somebody may wake a device. Who owns a cluster, or shares it for this, may do so with all of
 * its devices.
 *
 * @param cluster undefined for a device in none.
 */
export function mayWake(actor: Actor, device: Owned, cluster: Owned | undefined): boolean {
  return mayAct(actor, "device:wake", device, cluster);
}

/** The same for powering it down, which a token may leave out. */
export function mayPower(actor: Actor, device: Owned, cluster: Owned | undefined): boolean {
  return mayAct(actor, "device:power", device, cluster);
}

function mayAct(
  actor: Actor,
  permission: "device:wake" | "device:power",
  device: Owned,
  cluster: Owned | undefined,
): boolean {
  const reach = reachFor(actor, permission);
  if (reach !== "own") return reach === "any";
  return isForWaking(actor, device) || (cluster !== undefined && isForWaking(actor, cluster));
}

function isForWaking({ userId }: Actor, { ownerId, shares }: Owned): boolean {
  return ownerId === userId || shares.some((share) => share.level === "wake" && share.userId === userId);
}
