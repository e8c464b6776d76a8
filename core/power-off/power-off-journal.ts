import type { Logger } from "pino";
import type { Database } from "../kernel/database.ts";
import { startWriteBehind } from "../kernel/write-behind.ts";
import type { RunningPowerOff } from "./running-power-off.ts";

/** Writes the history of power-offs behind them, at most half a second late. */
export interface PowerOffJournal {
  add(powerOff: RunningPowerOff): void;
  /** Writes what waits, so that a list that follows is complete. Fails when the database does. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

const FLUSH_INTERVAL_MS = 500;
const MAX_WAITING = 20_000;

// one of a device that was deleted meanwhile finds no device and is left out
const UPSERT = `insert into power_off (id, site_id, device_id, action, way, force, requested_at, requested_by, stage, finished_at, seconds, stages)
  select b.* from jsonb_to_recordset(?::jsonb) as b (id uuid, site_id uuid, device_id uuid, action varchar, way varchar, force boolean,
    requested_at timestamptz, requested_by varchar, stage varchar, finished_at timestamptz, seconds float8, stages jsonb)
    join device d on d.id = b.device_id
  on conflict (id) do update set stage = excluded.stage, finished_at = excluded.finished_at, seconds = excluded.seconds, stages = excluded.stages`;

/** History older than this goes, once at the start and then once a day. */
const KEPT_DAYS = 400;
const DAY_MS = 24 * 60 * 60 * 1_000;
const PRUNE = `delete from power_off where requested_at < now() - make_interval(days => ${KEPT_DAYS})`;

export function startPowerOffJournal(database: Database, log: Logger): PowerOffJournal {
  const behind = startWriteBehind<RunningPowerOff>({
    what: "power-offs of the history",
    intervalMs: FLUSH_INTERVAL_MS,
    maxWaiting: MAX_WAITING,
    write: (powerOffs) => database.execute(UPSERT, [JSON.stringify(powerOffs.map(rowOf))]),
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
    add: (powerOff) => behind.add(powerOff.id, powerOff),
    flush: () => behind.flush(),
    close: async () => {
      clearInterval(pruneTimer);
      await behind.close();
    },
  };
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
