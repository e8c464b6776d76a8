import type { EntityManager } from "@mikro-orm/postgresql";
import { type LastPowerOff, PowerOffOutcome } from "#contracts/power.ts";
import type { PowerOffAction } from "#contracts/power-action.ts";
import type { PowerOffStageRecord } from "#contracts/power-off.ts";
import type { RunningPowerOff } from "./running-power-off.ts";

/** How the last power-off of each device ended. */
export class LastPowerOffs {
  readonly #byDevice = new Map<string, LastPowerOff>();

  of(deviceId: string): LastPowerOff | null {
    return this.#byDevice.get(deviceId) ?? null;
  }

  /** A request that met a machine already off was no power-off. */
  note({ deviceId, stage, last, action, requestedAt, requestedBy, seconds }: RunningPowerOff): void {
    const outcome = PowerOffOutcome.safeParse(stage);
    if (!outcome.success || outcome.data === "already-off" || !last) return;
    this.#byDevice.set(deviceId, {
      at: requestedAt.toISOString(),
      action,
      outcome: outcome.data,
      seconds,
      reason: reasonOf(last),
      by: requestedBy,
    });
  }

  forget(deviceId: string): void {
    this.#byDevice.delete(deviceId);
  }

  restore(deviceId: string, lastPowerOff: LastPowerOff): void {
    this.#byDevice.set(deviceId, lastPowerOff);
  }
}

/** Why it ended as it did; null where that needs no words. */
export function reasonOf(record: PowerOffStageRecord): string | null {
  switch (record.stage) {
    case "failed":
    case "cancelled":
      return record.reason;
    case "still-on":
      return `It was still seen on after ${record.seconds} s`;
    case "accepted":
    case "sent":
    case "announced":
    case "acknowledged":
    case "off":
    case "rebooted":
    case "already-off":
      return null;
  }
}

interface LastRow {
  readonly device_id: string;
  readonly action: PowerOffAction;
  readonly requested_at: string | Date;
  readonly requested_by: string;
  readonly stage: string;
  readonly seconds: number | null;
  readonly last: PowerOffStageRecord;
}

const LAST_OF_EACH = `select distinct on (device_id) device_id, action, requested_at, requested_by, stage, seconds, stages -> -1 as last
  from power_off where finished_at is not null and stage <> 'already-off' order by device_id, requested_at desc`;

const LEFT_OPEN = `update power_off set stage = 'failed', finished_at = ?, stages = stages || ?::jsonb where finished_at is null
  returning id, device_id, action`;

/** A power-off that a stopped hub left open, and its end. */
export interface InterruptedPowerOff {
  readonly id: string;
  readonly deviceId: string;
  readonly action: PowerOffAction;
  readonly end: PowerOffStageRecord;
}

/** Ends the power-offs that a stopped hub left open; none of their orders is ever given again. Every site. */
export async function endInterruptedPowerOffs(em: EntityManager, now: Date): Promise<InterruptedPowerOff[]> {
  const end: PowerOffStageRecord = {
    stage: "failed",
    at: now.toISOString(),
    code: "HUB_RESTARTED",
    reason: "The hub was restarted meanwhile",
  };
  type Row = { id: string; device_id: string; action: PowerOffAction };
  const rows = await em.execute<Row[]>(LEFT_OPEN, [now, JSON.stringify([end])]);
  return rows.map(({ id, device_id: deviceId, action }) => ({ id, deviceId, action, end }));
}

/** Reads how the last power-off of each device ended. Every site. */
export async function restoreLastPowerOffs(em: EntityManager): Promise<LastPowerOffs> {
  const rows = await em.execute<LastRow[]>(LAST_OF_EACH);
  const lastPowerOffs = new LastPowerOffs();
  for (const row of rows)
    lastPowerOffs.restore(row.device_id, {
      at: new Date(row.requested_at).toISOString(),
      action: row.action,
      outcome: PowerOffOutcome.parse(row.stage),
      seconds: row.seconds,
      reason: reasonOf(row.last),
      by: row.requested_by,
    });
  return lastPowerOffs;
}
