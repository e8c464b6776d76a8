/**
 * Who may do what over HTTP, written down from the design ("Roles and permissions") and from nothing that decides it in the
 * code: the matrix holds every route against this.
 */

export type Role = "superuser" | "admin" | "user" | "viewer";
export type Right =
  | "self"
  | "device:read"
  | "device:create"
  | "device:change"
  | "device:wake"
  | "device:power"
  | "cluster:read"
  | "cluster:create"
  | "cluster:change"
  | "schedule:read"
  | "schedule:create"
  | "schedule:change"
  | "agent:read"
  | "agent:manage"
  | "mqtt-client:manage"
  | "user:read"
  | "user:manage"
  | "audit:read"
  | "hub:manage";

/** `own`: what the caller owns; for waking also what is shared for it, alone or with its cluster. */
type Reach = "any" | "own" | "no";

export const ROLES = ["superuser", "admin", "user", "viewer"] as const;

/** Rows of the design's table; the columns are superuser, admin, user and viewer. */
const MAY: Readonly<Record<Right, readonly [Reach, Reach, Reach, Reach]>> = {
  self: ["any", "any", "any", "any"],
  "device:read": ["any", "any", "any", "any"],
  "device:create": ["any", "any", "any", "no"],
  "device:change": ["any", "any", "own", "no"],
  "device:wake": ["any", "any", "own", "no"],
  "device:power": ["any", "any", "own", "no"],
  "cluster:read": ["any", "any", "any", "any"],
  "cluster:create": ["any", "any", "any", "no"],
  "cluster:change": ["any", "any", "own", "no"],
  "schedule:read": ["any", "any", "any", "any"],
  "schedule:create": ["any", "any", "any", "no"],
  "schedule:change": ["any", "any", "own", "no"],
  "agent:read": ["any", "any", "any", "no"],
  "agent:manage": ["any", "any", "no", "no"],
  "mqtt-client:manage": ["any", "any", "no", "no"],
  "user:read": ["any", "any", "any", "no"],
  "user:manage": ["any", "any", "no", "no"],
  "audit:read": ["any", "any", "no", "no"],
  "hub:manage": ["any", "no", "no", "no"],
};

/** A personal token never reaches these, whatever it was given. */
const BEYOND_TOKENS: ReadonlySet<Right> = new Set(["self", "user:read", "user:manage", "hub:manage"]);

