import type { EntityManager } from "@mikro-orm/postgresql";
import { Key } from "#contracts/key.ts";
import { type LastWake, WakeOutcome } from "#contracts/power.ts";
import type { WakeStageRecord } from "#contracts/wake.ts";
import type { RunningWake } from "./running-wake.ts";

/** How the last wake of each device ended. */
export class LastWakes {
  readonly #byDevice = new Map<string, LastWake>();

  of(deviceId: string): LastWake | null {
    return this.#byDevice.get(deviceId) ?? null;
  }

  /** A request that met a machine already on was no wake. */
  note(wake: RunningWake): void {
    const outcome = WakeOutcome.safeParse(wake.stage);
    if (!outcome.success || outcome.data === "already-on") return;
    const agents = [...wake.agents.values()].filter((agent) => agent.stage === "sent").map((agent) => agent.key);
    this.#byDevice.set(wake.deviceId, {
      at: wake.requestedAt.toISOString(),
      outcome: outcome.data,
      seconds: wake.seconds,
      agents,
      by: wake.requestedBy,
    });
  }

  forget(deviceId: string): void {
    this.#byDevice.delete(deviceId);
  }

  restore(deviceId: string, lastWake: LastWake): void {
    this.#byDevice.set(deviceId, lastWake);
  }
}

interface LastWakeRow {
  readonly device_id: string;
  readonly requested_at: string | Date;
  readonly requested_by: string;
  readonly stage: string;
  readonly seconds: number | null;
  readonly stages: readonly WakeStageRecord[];
}

const LAST_OF_EACH = `select distinct on (device_id) device_id, requested_at, requested_by, stage, seconds, stages from wake
  where finished_at is not null and stage <> 'already-on' order by device_id, requested_at desc`;

const LEFT_OPEN = `update wake set stage = 'failed', finished_at = ?, stages = stages || ?::jsonb where finished_at is null
  returning id, device_id`;

/** A wake that a stopped hub left open, and its end. */
export interface InterruptedWake {
  readonly id: string;
  readonly deviceId: string;
  readonly end: WakeStageRecord;
}

/** Ends the wakes that a stopped hub left open. Every site. */
export async function endInterruptedWakes(em: EntityManager, now: Date): Promise<InterruptedWake[]> {
  const end: WakeStageRecord = {
    stage: "failed",
    at: now.toISOString(),
    code: "HUB_RESTARTED",
    reason: "The hub was restarted meanwhile",
    agents: [],
    findings: [],
  };
  const rows = await em.execute<{ id: string; device_id: string }[]>(LEFT_OPEN, [now, JSON.stringify([end])]);
  return rows.map((row) => ({ id: row.id, deviceId: row.device_id, end }));
}

/** Reads how the last wake of each device ended. Every site. */
export async function restoreLastWakes(em: EntityManager): Promise<LastWakes> {
  const rows = await em.execute<LastWakeRow[]>(LAST_OF_EACH);
  const lastWakes = new LastWakes();
  for (const row of rows) {
    const outcome = WakeOutcome.parse(row.stage);
    const agents = row.stages.flatMap((record) => (record.stage === "sent" ? [Key.parse(record.agent)] : []));
    lastWakes.restore(row.device_id, {
      at: new Date(row.requested_at).toISOString(),
      outcome,
      seconds: row.seconds,
      agents,
      by: row.requested_by,
    });
  }
  return lastWakes;
}
