import type { Logger } from "pino";
import { isDatabaseGone } from "./database-gone.ts";

/**
 * Writes rows behind the work that makes them: every so often, the newest form of each, many in one statement.
 *
 * While the database is away they wait; beyond the bound the oldest are given up. A row that the database refuses is given
 * up alone, so that it never holds up the others.
 */
export interface WriteBehind<Row> {
  add(id: string, row: Row): void;
  /** Writes what waits. Fails when the database does not answer. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

export interface WriteBehindOptions<Row> {
  /** What the rows are, for the log: `heartbeats`. */
  readonly what: string;
  readonly intervalMs: number;
  readonly maxWaiting: number;
  readonly write: (rows: readonly Row[]) => Promise<unknown>;
  readonly isUp: () => boolean;
  readonly log: Logger;
}

const ROWS_PER_STATEMENT = 500;

export function startWriteBehind<Row>(options: WriteBehindOptions<Row>): WriteBehind<Row> {
  const { what, write, log } = options;
  const waiting = new Map<string, Row>();
  let flushing: Promise<void> | undefined;

  async function writeWaiting(): Promise<void> {
    while (waiting.size > 0) {
      const batch = [...waiting.entries().take(ROWS_PER_STATEMENT)];
      for (const [id] of batch) waiting.delete(id);
      try {
        await writeOrHalve(batch);
      } catch (error) {
        for (const [id, row] of batch) if (!waiting.has(id)) waiting.set(id, row);
        throw error;
      }
    }
  }

  /** Fails only when the database is gone. */
  async function writeOrHalve(batch: readonly (readonly [string, Row])[]): Promise<void> {
    try {
      await write(batch.map(([, row]) => row));
    } catch (error) {
      if (isDatabaseGone(error)) throw error;
      if (batch.length === 1)
        return log.error({ err: error, id: batch[0]?.[0] }, `one of the ${what} cannot be written; it is given up`);
      const middle = Math.ceil(batch.length / 2);
      await writeOrHalve(batch.slice(0, middle));
      await writeOrHalve(batch.slice(middle));
    }
  }

  function flush(): Promise<void> {
    return (flushing ??= writeWaiting().finally(() => (flushing = undefined)));
  }

  async function flushQuietly(): Promise<void> {
    if (waiting.size === 0 || !options.isUp()) return;
    try {
      await flush();
    } catch (error) {
      log.warn({ err: error, waiting: waiting.size }, `${what} could not be written; they wait`);
    }
  }

  const timer = setInterval(() => void flushQuietly(), options.intervalMs);
  return {
    add: (id, row) => {
      waiting.delete(id);
      waiting.set(id, row);
      if (waiting.size <= options.maxWaiting) return;
      const [oldest] = waiting.keys();
      if (oldest !== undefined) waiting.delete(oldest);
      log.warn({ id: oldest }, `one of the ${what} was given up: the database is away for too long`);
    },
    flush,
    close: async () => {
      clearInterval(timer);
      await flushing?.catch(() => {}); // logged by the turn that began it
      await flushQuietly();
    },
  };
}
