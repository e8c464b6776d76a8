import type { Logger } from "pino";
import type { Database } from "../kernel/database.ts";
import { type Journal, KEPT_DAYS, startJournal } from "../kernel/journal.ts";
import type { RunningWake } from "./running-wake.ts";

/** The history of wakes. */
export type WakeJournal = Journal<RunningWake>;

// a wake of a device that was deleted meanwhile finds no device and is left out
const UPSERT = `insert into wake (id, site_id, device_id, requested_at, requested_by, stage, finished_at, seconds, evidence, stages)
  select b.* from jsonb_to_recordset(?::jsonb) as b (id uuid, site_id uuid, device_id uuid, requested_at timestamptz, requested_by varchar,
    stage varchar, finished_at timestamptz, seconds float8, evidence jsonb, stages jsonb) join device d on d.id = b.device_id
  on conflict (id) do update set stage = excluded.stage, finished_at = excluded.finished_at, seconds = excluded.seconds,
    evidence = excluded.evidence, stages = excluded.stages`;

export function startWakeJournal(database: Database, log: Logger): WakeJournal {
  return startJournal<RunningWake>({
    database,
    log,
    what: "wakes of the history",
    maxWaiting: 20_000,
    rowOf,
    write: UPSERT,
    prune: [`delete from wake where requested_at < now() - make_interval(days => ${KEPT_DAYS})`],
  });
}

function rowOf(wake: RunningWake): object {
  return {
    id: wake.id,
    site_id: wake.siteId,
    device_id: wake.deviceId,
    requested_at: wake.requestedAt,
    requested_by: wake.requestedBy.slice(0, 80),
    stage: wake.stage,
    finished_at: wake.finishedAt,
    seconds: wake.seconds,
    evidence: wake.evidence,
    stages: wake.stages,
  };
}
