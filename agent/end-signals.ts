const PARENT_CHECK_MS = 500;

/**
 * Calls the function once when this process should end: on SIGINT or SIGTERM, when its terminal was closed (SIGHUP), or when
 * npm, which started it, is gone: npm's shell does not pass SIGTERM on. A second SIGINT or SIGTERM ends the process at once.
 */
export function onEndSignal(end: () => void): void {
  let ending = false;
  const first = () => {
    if (ending) return;
    ending = true;
    end();
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      if (ending) process.exit(1);
      first();
    });
  }
  process.on("SIGHUP", first);
  if (process.env["npm_lifecycle_event"] === undefined) return;
  const parent = process.ppid;
  setInterval(() => process.ppid !== parent && first(), PARENT_CHECK_MS).unref();
}
