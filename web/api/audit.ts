import type { z } from "zod";
import type { AuditFilter as Filter, AuditRow } from "#contracts/api/audit.ts";
import { call, callForFile } from "./call.ts";

export type AuditFilter = z.input<typeof Filter>;

export interface AuditPart {
  readonly items: AuditRow[];
  readonly next: string | null;
  readonly total: number;
}

const PART = 50;

/** The newest first. @param cursor where the last part ended. */
export async function auditPart(filter: AuditFilter, cursor: string | null): Promise<AuditPart> {
  return await call("GET", `/audit?${query({ ...filter, limit: String(PART), cursor: cursor ?? undefined })}`);
}

/** Everything that fits, as a file. @throws CallError */
export async function auditFile(filter: AuditFilter, format: "csv" | "json"): Promise<Blob> {
  return await callForFile(`/audit/export?${query({ ...filter, format })}`);
}

function query(values: Readonly<Record<string, string | undefined>>): string {
  const given = Object.entries(values).flatMap(([name, value]) => (value ? [[name, value]] : []));
  return new URLSearchParams(given).toString();
}
