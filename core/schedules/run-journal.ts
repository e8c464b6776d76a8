import type { Logger } from "pino";
import type { ScheduleRun as Run } from "#contracts/api/schedules.ts";
import type { Database } from "../kernel/database.ts";
import { startWriteBehind } from "../kernel/write-behind.ts";

/** Writes what became of runs behind them, at most half a second late, and forgets the old ones. */
export interface RunJournal {
  add(run: Run): void;
  /** Writes what waits, so that a list that follows is complete. Fails when the database does. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

const FLUSH_INTERVAL_MS = 500;
const MAX_WAITING = 5_000;

const UPDATE = `update schedule_run r set outcome = b.outcome, because = b.because, code = b.code, devices = b.devices
  from jsonb_to_recordset(?::jsonb) as b (id uuid, outcome varchar, because text, code varchar, devices jsonb) where r.id = b.id`;

/** Older history goes, and of each schedule what is beyond so many rows; once at the start and then once a day. */
const KEPT_DAYS = 400;
const KEPT_OF_SCHEDULE = 5_000;
const DAY_MS = 24 * 60 * 60 * 1_000;
const PRUNE_OLD = `delete from schedule_run where at < now() - make_interval(days => ${KEPT_DAYS})`;
const PRUNE_MANY = `delete from schedule_run where id in (select id from (select id, row_number() over
  (partition by schedule_id order by due_at desc) as place from schedule_run) placed where place > ${KEPT_OF_SCHEDULE})`;

export function startRunJournal(database: Database, log: Logger): RunJournal {
  const behind = startWriteBehind<Run>({
    what: "runs of schedules",
    intervalMs: FLUSH_INTERVAL_MS,
    maxWaiting: MAX_WAITING,
    write: (runs) => database.execute(UPDATE, [JSON.stringify(runs)]),
    isUp: () => database.isUp(),
    log,
  });

  async function prune(): Promise<void> {
    try {
      await database.execute(PRUNE_OLD, []);
      await database.execute(PRUNE_MANY, []);
    } catch (error) {
      log.warn({ err: error }, "old runs of schedules could not be deleted; the next day tries again");
    }
  }

  void prune();
  const pruneTimer = setInterval(() => void prune(), DAY_MS);
  return {
    add: (run) => behind.add(run.id, run),
    flush: () => behind.flush(),
    close: async () => {
      clearInterval(pruneTimer);
      await behind.close();
    },
  };
}
