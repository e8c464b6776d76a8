import { z } from "zod";
import { Instant } from "../instant.ts";
import { text } from "../text.ts";
import { page } from "./common.ts";

export const AuditActorType = z.enum(["user", "token", "mqtt-client", "agent", "schedule", "system", "stranger"]);
export type AuditActorType = z.infer<typeof AuditActorType>;

export const AuditResult = z.enum(["ok", "refused", "failed"]);
export type AuditResult = z.infer<typeof AuditResult>;

/** What happened, as `<thing>.<verb>`. */
export const AuditAction = z.enum([
  "hub.setup",
  "hub.recover",
  "session.login",
  "session.logout",
  "session.end",
  "user.create",
  "user.change",
  "user.delete",
  "user.password",
  "identity.link",
  "identity.unlink",
  "token.create",
  "token.delete",
  "site.create",
  "site.change",
  "site.delete",
  "sign-on.change",
  "mqtt-client.create",
  "mqtt-client.change",
  "mqtt-client.delete",
  "enrolment.create",
  "enrolment.delete",
  "agent.enrol",
  "agent.change",
  "agent.delete",
  "agent.copied",
  "device.create",
  "device.change",
  "device.power-method",
  "device.delete",
  "device.wake",
  "device.power-off",
  "cluster.create",
  "cluster.change",
  "cluster.delete",
  "wake.cancel",
  "power-off.cancel",
  "schedule.create",
  "schedule.change",
  "schedule.delete",
  "schedule.skip",
  "lease.create",
  "lease.end",
  "discovery.send",
  "discovery.clean-up",
  "request.refused",
  "audit.prune",
]);
export type AuditAction = z.infer<typeof AuditAction>;

/** One line of the audit log. */
export const AuditRow = z.object({
  seq: z.int().describe("its place in the chain of its site, or of the hub"),
  scope: z.enum(["site", "hub"]).describe("`hub`: about no site, or about more than one; for superusers"),
  at: Instant,
  actor: z.object({ type: AuditActorType, id: z.string().nullable(), name: z.string().nullable() }),
  action: AuditAction,
  target: z.object({ type: z.string(), id: z.string().nullable(), name: z.string().nullable() }).nullable(),
  address: z.string().nullable().describe("where the actor called from"),
  result: AuditResult,
  reason: z.string().nullable().describe("the error code of what was refused or failed"),
  details: z.record(z.string(), z.unknown()).nullable(),
  requestId: z.string().nullable(),
  hash: z.string().describe("SHA-256 over this row and the hash of the one before, in hexadecimal"),
});
export type AuditRow = z.infer<typeof AuditRow>;

export const AuditList = page(AuditRow);

/** The filters of the log; an export takes the same and gives all rows that fit, in the order in which they happened. */
export const AuditFilter = z
  .object({
    q: text(100).trim().optional().describe("part of the name of an actor or a target, or of an address"),
    action: AuditAction.optional(),
    result: AuditResult.optional(),
    actor: AuditActorType.optional(),
    from: Instant.optional(),
    to: Instant.optional().describe("rows before this instant"),
    scope: z.enum(["site", "hub"]).optional().describe("`hub` and both together are for superusers"),
  })
  .strict();
export type AuditFilter = z.infer<typeof AuditFilter>;

export const AuditQuery = AuditFilter.extend({
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.string().max(500).optional(),
});
export type AuditQuery = z.infer<typeof AuditQuery>;

export const AuditExportQuery = AuditFilter.extend({ format: z.enum(["csv", "json"]).default("json") });
export type AuditExportQuery = z.infer<typeof AuditExportQuery>;
