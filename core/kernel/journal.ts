import type { Logger } from "pino";
import type { Database } from "./database.ts";
import { startWriteBehind } from "./write-behind.ts";

/** Writes a history behind what happens, at most half a second late, and forgets what is old. */
export interface Journal<Entry> {
  add(entry: Entry): void;
  /** Writes what waits, so that a list that follows is complete. Fails when the database does. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

export interface JournalOptions<Entry> {
  readonly database: Database;
  readonly log: Logger;
  /** What the entries are, for the log: `wakes of the history`. */
  readonly what: string;
  readonly maxWaiting: number;
  /** The columns of an entry. */
  readonly rowOf: (entry: Entry) => object;
  /** A statement whose one parameter is a JSON array of rows. */
  readonly write: string;
  /** Statements that delete what is old: run once at the start and then once a day. */
  readonly prune: readonly string[];
}

const FLUSH_INTERVAL_MS = 500;
const DAY_MS = 24 * 60 * 60 * 1_000;

/** History older than this goes. */
export const KEPT_DAYS = 400;

export function startJournal<Entry extends { readonly id: string }>(options: JournalOptions<Entry>): Journal<Entry> {
  const { database, log, what, rowOf } = options;
  const behind = startWriteBehind<Entry>({
    what,
    intervalMs: FLUSH_INTERVAL_MS,
    maxWaiting: options.maxWaiting,
    write: (entries) => database.execute(options.write, [JSON.stringify(entries.map(rowOf))]),
    isUp: () => database.isUp(),
    log,
  });

  async function prune(): Promise<void> {
    try {
      for (const statement of options.prune) await database.execute(statement, []);
    } catch (error) {
      log.warn({ err: error, what }, "old history could not be deleted; the next day tries again");
    }
  }

  void prune();
  const timer = setInterval(() => void prune(), DAY_MS);
  return {
    add: (entry) => behind.add(entry.id, entry),
    flush: () => behind.flush(),
    close: async () => {
      clearInterval(timer);
      await behind.close();
    },
  };
}
