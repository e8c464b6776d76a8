import type { LeaseAnswer } from "#contracts/api/leases.ts";
import { HubError } from "../kernel/errors.ts";

/** Who holds a lease. */
export interface Holder {
  readonly heldBy: string;
  readonly holder: LeaseAnswer["holder"];
}

/** A lease that is not over, as the hub holds it in memory. */
export interface OpenLease extends Holder {
  readonly id: string;
  readonly siteId: string;
  readonly deviceId: string;
  readonly reason: string | null;
  readonly since: Date;
  readonly until: Date | null;
}

/** Who holds a device on, and how long. */
export interface Held {
  readonly count: number;
  /** When the last lease ends; null = nobody holds it, or somebody without an end. */
  readonly heldUntil: Date | null;
  readonly by: readonly string[];
}

/** A machine goes down after its last lease only so much later: whoever came meanwhile is not surprised. Milliseconds. */
export const OFF_WITHIN_MS = 15 * 60_000;

/** What leases that end later than now say together. */
export function heldBy(leases: Iterable<OpenLease>, now: Date): Held {
  const open = [...leases].filter(({ until }) => until === null || until > now);
  const ends = open.map(({ until }) => until?.getTime() ?? Number.POSITIVE_INFINITY);
  const last = Math.max(...ends);
  return {
    count: open.length,
    heldUntil: Number.isFinite(last) ? new Date(last) : null,
    by: [...new Set(open.map((lease) => lease.heldBy))],
  };
}

/** When a lease ends; null = when it is given back. @throws HubError INVALID_INPUT (until) */
export function endOf(
  { until, forMinutes }: { until?: string | undefined; forMinutes?: number | undefined },
  now: Date,
): Date | null {
  if (forMinutes !== undefined) return new Date(now.getTime() + forMinutes * 60_000);
  if (until === undefined) return null;
  const end = new Date(until);
  if (end <= now) throw new HubError("INVALID_INPUT", "is past", { field: "until" });
  return end;
}

/** A person and the tokens of that person are one. */
export function isHolder({ heldBy, holder }: Holder, asker: Holder): boolean {
  return heldBy === asker.heldBy && kindOf(holder) === kindOf(asker.holder);
}

function kindOf(holder: Holder["holder"]): string {
  return holder === "token" ? "person" : holder;
}
