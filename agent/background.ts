import type { Log } from "./log.ts";

/** Does what nobody waits for, such as the work of a timer. It begins at once. */
export type Background = (what: string, work: () => Promise<void>) => void;

/** A failure gets a log line that says what failed, and ends nothing else: an agent runs for years without anybody near it. */
export function backgroundWith(log: Log): Background {
  return (what, work) => {
    const done = async () => work(); // what is thrown before the first await is a failure like any other
    done().catch((error: unknown) => log.error({ error }, `Failed: ${what}`));
  };
}
