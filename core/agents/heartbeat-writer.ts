import type { Heartbeat } from "#contracts/agent.ts";
import type { Logger } from "pino";
import type { Database } from "../kernel/database.ts";
import { type WriteBehind, startWriteBehind } from "../kernel/write-behind.ts";

/** The newest heartbeat of an agent, on its way to the database. */
export interface WaitingHeartbeat {
  readonly agent_id: string;
  readonly heartbeat: Heartbeat;
}

export type HeartbeatWriter = WriteBehind<WaitingHeartbeat>;

const FLUSH_INTERVAL_MS = 1_000;
/** One an agent; more agents than this have other worries. */
const MAX_WAITING = 100_000;

// a heartbeat of an agent that was deleted meanwhile finds no agent and is left out
const UPSERT = `insert into agent_heartbeat (agent_id, site_id, at, heartbeat)
  select a.id, a.site_id, (b.heartbeat ->> 'at')::timestamptz, b.heartbeat
  from jsonb_to_recordset(?::jsonb) as b (agent_id uuid, heartbeat jsonb) join agent a on a.id = b.agent_id
  on conflict (agent_id) do update set at = excluded.at, heartbeat = excluded.heartbeat`;

export function startHeartbeatWriter(database: Database, log: Logger): HeartbeatWriter {
  return startWriteBehind({
    what: "heartbeats",
    intervalMs: FLUSH_INTERVAL_MS,
    maxWaiting: MAX_WAITING,
    write: (rows) => database.execute(UPSERT, [JSON.stringify(rows)]),
    isUp: () => database.isUp(),
    log,
  });
}
