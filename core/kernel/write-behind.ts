import type { Logger } from "pino";
import { isDatabaseGone } from "./database-gone.ts";

/**
 * Writes rows behind the work that makes them: every so often, the newest form of each, many in one statement, in the order
 * in which they came.
 *
 * While the database is away they wait; beyond the bound the oldest are given up. A row that the database refuses is given
 * up alone, so that it never holds up the others.
 */
export interface WriteBehind<Row> {
  add(id: string, row: Row): void;
  /** Rows that are not written yet. */
  readonly waiting: number;
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
  /** A row is lost: the database refused it, or was away for too long. */
  readonly onGivenUp?: () => void;
}

const ROWS_PER_STATEMENT = 500;

export function startWriteBehind<Row>(options: WriteBehindOptions<Row>): WriteBehind<Row> {
  const { what, write, log } = options;
  const waiting = new Map<string, Row>();
  let givenUp = 0;
  let writing: ReadonlyMap<string, Row> | undefined;
  let flushing: Promise<void> | undefined;

  async function writeWaiting(): Promise<void> {
    while (waiting.size > 0) {
      const batch = [...waiting.entries().take(ROWS_PER_STATEMENT)];
      for (const [id] of batch) waiting.delete(id);
      const left = new Map(batch);
      writing = left;
      try {
        await writeOrHalve(batch, left);
      } finally {
        writing = undefined;
        putBack(left);
      }
    }
  }

  /** Before what came meanwhile, but never over a newer form. */
  function putBack(left: ReadonlyMap<string, Row>): void {
    if (left.size === 0) return;
    const newer = [...waiting];
    waiting.clear();
    for (const [id, row] of [...left, ...newer]) waiting.set(id, row);
  }

  /** Fails only when the database is gone. What was written or given up is taken out of `left`. */
  async function writeOrHalve(batch: readonly (readonly [string, Row])[], left: Map<string, Row>): Promise<void> {
    try {
      await write(batch.map(([, row]) => row));
    } catch (error) {
      if (isDatabaseGone(error)) throw error;
      const [first] = batch;
      if (batch.length > 1 || first === undefined) {
        const middle = Math.ceil(batch.length / 2);
        await writeOrHalve(batch.slice(0, middle), left);
        return await writeOrHalve(batch.slice(middle), left);
      }
      log.error({ err: error, id: first[0] }, `one of the ${what} cannot be written; it is given up`);
      options.onGivenUp?.();
    }
    for (const [id] of batch) left.delete(id);
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

  function tellGivenUp(): void {
    if (givenUp > 0) log.error({ givenUp }, `${what} were given up: more came than could be written`);
    givenUp = 0;
  }

  const timer = setInterval(() => {
    tellGivenUp();
    void flushQuietly();
  }, options.intervalMs);
  return {
    add: (id, row) => {
      waiting.delete(id);
      waiting.set(id, row);
      if (waiting.size <= options.maxWaiting) return;
      const [oldest] = waiting.keys();
      if (oldest !== undefined) waiting.delete(oldest);
      givenUp++; // told at the next turn, not one by one
      options.onGivenUp?.();
    },
    get waiting() {
      return waiting.size + (writing?.size ?? 0);
    },
    flush,
    close: async () => {
      clearInterval(timer);
      await flushing?.catch(() => {}); // logged by the turn that began it
      await flushQuietly();
      tellGivenUp();
      if (waiting.size > 0) log.error({ lost: waiting.size }, `${what} are lost: the database is away at the end`);
    },
  };
}
