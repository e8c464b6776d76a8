import type { EntityManager } from "@mikro-orm/postgresql";
import type { LeaseAnswer, LeaseQuery } from "#contracts/api/leases.ts";
import { Key } from "#contracts/key.ts";
import { HubError } from "../kernel/errors.ts";
import type { Page } from "../kernel/pages.ts";
import { Lease } from "./lease.entity.ts";

/**
 * One page of leases, newest first. The cursor is the instant and the id of the last row.
 *
 * @param em inside a transaction, so that the page and its total are of one moment.
 * @throws HubError INVALID_INPUT for a cursor that is not one of ours.
 */
export async function readLeasePage(
  em: EntityManager,
  of: { device?: string },
  { limit, cursor, state }: LeaseQuery,
): Promise<Page<LeaseAnswer>> {
  const where = { ...of, ...(state !== "all" && { endedAt: state === "open" ? null : { $ne: null } }) };
  const after = cursor === undefined ? undefined : readCursor(cursor);
  const older = after && { $or: [{ since: { $lt: after.at } }, { since: after.at, id: { $lt: after.id } }] };
  const total = await em.count(Lease, where);
  const rows = await em.find(
    Lease,
    { ...where, ...older },
    { populate: ["device"], orderBy: { since: "desc", id: "desc" }, limit: limit + 1, disableIdentityMap: true },
  );
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  const next =
    last && rows.length > limit ? Buffer.from(`${last.since.toISOString()} ${last.id}`).toString("base64url") : null;
  return { items: items.map(rowAnswer), next, total };
}

function rowAnswer(row: Lease): LeaseAnswer {
  const { id, device, heldBy, holder, since } = row;
  return {
    id,
    device: Key.parse(device.unwrap().key),
    deviceId: device.id,
    heldBy,
    holder,
    reason: row.reason ?? null,
    since: since.toISOString(),
    until: row.until?.toISOString() ?? null,
    endedAt: row.endedAt?.toISOString() ?? null,
    endedBecause: row.endedBecause ?? null,
  };
}

function readCursor(cursor: string): { at: Date; id: string } {
  const [instant = "", id = ""] = Buffer.from(cursor, "base64url").toString().split(" ");
  const at = new Date(instant);
  if (Number.isNaN(at.getTime()) || !/^[0-9a-f-]{36}$/.test(id))
    throw new HubError("INVALID_INPUT", "This cursor did not come from this list", { field: "cursor" });
  return { at, id };
}
