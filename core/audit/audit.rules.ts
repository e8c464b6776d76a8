import { createHash } from "node:crypto";
import type { TrailEvent, TrailSource } from "../kernel/trail.ts";
import type { AuditEntry } from "./audit.entity.ts";

/** What a row says. Its place, and the hash that chains it to the row before, come from the database. */
export type AuditRecord = Pick<
  AuditEntry,
  | "siteId"
  | "at"
  | "actorType"
  | "actorId"
  | "actorName"
  | "action"
  | "targetType"
  | "targetId"
  | "targetName"
  | "address"
  | "result"
  | "reason"
  | "details"
  | "requestId"
>;

/** What the first row of a chain follows. */
export const BEGINNING = "0".repeat(64);

/** Beyond this, a text in the details loses its end, and details of more than ten of these are left out. Characters. */
const DETAIL_LENGTH = 400;

export function recordOf(source: TrailSource, event: TrailEvent, at: Date): AuditRecord {
  const { actor } = source;
  const { target, details } = event;
  return {
    siteId: source.siteId,
    at,
    actorType: actor.type,
    actorId: cut(actor.id, 80),
    actorName: cut(actor.name, 200),
    action: event.action,
    targetType: cut(target?.type, 16),
    targetId: cut(target?.id, 80),
    targetName: cut(target?.name, 200),
    address: cut(source.address, 64),
    result: event.result ?? "ok",
    reason: cut(event.reason, 64),
    details: details === undefined ? null : detailsText(details),
    requestId: cut(source.requestId, 64),
  };
}

/** A row as the text that its hash is made over: always the same fields in the same order. */
export function bodyOf(record: AuditRecord): string {
  return JSON.stringify([
    record.siteId ?? null,
    record.at.toISOString(),
    record.actorType,
    record.actorId ?? null,
    record.actorName ?? null,
    record.action,
    record.targetType ?? null,
    record.targetId ?? null,
    record.targetName ?? null,
    record.address ?? null,
    record.result,
    record.reason ?? null,
    record.details ?? null,
    record.requestId ?? null,
  ]);
}

/** The hash of a row in its chain, as `audit_append` makes it: over the hash before, `seq` as eight bytes, and the row. */
export function hashOf(before: string, seq: number, record: AuditRecord): string {
  const place = Buffer.alloc(8);
  place.writeBigInt64BE(BigInt(seq));
  return createHash("sha256").update(before, "hex").update(place).update(bodyOf(record)).digest("hex");
}

/** As long as the column, and without what Postgres cannot keep: NUL and half a surrogate pair. */
function cut(text: string | null | undefined, length: number): string | null {
  return text === null || text === undefined ? null : text.slice(0, length).toWellFormed().replaceAll("\0", "\uFFFD");
}

function detailsText(details: Readonly<Record<string, unknown>>): string {
  const text = JSON.stringify(details, (_key, value: unknown) =>
    typeof value === "string" ? cut(value, DETAIL_LENGTH) : value,
  );
  return text.length <= DETAIL_LENGTH * 10 ? text : JSON.stringify({ leftOut: `${text.length} characters` });
}
