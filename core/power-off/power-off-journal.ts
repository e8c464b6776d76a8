import type { Logger } from "pino";
import type { Database } from "../kernel/database.ts";
import { type Journal, KEPT_DAYS, startJournal } from "../kernel/journal.ts";
import type { RunningPowerOff } from "./running-power-off.ts";

/** The history of power-offs. */
export type PowerOffJournal = Journal<RunningPowerOff>;

// one of a device that was deleted meanwhile finds no device and is left out
const UPSERT = `insert into power_off (id, site_id, device_id, action, way, force, requested_at, requested_by, stage, finished_at, seconds, stages)
  select b.* from jsonb_to_recordset(?::jsonb) as b (id uuid, site_id uuid, device_id uuid, action varchar, way varchar, force boolean,
    requested_at timestamptz, requested_by varchar, stage varchar, finished_at timestamptz, seconds float8, stages jsonb)
    join device d on d.id = b.device_id
  on conflict (id) do update set stage = excluded.stage, finished_at = excluded.finished_at, seconds = excluded.seconds, stages = excluded.stages`;

export function startPowerOffJournal(database: Database, log: Logger): PowerOffJournal {
  return startJournal<RunningPowerOff>({
    database,
    log,
    what: "power-offs of the history",
    maxWaiting: 20_000,
    rowOf,
    write: UPSERT,
    prune: [`delete from power_off where requested_at < now() - make_interval(days => ${KEPT_DAYS})`],
  });
}

function rowOf(powerOff: RunningPowerOff): object {
  return {
    id: powerOff.id,
    site_id: powerOff.siteId,
    device_id: powerOff.deviceId,
    action: powerOff.action,
    way: powerOff.way,
    force: powerOff.force,
    requested_at: powerOff.requestedAt,
    requested_by: powerOff.requestedBy.slice(0, 80),
    stage: powerOff.stage,
    finished_at: powerOff.finishedAt,
    seconds: powerOff.seconds,
    stages: powerOff.stages,
  };
}
