import { z } from "zod";

export const Role = z.enum(["superuser", "admin", "user", "viewer"]);
export type Role = z.infer<typeof Role>;

/** What an account may do. Every route names one of these, or `public`. */
export const Permission = z.enum([
  "self",
  "device:read",
  "device:create",
  "device:change",
  "device:wake",
  "cluster:read",
  "cluster:create",
  "cluster:change",
  "agent:read",
  "agent:manage",
  "mqtt-client:manage",
]);
export type Permission = z.infer<typeof Permission>;