/** What each route asks for. `off`: there is nothing there as long as log-ins by a provider are off, or no broker may ask. */
export const ROUTES: Readonly<Record<string, Right | "public" | "off">> = {
  "GET /health": "public",
  "GET /ready": "public",
  "GET /metrics": "audit:read",
  "GET /api/setup/status": "public",
  "POST /api/setup/init": "public",
  "POST /api/auth/login": "public",
  "GET /api/auth/login/oauth": "off",
  "GET /api/auth/callback": "off",
  "GET /api/config/oidc": "public",
  "PUT /api/config/oidc": "hub:manage",
  "POST /api/auth/logout": "self",
  "GET /api/auth/me": "self",
  "PATCH /api/auth/me": "self",
  "PUT /api/auth/me": "self",
  "GET /api/auth/identities": "self",
  "POST /api/auth/identities": "self",
  "DELETE /api/auth/identities/{id}": "self",
  "GET /api/auth/sessions": "self",
  "DELETE /api/auth/sessions/{id}": "self",
  "GET /api/tokens": "self",
  "POST /api/tokens": "self",
  "DELETE /api/tokens/{id}": "self",
  "GET /api/audit": "audit:read",
  "GET /api/audit/export": "audit:read",
  "GET /api/clusters": "cluster:read",
  "POST /api/clusters": "cluster:create",
  "GET /api/clusters/{id}": "cluster:read",
  "PATCH /api/clusters/{id}": "cluster:change",
  "PUT /api/clusters/{id}": "cluster:change",
  "DELETE /api/clusters/{id}": "cluster:change",
  "POST /api/clusters/{id}/wake": "device:wake",
  "POST /api/clusters/{id}/power": "device:power",
  "GET /api/agents": "agent:read",
  "GET /api/agents/{id}": "agent:read",
  "PATCH /api/agents/{id}": "agent:manage",
  "DELETE /api/agents/{id}": "agent:manage",
  "GET /api/enrolments": "agent:manage",
  "POST /api/enrolments": "agent:manage",
  "DELETE /api/enrolments/{id}": "agent:manage",
  "POST /api/agents/enrol": "public",
  "GET /api/devices": "device:read",
  "POST /api/devices": "device:create",
  "GET /api/devices/{id}": "device:read",
  "PATCH /api/devices/{id}": "device:change",
  "PUT /api/devices/{id}": "device:change",
  "DELETE /api/devices/{id}": "device:change",
  "POST /api/devices/{id}/wake": "device:wake",
  "POST /api/devices/{id}/power": "device:power",
  "GET /api/devices/{id}/power-offs": "device:read",
  "GET /api/devices/{id}/wakes": "device:read",
  "GET /api/devices/{id}/history": "device:read",
  "GET /api/devices/{id}/doctor": "device:read",
  "GET /api/devices/{id}/power-method": "device:change",
  "PUT /api/devices/{id}/power-method": "device:change",
  "DELETE /api/devices/{id}/power-method": "device:change",
  "GET /api/devices/{id}/plan": "device:read",
  "GET /api/clusters/{id}/plan": "device:read",
  "GET /api/devices/{id}/leases": "device:read",
  "POST /api/devices/{id}/leases": "device:wake",
  "GET /api/leases": "device:read",
  "DELETE /api/leases/{id}": "device:wake",
  "GET /api/schedules": "schedule:read",
  "POST /api/schedules": "schedule:create",
  "POST /api/schedules/preview": "schedule:read",
  "GET /api/schedules/{id}": "schedule:read",
  "PATCH /api/schedules/{id}": "schedule:change",
  "PUT /api/schedules/{id}": "schedule:change",
  "DELETE /api/schedules/{id}": "schedule:change",
  "POST /api/schedules/{id}/skip": "schedule:change",
  "GET /api/schedules/{id}/next": "schedule:read",
  "GET /api/schedules/{id}/runs": "schedule:read",
  "POST /api/imports/preview": "device:create",
  "POST /api/imports": "device:create",
  "GET /api/exports/devices": "device:read",
  "GET /api/wakes": "device:read",
  "GET /api/wakes/{id}": "device:read",
  "DELETE /api/wakes/{id}": "device:wake",
  "GET /api/power-offs/{id}": "device:read",
  "DELETE /api/power-offs/{id}": "device:power",
  "GET /api/events": "device:read",
  "GET /api/sites": "hub:manage",
  "POST /api/sites": "hub:manage",
  "PATCH /api/sites/{id}": "hub:manage",
  "PUT /api/sites/{id}": "hub:manage",
  "DELETE /api/sites/{id}": "hub:manage",
  "GET /api/users": "user:read",
  "POST /api/users": "user:manage",
  "GET /api/users/{id}": "user:read",
  "PATCH /api/users/{id}": "user:manage",
  "PUT /api/users/{id}": "user:manage",
  "DELETE /api/users/{id}": "user:manage",
  "GET /api/home-assistant": "mqtt-client:manage",
  "GET /api/home-assistant/things": "mqtt-client:manage",
  "GET /api/home-assistant/things/{type}/{id}": "mqtt-client:manage",
  "POST /api/home-assistant/preview": "mqtt-client:manage",
  "POST /api/home-assistant/send": "mqtt-client:manage",
  "POST /api/home-assistant/clean-up": "mqtt-client:manage",
  "POST /api/mqtt/authenticate": "off",
  "POST /api/mqtt/authorize": "off",
  "POST /api/mqtt/go-auth/user": "off",
  "POST /api/mqtt/go-auth/superuser": "off",
  "POST /api/mqtt/go-auth/acl": "off",
  "GET /api/mqtt-clients": "mqtt-client:manage",
  "POST /api/mqtt-clients": "mqtt-client:manage",
  "GET /api/mqtt-clients/{id}": "mqtt-client:manage",
  "PATCH /api/mqtt-clients/{id}": "mqtt-client:manage",
  "DELETE /api/mqtt-clients/{id}": "mqtt-client:manage",
};

/** Log-ins by a provider are off, so what is allowed finds nothing. */
const NOTHING_THERE: ReadonlySet<string> = new Set(["POST /api/auth/identities"]);

