import { z } from "zod";
import { PERMISSIONS, ROLES, SHARE_LEVELS } from "./rights.ts";

export {
  type Actor,
  type Owned,
  type Reach,
  type Share,
  mayChange,
  mayPower,
  mayWake,
  reachFor,
  reachOf,
} from "./rights.ts";

export const Role = z.enum(ROLES);
export type Role = z.infer<typeof Role>;

export const Permission = z.enum(PERMISSIONS);
export type Permission = z.infer<typeof Permission>;

/** Personal tokens never reach accounts, sites or sign-on settings, whatever their owner may. */
export const TokenPermission = Permission.exclude(["self", "user:read", "user:manage", "hub:manage"]);
export type TokenPermission = z.infer<typeof TokenPermission>;

export const ShareLevel = z.enum(SHARE_LEVELS);
export type ShareLevel = z.infer<typeof ShareLevel>;
