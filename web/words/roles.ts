import type { Role, TokenPermission } from "#contracts/permissions.ts";

/** What each role is called, and what it may do. */
export const ROLE_WORDS: Readonly<Record<Role, { readonly label: string; readonly may: string }>> = {
  superuser: { label: "Superuser", may: "do everything on this hub." },
  admin: {
    label: "Admin",
    may: "do everything with devices, clusters, schedules and agents, and manage users and viewers.",
  },
  user: {
    label: "User",
    may: "add devices, clusters and schedules, change their own, and wake and power off these and what is shared with them for it.",
  },
  viewer: { label: "Viewer", may: "see devices, clusters and schedules, and change nothing." },
};

const list = new Intl.ListFormat("en", { type: "conjunction" });

/** `May see devices, see clusters and wake devices.` */
export function mayWords(permissions: readonly TokenPermission[]): string {
  return `May ${list.format(permissions.map((permission) => TOKEN_PERMISSION_WORDS[permission]))}.`;
}

/** What a personal token may do. */
export const TOKEN_PERMISSION_WORDS: Readonly<Record<TokenPermission, string>> = {
  "device:read": "see devices",
  "device:wake": "wake devices",
  "device:power": "power devices off",
  "device:create": "add devices",
  "device:change": "change and delete devices",
  "cluster:read": "see clusters",
  "cluster:create": "add clusters",
  "cluster:change": "change and delete clusters",
  "schedule:read": "see schedules",
  "schedule:create": "add schedules",
  "schedule:change": "change and delete schedules",
  "agent:read": "see agents",
  "agent:manage": "join, change and delete agents",
  "mqtt-client:manage": "manage MQTT credentials",
  "audit:read": "read the audit log",
};
