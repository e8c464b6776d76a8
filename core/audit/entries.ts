import type { EntityManager, QBFilterQuery } from "@mikro-orm/postgresql";
import { AuditEntry } from "./audit.entity.ts";
import type { AuditRecord } from "./audit.rules.ts";

/** A row of the log as it is kept. */
export interface StoredRecord extends AuditRecord {
  readonly id: number;
  readonly seq: number;
  readonly hash: string;
}

/** Rows as plain values, in the order in which they came. To make an entity of each costs ten times as much, and there are many. */
export async function readEntries(
  em: EntityManager,
  where: QBFilterQuery<AuditEntry>,
  { by, limit }: { by: "id" | "seq"; limit: number },
): Promise<StoredRecord[]> {
  const query = em
    .createQueryBuilder(AuditEntry)
    .select("*")
    .where(where)
    .orderBy({ [by]: "asc" })
    .limit(limit);
  const rows = await query.execute<Row[]>("all");
  return rows.map((row) => ({ ...row, id: Number(row.id), seq: Number(row.seq) }));
}

/** Postgres' bigint comes as text. */
type Row = Omit<StoredRecord, "id" | "seq"> & { readonly id: string; readonly seq: string };
