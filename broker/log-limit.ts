import type { BrokerLog } from "./options.ts";

const PERIOD_MS = 10_000;
const LINES = 20;

/** A log for what strangers can cause as often as they like: a few lines in a while, and then how many were left out. */
export function limitedLog(log: BrokerLog): BrokerLog & { close(): void } {
  let lines = 0;
  const timer = setInterval(() => {
    if (lines > LINES) log.warn({ leftOut: lines - LINES }, "left out what clients did wrong");
    lines = 0;
  }, PERIOD_MS).unref();
  return {
    warn(details, message) {
      if (++lines <= LINES) log.warn(details, message);
    },
    info(details, message) {
      if (++lines <= LINES) log.info(details, message);
    },
    close: () => clearInterval(timer),
  };
}
