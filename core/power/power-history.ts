import { randomUUID } from "node:crypto";
import type { Logger } from "pino";
import type { Evidence, PowerState } from "#contracts/power.ts";
import type { Database } from "../kernel/database.ts";
import { startWriteBehind } from "../kernel/write-behind.ts";
import { addUpDays } from "./power-days.ts";
import type { Because } from "./power.rules.ts";
import type { PowerStates } from "./power-states.ts";

/** Writes the history of power states behind them, at most half a second late. */
export interface PowerHistoryWriter {
  /** Writes what waits, so that a list that follows is complete. Fails when the database does. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

interface HistoryRow {
  readonly id: string;
  readonly site_id: string;
  readonly device_id: string;
  readonly at: Date;
  readonly power: PowerState;
  readonly because: Because;
  readonly evidence: Evidence | null;
}

const FLUSH_INTERVAL_MS = 500;
/** All of a large hub once; a database that is away for longer than that misses the oldest. */
const MAX_WAITING = 100_000;
const HOUR_MS = 3_600_000;

// a state of a device that was deleted meanwhile finds no device and is left out
const INSERT = `insert into power_history (id, site_id, device_id, at, power, because, evidence)
  select b.* from jsonb_to_recordset(?::jsonb) as b (id uuid, site_id uuid, device_id uuid, at timestamptz, power varchar,
    because varchar, evidence jsonb) join device d on d.id = b.device_id
  on conflict (id) do nothing`;

/**
 * A hub that starts knows nothing, and while none ran nobody looked: the states that it left behind end when it was last
 * known to run, which its last state or the last heartbeat of an agent tells.
 */
const HUB_START = `with lived as (select least(?::timestamptz, greatest(
      (select max(at) from power_history), (select max(at) from agent_heartbeat))) as until),
  left_behind as (select d.id, d.site_id from device d, lateral (
    select power from power_history h where h.device_id = d.id order by h.at desc limit 1) last where last.power <> 'unknown')
  insert into power_history (id, site_id, device_id, at, power, because, evidence)
    select gen_random_uuid(), site_id, left_behind.id, lived.until, 'unknown', 'hub-gone', null::jsonb from left_behind, lived
      where lived.until < ?::timestamptz - interval '1 minute'
    union all select gen_random_uuid(), site_id, left_behind.id, ?::timestamptz, 'unknown', 'hub-start', null from left_behind`;

export function startPowerHistory(
  power: PowerStates,
  { database, startedAt, log }: { database: Database; startedAt: Date; log: Logger },
): PowerHistoryWriter {
  let isStartWritten = false;
  let starting: Promise<void> | undefined;
  let working: Promise<void> | undefined;
  const behind = startWriteBehind<HistoryRow>({
    what: "power states of the history",
    intervalMs: FLUSH_INTERVAL_MS,
    maxWaiting: MAX_WAITING,
    write: (rows) => database.execute(INSERT, [JSON.stringify(rows)]),
    isUp: () => database.isUp() && isStartWritten,
    log,
  });
  power.onChange(({ device, before, after }) => {
    if (before.power === after.power) return;
    const { power: state, because, since } = after;
    const id = randomUUID();
    const at = since ?? new Date();
    const evidence = state === "on" ? after.evidence : null;
    behind.add(id, { id, site_id: device.siteId, device_id: device.id, at, power: state, because, evidence });
  });

  /** Before anything of this run, also where the database is there only later. */
  function writeStart(): Promise<void> {
    const at = startedAt.toISOString();
    starting ??= database.execute(HUB_START, [at, at, at]).then(
      () => void (isStartWritten = true),
      (error: unknown) => {
        starting = undefined;
        throw error;
      },
    );
    return starting;
  }

  async function keepUp(): Promise<void> {
    try {
      await writeStart();
      await addUpDays(database, new Date());
    } catch (error) {
      log.warn({ err: error }, "the days of the power history could not be added up; the next hour tries again");
    }
  }

  const turn = () => void (working ??= keepUp().finally(() => (working = undefined)));
  turn();
  const timer = setInterval(turn, HOUR_MS);
  return {
    flush: async () => {
      await writeStart();
      await behind.flush();
    },
    close: async () => {
      clearInterval(timer);
      await working;
      await behind.close();
    },
  };
}