/** Whoever calls, as far as rights go. */
export interface Caller {
  readonly name: string;
  /** Null for somebody who is logged in and belongs to no site. */
  readonly role: Role | null;
  readonly userId: string | null;
  /** `foreign`: it names a site that it does not belong to. */
  readonly site: "home" | "away" | "foreign" | null;
  /** What a personal token was given; null for a session. */
  readonly token: ReadonlySet<Right> | null;
  readonly isLoggedIn: boolean;
  /** Until the password is changed, nothing but the account itself is within reach. */
  readonly mustChangePassword: boolean;
}

/** Whatever an address names, as far as rights go. */
export interface Target {
  readonly name: string;
  /** Null: there is no such thing. `hub`: it is of no site. */
  readonly site: "home" | "away" | "hub" | null;
  /** Of what somebody owns, or of what is somebody's alone. */
  readonly ownerId?: string | null;
  /** Who may wake it, and power it off, besides, by a share or by the cluster that it is in. */
  readonly wakerId?: string | null;
  /** Of an account: what it is, site by site. */
  readonly roles?: { readonly home?: Role; readonly away?: Role };
}

/** `ok` is whatever does not refuse the caller: the body may still be wrong, or the state of things against it. */
export type Outcome = "ok" | 401 | 403 | 404;

/** Everybody sees and changes their own account. */
const OF_ONESELF: ReadonlySet<string> = new Set([
  "GET /api/users/{id}",
  "PATCH /api/users/{id}",
  "PUT /api/users/{id}",
]);

/** What the design says that a call is answered with. */
export function outcomeOf(route: string, caller: Caller, target: Target | undefined): Outcome {
  const need = ROUTES[route];
  if (need === undefined) throw new Error(`the table knows no route ${route}`);
  if (need === "public") return "ok";
  if (need === "off") return 404;
  if (!caller.isLoggedIn) return 401;
  // open to whoever calls from the hub's own machine: a call that is no good is a stranger's
  if (caller.site === "foreign" || (route === "GET /metrics" && caller.mustChangePassword))
    return route === "GET /metrics" ? 401 : 403;
  if (caller.token && (BEYOND_TOKENS.has(need) || !caller.token.has(need))) return 403;
  if (caller.mustChangePassword && !/ \/api\/auth\//.test(route)) return 403;
  if (OF_ONESELF.has(route) && target?.ownerId === caller.userId) return "ok";
  const reach = reachOf(caller.role, need);
  if (reach === "no") return 403;
  if (NOTHING_THERE.has(route)) return 404;
  if (route === "POST /api/tokens" && caller.role === null) return 403; // a token works in a site
  return target ? outcomeFor(need, reach, caller, target) : "ok";
}

/** Everything that a token of this role can be given. */
export function tokenRightsOf(role: Role): Right[] {
  const rights = Object.keys(MAY) as Right[]; // the keys of the table above
  return rights.filter((right) => !BEYOND_TOKENS.has(right) && reachOf(role, right) !== "no");
}

function reachOf(role: Role | null, need: Right): Reach {
  if (role === null) return need === "self" ? "any" : "no";
  return MAY[need][ROLES.indexOf(role)] ?? "no";
}

function outcomeFor(need: Right, reach: Reach, caller: Caller, target: Target): Outcome {
  if (target.site === null) return 404;
  if (target.roles) return outcomeForAccount(need, caller, target.roles);
  if (target.site !== "hub" && target.site !== caller.site) return 404;
  if (need === "self") return target.ownerId === caller.userId ? "ok" : 404;
  if (reach === "any" || target.ownerId === caller.userId) return "ok";
  const isForWakers = need === "device:wake" || need === "device:power";
  return isForWakers && target.wakerId === caller.userId ? "ok" : 403;
}

/** Superusers see and manage all; everybody else sees who is of the site, and admins manage users and viewers of it alone. */
function outcomeForAccount(need: Right, { role, site }: Caller, roles: NonNullable<Target["roles"]>): Outcome {
  if (role === "superuser") return "ok";
  const own = site === "home" || site === "away" ? roles[site] : undefined;
  if (own === undefined || own === "superuser") return 404;
  if (need === "user:read") return "ok";
  const isOfOthersToo = roles.home !== undefined && roles.away !== undefined;
  return (own === "user" || own === "viewer") && !isOfOthersToo ? "ok" : 403;
}
