import type { EntityManager } from "@mikro-orm/postgresql";
import { type AuditRecord, bodyOf } from "./audit.rules.ts";

const APPEND = "select audit_append(?::jsonb)";

/** Appends rows, in their order in each chain, in the transaction of the entity manager. */
export async function appendRecords(em: EntityManager, records: readonly AuditRecord[]): Promise<void> {
  await em.execute(...appendStatement(records));
}

/** Chains are taken in the same order by everybody, so that two statements never wait for each other. */
export function appendStatement(records: readonly AuditRecord[]): [sql: string, parameters: [string]] {
  const ordered = records.toSorted(({ siteId: a }, { siteId: b }) => ((a ?? "") < (b ?? "") ? -1 : a === b ? 0 : 1));
  return [APPEND, [JSON.stringify(ordered.map(rowOf))]];
}

/** In the names of the columns. */
function rowOf(record: AuditRecord): object {
  return {
    body: bodyOf(record),
    site_id: record.siteId,
    at: record.at,
    actor_type: record.actorType,
    actor_id: record.actorId,
    actor_name: record.actorName,
    action: record.action,
    target_type: record.targetType,
    target_id: record.targetId,
    target_name: record.targetName,
    address: record.address,
    result: record.result,
    reason: record.reason,
    details: record.details,
    request_id: record.requestId,
  };
}
