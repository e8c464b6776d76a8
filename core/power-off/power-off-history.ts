import type { EntityManager } from "@mikro-orm/postgresql";
import type { PowerOffAnswer } from "#contracts/api/power-offs.ts";
import { Key } from "#contracts/key.ts";
import { instantCursor, readInstantCursor } from "../kernel/instant-cursor.ts";
import { PowerOff } from "./power-off.entity.ts";
import type { RunningPowerOff } from "./running-power-off.ts";

/**
 * One page of a device's power-offs, newest first. The cursor is the instant and the id of the last row.
 *
 * @param em inside a transaction, so that the page and its total are of one moment.
 * @throws HubError INVALID_INPUT for a cursor that is not one of ours.
 */
export async function readPowerOffPage(
  em: EntityManager,
  where: { device: string },
  { limit, cursor }: { limit: number; cursor?: string | undefined },
): Promise<{ items: PowerOffAnswer[]; next: string | null; total: number }> {
  const after = cursor === undefined ? undefined : readInstantCursor(cursor);
  const older = after && {
    $or: [{ requestedAt: { $lt: after.at } }, { requestedAt: after.at, id: { $lt: after.id } }],
  };
  const total = await em.count(PowerOff, where);
  const rows = await em.find(
    PowerOff,
    { ...where, ...older },
    // read only: without the identity map nothing looks for changes in them when the transaction ends
    { populate: ["device"], orderBy: { requestedAt: "desc", id: "desc" }, limit: limit + 1, disableIdentityMap: true },
  );
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const next = last && rows.length > limit ? instantCursor(last.requestedAt, last.id) : null;
  return { items: shown.map(rowAnswer), next, total };
}

export function rowAnswer(row: PowerOff): PowerOffAnswer {
  return {
    id: row.id,
    device: Key.parse(row.device.unwrap().key),
    deviceId: row.device.id,
    action: row.action,
    way: row.way,
    force: row.force,
    stage: row.stage,
    requestedAt: row.requestedAt.toISOString(),
    requestedBy: row.requestedBy,
    finishedAt: row.finishedAt?.toISOString() ?? null,
    seconds: row.seconds ?? null,
    stages: row.stages,
  };
}

export function runningAnswer(powerOff: RunningPowerOff): PowerOffAnswer {
  const { id, deviceKey, deviceId, action, way, force, stage, requestedAt, requestedBy, finishedAt, seconds } =
    powerOff;
  return {
    id,
    device: deviceKey,
    deviceId,
    action,
    way,
    force,
    stage,
    requestedAt: requestedAt.toISOString(),
    requestedBy,
    finishedAt: finishedAt?.toISOString() ?? null,
    seconds,
    stages: [...powerOff.stages],
  };
}
