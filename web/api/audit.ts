import type { z } from "zod";
import type { AuditFilter as Filter, AuditRow } from "#contracts/api/audit.ts";
import type { Problem } from "#contracts/api/common.ts";
import { hrefOf } from "./address.ts";
import { CallError, call } from "./call.ts";
import { chosenSite } from "./site.ts";

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

/**
 * Everything that fits, as a file. A link could not say which site it is about, so it is fetched whole.
 *
 * @throws CallError
 */
export async function auditFile(filter: AuditFilter, format: "csv" | "json"): Promise<Blob> {
  const site = chosenSite();
  const answer = await fetch(hrefOf(`/api/audit/export?${query({ ...filter, format })}`), {
    headers: site === null ? {} : { "x-powerbeacon-site": site },
  }).catch(() => undefined);
  if (answer?.ok) return await answer.blob();
  const { code = "UNREACHABLE", detail = "The hub cannot be reached. Try again in a moment." } =
    await problemOf(answer);
  throw new CallError(code, detail);
}

async function problemOf(answer: Response | undefined): Promise<Partial<Problem>> {
  try {
    return (await answer?.json()) ?? {};
  } catch {
    return {}; // a proxy's page
  }
}

function query(values: Readonly<Record<string, string | undefined>>): string {
  const given = Object.entries(values).flatMap(([name, value]) => (value ? [[name, value]] : []));
  return new URLSearchParams(given).toString();
}
