import type { EntityManager } from "@mikro-orm/postgresql";
import type { WakeAnswer } from "#contracts/api/wakes.ts";
import { Key } from "#contracts/key.ts";
import { instantCursor, readInstantCursor } from "../kernel/instant-cursor.ts";
import { Wake } from "./wake.entity.ts";

/**
 * One page of the history, newest first. The cursor is the instant and the id of the last row.
 *
 * @param em inside a transaction, so that the page and its total are of one moment.
 * @throws HubError INVALID_INPUT for a cursor that is not one of ours.
 */
export async function readWakePage(
  em: EntityManager,
  where: { device?: string },
  { limit, cursor }: { limit: number; cursor?: string | undefined },
): Promise<{ items: WakeAnswer[]; next: string | null; total: number }> {
  const after = cursor === undefined ? undefined : readInstantCursor(cursor);
  const older = after && {
    $or: [{ requestedAt: { $lt: after.at } }, { requestedAt: after.at, id: { $lt: after.id } }],
  };
  const total = await em.count(Wake, where);
  const rows = await em.find(
    Wake,
    { ...where, ...older },
    // read only: without the identity map nothing looks for changes in them when the transaction ends
    { populate: ["device"], orderBy: { requestedAt: "desc", id: "desc" }, limit: limit + 1, disableIdentityMap: true },
  );
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  const next = last && rows.length > limit ? instantCursor(new Date(last.requestedAt), last.id) : null;
  return { items: items.map(rowAnswer), next, total };
}

export function rowAnswer(row: Wake): WakeAnswer {
  return {
    id: row.id,
    device: Key.parse(row.device.unwrap().key),
    deviceId: row.device.id,
    stage: row.stage,
    requestedAt: row.requestedAt.toISOString(),
    requestedBy: row.requestedBy,
    finishedAt: row.finishedAt?.toISOString() ?? null,
    seconds: row.seconds ?? null,
    evidence: row.evidence ?? null,
    stages: row.stages,
  };
}
