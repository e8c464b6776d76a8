import type { Logger } from "pino";
import type { ScheduleRun as Run } from "#contracts/api/schedules.ts";
import type { Database } from "../kernel/database.ts";
import { type Journal, KEPT_DAYS, startJournal } from "../kernel/journal.ts";

/** What became of runs. */
export type RunJournal = Journal<Run>;

const UPDATE = `update schedule_run r set outcome = b.outcome, because = b.because, code = b.code, devices = b.devices
  from jsonb_to_recordset(?::jsonb) as b (id uuid, outcome varchar, because text, code varchar, devices jsonb) where r.id = b.id`;

/** Of each schedule. */
const KEPT_RUNS = 5_000;
const PRUNE_OLD = `delete from schedule_run where at < now() - make_interval(days => ${KEPT_DAYS})`;
const PRUNE_MANY = `delete from schedule_run where id in (select id from (select id, row_number() over
  (partition by schedule_id order by due_at desc) as place from schedule_run) placed where place > ${KEPT_RUNS})`;

export function startRunJournal(database: Database, log: Logger): RunJournal {
  return startJournal<Run>({
    database,
    log,
    what: "runs of schedules",
    maxWaiting: 5_000,
    rowOf: (run) => run,
    write: UPDATE,
    prune: [PRUNE_OLD, PRUNE_MANY],
  });
}
