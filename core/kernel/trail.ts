import type { EntityManager } from "@mikro-orm/postgresql";
import type { AuditAction, AuditActorType, AuditResult } from "#contracts/api/audit.ts";

/** Who did something, and from where. */
export interface TrailSource {
  /** The chain that the row belongs to; null = the hub's own. */
  readonly siteId: string | null;
  readonly actor: { readonly type: AuditActorType; readonly id: string | null; readonly name: string | null };
  readonly address: string | null;
  readonly requestId: string | null;
}

/** What was done. */
export interface TrailEvent {
  readonly action: AuditAction;
  readonly target?: { readonly type: string; readonly id: string | null; readonly name: string | null } | undefined;
  /** `ok` unless said otherwise. */
  readonly result?: AuditResult;
  /** The error code of what was refused or failed. */
  readonly reason?: string;
  /** Small, and without secrets: names of changed fields, counts, sources. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/** The audit log as one caller writes it: everything it does is noted under its name. */
export interface Trail {
  /**
   * Writes a row of each event in the transaction that makes the change, so that neither is there without the other.
   *
   * @param em inside `em.transactional`.
   * @throws HubError AUDIT_UNAVAILABLE when the row cannot be written; the change must not go on.
   */
  write(em: EntityManager, ...events: readonly TrailEvent[]): Promise<void>;
  /** Writes a row behind the work, for what no transaction belongs to: wakes and refusals. */
  note(event: TrailEvent): void;
  /** The same caller, in another chain. */
  in(siteId: string | null): Trail;
}
