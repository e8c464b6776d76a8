import type { Logger } from "pino";

const RETRY_MS = 1_000;

/**
 * Reads anew what memory holds of the database, after a moment in which it may have missed something: the database was away,
 * or a connection broke before the answer to a commit came. Tries until it succeeds.
 */
export interface CatchUp {
  request(): void;
  close(): void;
}

export function startCatchUp(read: () => Promise<void>, log: Logger): CatchUp {
  let isAsked = false;
  let isRunning = false;
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;

  async function run(): Promise<void> {
    isRunning = true;
    while (isAsked) {
      isAsked = false;
      try {
        await read();
      } catch (error) {
        log.warn({ err: error }, "what the hub holds in memory could not be read anew; it tries again");
        isAsked = !isClosed;
        await new Promise<void>((resolve) => (timer = setTimeout(resolve, RETRY_MS)));
      }
    }
    isRunning = false;
  }

  return {
    request: () => {
      isAsked = true;
      if (!isRunning) void run();
    },
    close: () => {
      isClosed = true;
      isAsked = false;
      clearTimeout(timer);
    },
  };
}
