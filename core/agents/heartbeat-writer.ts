import type { Heartbeat } from "#contracts/agent.ts";
import type { Logger } from "pino";
import type { Database } from "../kernel/database.ts";

/**
 * Writes heartbeats behind the messages: once a second, only the newest of each agent, in one statement.
 *
 * The set is bounded by the number of agents. While the database is away the newest value of each waits.
 */
export interface HeartbeatWriter {
  add(agent: { readonly id: string; readonly siteId: string }, heartbeat: Heartbeat): void;
  close(): Promise<void>;
}

const FLUSH_INTERVAL_MS = 1_000;
const ROWS_PER_STATEMENT = 500;

// a heartbeat of an agent that was deleted meanwhile finds no agent and is left out
const UPSERT = `insert into agent_heartbeat (agent_id, site_id, at, heartbeat)
  select a.id, a.site_id, (b.heartbeat ->> 'at')::timestamptz, b.heartbeat
  from jsonb_to_recordset(?::jsonb) as b (agent_id uuid, heartbeat jsonb) join agent a on a.id = b.agent_id
  on conflict (agent_id) do update set at = excluded.at, heartbeat = excluded.heartbeat`;

export function startHeartbeatWriter(database: Database, log: Logger): HeartbeatWriter {
  const dirty = new Map<string, Heartbeat>();
  let flushing: Promise<void> | undefined;

  async function flush(): Promise<void> {
    while (dirty.size > 0 && database.isUp()) {
      const batch = [...dirty].slice(0, ROWS_PER_STATEMENT);
      for (const [id] of batch) dirty.delete(id);
      try {
        await database.execute(UPSERT, [JSON.stringify(batch.map(([id, heartbeat]) => ({ agent_id: id, heartbeat })))]);
      } catch (error) {
        for (const [id, heartbeat] of batch) if (!dirty.has(id)) dirty.set(id, heartbeat);
        log.warn({ err: error, waiting: dirty.size }, "heartbeats could not be written; they wait");
        return;
      }
    }
  }

  const timer = setInterval(() => {
    flushing ??= flush().finally(() => (flushing = undefined));
  }, FLUSH_INTERVAL_MS);
  return {
    add: (agent, heartbeat) => void dirty.set(agent.id, heartbeat),
    close: async () => {
      clearInterval(timer);
      await flushing;
      await flush();
    },
  };
}
