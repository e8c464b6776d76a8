import { defineEntity, p } from "@mikro-orm/core";
import type { AuditAction, AuditActorType, AuditResult } from "#contracts/api/audit.ts";
import { sitePolicies } from "../kernel/site-filter.ts";

/** One line of the audit log. Written by the database's own `audit_append` and by nothing else; never changed. */
const AuditEntrySchema = defineEntity({
  name: "AuditEntry",
  tableName: "audit",
  properties: {
    id: p.bigint("number").primary().autoincrement(),
    /** null = the chain of the hub, for what is about no site or about more than one. */
    siteId: p.uuid().nullable(),
    seq: p.bigint("number"),
    at: p.datetime(3),
    actorType: p.string().length(16).$type<AuditActorType>(),
    actorId: p.string().length(80).nullable(),
    actorName: p.string().length(200).nullable(),
    action: p.string().length(32).$type<AuditAction>(),
    targetType: p.string().length(16).nullable(),
    targetId: p.string().length(80).nullable(),
    targetName: p.string().length(200).nullable(),
    address: p.string().length(64).nullable(),
    result: p.string().length(8).$type<AuditResult>(),
    reason: p.string().length(64).nullable(),
    /** JSON as text, so that its hash never depends on how a database orders keys. */
    details: p.text().nullable(),
    requestId: p.string().length(64).nullable(),
    /** SHA-256 of the hash before, `seq` as eight bytes and the row as JSON. */
    hash: p.string().length(64),
  },
  ...sitePolicies("audit"),
  uniques: [
    {
      name: "audit_seq_unique",
      expression: 'create unique index "audit_seq_unique" on "audit" ("site_id", "seq") nulls not distinct',
    },
  ],
  indexes: [{ properties: ["siteId", "id"] }],
  // a second one, which the migration alone can make, stops TRUNCATE
  triggers: [
    {
      name: "audit_is_append_only",
      timing: "before",
      events: ["update", "delete"],
      forEach: "row",
      body: `if tg_op = 'DELETE' and current_setting('powerbeacon.audit_prune', true) = 'on' then return old; end if;
      raise exception 'the audit log is append-only' using errcode = 'insufficient_privilege'; return null;`,
    },
  ],
});

export class AuditEntry extends AuditEntrySchema.class {}
AuditEntrySchema.setClass(AuditEntry);

/** Where each chain ends, and what it began with: the last row that retention took away. */
const AuditChainSchema = defineEntity({
  name: "AuditChain",
  tableName: "audit_chain",
  properties: {
    id: p.integer().primary().autoincrement(),
    siteId: p.uuid().nullable(),
    lastSeq: p.bigint("number"),
    lastHash: p.string().length(64),
    /** Rows up to this one are gone; 0 = none. */
    prunedSeq: p.bigint("number").default(0),
    prunedHash: p.string().length(64),
    prunedBefore: p.datetime().nullable(),
  },
  ...sitePolicies("audit_chain"),
  uniques: [
    {
      name: "audit_chain_site_unique",
      expression: 'create unique index "audit_chain_site_unique" on "audit_chain" ("site_id") nulls not distinct',
    },
  ],
});

export class AuditChain extends AuditChainSchema.class {}
AuditChainSchema.setClass(AuditChain);
