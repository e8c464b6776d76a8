const LOOK_EVERY_MS = 5_000;
/** More than a busy machine or a correction by NTP explains. */
const JUMP_MS = 10_000;

/** Two clocks read at one instant: one that people set and that runs on during a suspend, one that may stand still then. */
export interface Reading {
  readonly wallMs: number;
  readonly monotonicMs: number;
}

/** Whether the machine slept between two readings that were meant to be `everyMs` apart (or somebody moved its clock far ahead). */
export function sleptBetween(before: Reading, after: Reading, everyMs = LOOK_EVERY_MS): boolean {
  const wallMs = after.wallMs - before.wallMs;
  const monotonicMs = after.monotonicMs - before.monotonicMs;
  return wallMs - monotonicMs > JUMP_MS || monotonicMs - everyMs > JUMP_MS;
}

/** Calls back soon after the machine has woken from a suspend. */
export function watchForSuspend(onWoken: () => void): { close(): void } {
  let last = readClocks();
  const timer = setInterval(() => {
    const now = readClocks();
    if (sleptBetween(last, now)) onWoken();
    last = now;
  }, LOOK_EVERY_MS).unref();
  return { close: () => clearInterval(timer) };
}

function readClocks(): Reading {
  return { wallMs: Date.now(), monotonicMs: performance.now() };
}
