import type { EntityManager, QBFilterQuery } from "@mikro-orm/postgresql";
import type { AuditFilter, AuditRow } from "#contracts/api/audit.ts";
import type { Role } from "#contracts/permissions.ts";
import type { Database } from "../kernel/database.ts";
import { HubError } from "../kernel/errors.ts";
import { AuditEntry } from "./audit.entity.ts";
import { type StoredRecord, readEntries } from "./entries.ts";

/** The rows that somebody may read, and through which entity manager. */
export interface AuditView {
  readonly em: EntityManager;
  readonly where: QBFilterQuery<AuditEntry>;
}

/**
 * What of the log a caller sees: the rows of the site of the call. A superuser sees the hub's own rows beside them, which
 * takes the entity manager of the hub; never those of another site.
 *
 * @throws HubError FORBIDDEN
 */
export function auditView(
  caller: { readonly role: Role; readonly siteId: string; readonly em: EntityManager },
  scope: AuditFilter["scope"],
  database: Database,
): AuditView {
  const { role, siteId, em } = caller;
  const ofSite = { em, where: { siteId } };
  if (role !== "superuser") {
    if (scope === "hub") throw new HubError("FORBIDDEN", "The hub's own audit log is for superusers");
    return ofSite;
  }
  switch (scope) {
    case "site":
      return ofSite;
    case "hub":
      return { em: database.fork(), where: { siteId: null } };
    case undefined:
      return { em: database.fork(), where: { $or: [{ siteId }, { siteId: null }] } };
  }
}

/**
 * One page of the log, newest first. The cursor is the id of the last row.
 *
 * @throws HubError INVALID_INPUT for a cursor that is not one of ours.
 */
export async function readAuditPage(
  { em, where }: AuditView,
  filter: AuditFilter,
  { limit, cursor }: { limit: number; cursor?: string | undefined },
): Promise<{ items: AuditRow[]; next: string | null; total: number }> {
  const fitting = { $and: [where, conditionOf(filter)] };
  const older = cursor === undefined ? {} : { id: { $lt: idOf(cursor) } };
  const page = { orderBy: { id: "desc" }, limit: limit + 1, disableIdentityMap: true } as const;
  const [total, rows] = await em.transactional(async (em) => [
    await em.count(AuditEntry, fitting),
    await em.find(AuditEntry, { $and: [fitting, older] }, page),
  ]);
  const items = rows.slice(0, limit);
  return { items: items.map(rowOf), next: rows.length > limit ? String(items.at(-1)?.id) : null, total };
}

const ROWS_PER_PAGE = 1_000;

/**
 * All rows that fit and are there now, oldest first, page by page. Rows that come meanwhile are left out, so that each page
 * follows the one before.
 */
export async function auditPages(
  { em, where }: AuditView,
  filter: AuditFilter,
): Promise<AsyncGenerator<readonly AuditRow[]>> {
  const fitting = { $and: [where, conditionOf(filter)] };
  const [newest] = await em.find(AuditEntry, fitting, { orderBy: { id: "desc" }, limit: 1, fields: ["id"] });
  const last = newest?.id ?? 0;
  return (async function* () {
    for (let after = 0; after < last;) {
      const following = { $and: [fitting, { id: { $gt: after, $lte: last } }] };
      const page = await readEntries(em, following, { by: "id", limit: ROWS_PER_PAGE });
      const end = page.at(-1);
      if (!end) return;
      yield page.map(rowOf);
      after = end.id;
    }
  })();
}

function conditionOf({ q, action, result, actor, from, to }: AuditFilter): QBFilterQuery<AuditEntry> {
  const part = { $ilike: `%${q?.replaceAll(/[\\%_]/g, String.raw`\$&`)}%` };
  return {
    ...(action && { action }),
    ...(result && { result }),
    ...(actor && { actorType: actor }),
    ...((from || to) && { at: { ...(from && { $gte: new Date(from) }), ...(to && { $lt: new Date(to) }) } }),
    ...(q && { $or: [{ actorName: part }, { targetName: part }, { address: part }] }),
  };
}

function idOf(cursor: string): number {
  if (/^\d{1,15}$/.test(cursor)) return Number(cursor);
  throw new HubError("INVALID_INPUT", "This cursor did not come from this list", { field: "cursor" });
}

function rowOf(row: StoredRecord): AuditRow {
  const { targetType, targetId = null, targetName = null } = row;
  return {
    seq: row.seq,
    scope: row.siteId ? "site" : "hub",
    at: row.at.toISOString(),
    actor: { type: row.actorType, id: row.actorId ?? null, name: row.actorName ?? null },
    action: row.action,
    target: targetType ? { type: targetType, id: targetId, name: targetName } : null,
    address: row.address ?? null,
    result: row.result,
    reason: row.reason ?? null,
    details: row.details ? detailsOf(row.details) : null,
    requestId: row.requestId ?? null,
    hash: row.hash,
  };
}

/** A row that somebody tampered with is shown, too. */
function detailsOf(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return { unreadable: text };
  }
}
