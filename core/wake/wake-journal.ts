import type { Logger } from "pino";
import type { Database } from "../kernel/database.ts";
import { startWriteBehind } from "../kernel/write-behind.ts";
import type { RunningWake } from "./running-wake.ts";

/** Writes the history of wakes behind them, at most half a second late. */
export interface WakeJournal {
  add(wake: RunningWake): void;
  /** Writes what waits, so that a list that follows is complete. Fails when the database does. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

const FLUSH_INTERVAL_MS = 500;
const MAX_WAITING = 20_000;

// a wake of a device that was deleted meanwhile finds no device and is left out
const UPSERT = `insert into wake (id, site_id, device_id, requested_at, requested_by, stage, finished_at, seconds, evidence, stages)
  select b.* from jsonb_to_recordset(?::jsonb) as b (id uuid, site_id uuid, device_id uuid, requested_at timestamptz, requested_by varchar,
    stage varchar, finished_at timestamptz, seconds float8, evidence jsonb, stages jsonb) join device d on d.id = b.device_id
  on conflict (id) do update set stage = excluded.stage, finished_at = excluded.finished_at, seconds = excluded.seconds,
    evidence = excluded.evidence, stages = excluded.stages`;

/** History older than this goes, once at the start and then once a day. */
const KEPT_DAYS = 400;
const DAY_MS = 24 * 60 * 60 * 1_000;
const PRUNE = `delete from wake where requested_at < now() - make_interval(days => ${KEPT_DAYS})`;

export function startWakeJournal(database: Database, log: Logger): WakeJournal {
  const behind = startWriteBehind<RunningWake>({
    what: "wakes of the history",
    intervalMs: FLUSH_INTERVAL_MS,
    maxWaiting: MAX_WAITING,
    write: (wakes) => database.execute(UPSERT, [JSON.stringify(wakes.map(rowOf))]),
    isUp: () => database.isUp(),
    log,
  });

  async function prune(): Promise<void> {
    try {
      await database.execute(PRUNE, []);
    } catch (error) {
      log.warn({ err: error }, "old history could not be deleted; the next day tries again");
    }
  }

  void prune();
  const pruneTimer = setInterval(() => void prune(), DAY_MS);
  return {
    add: (wake) => behind.add(wake.id, wake),
    flush: () => behind.flush(),
    close: async () => {
      clearInterval(pruneTimer);
      await behind.close();
    },
  };
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
