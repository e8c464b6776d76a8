import type { RunningWake } from "./running-wake.ts";

/** Wakes that are over stay at hand so many, for whoever asks again. */
const MAX_RECENT = 5_000;

/** The wakes that run, and those that were over a short while ago. */
export class WakeBook {
  readonly #running = new Map<string, RunningWake>();
  readonly #awaiting = new Map<string, RunningWake>();
  readonly #recent = new Map<string, RunningWake>();
  readonly #lastOf = new Map<string, RunningWake>();
  /** Who holds an HTTP answer until the wake is over. */
  readonly #waiters = new WeakMap<RunningWake, Set<() => void>>();

  get runningCount(): number {
    return this.#running.size;
  }

  /** The wakes whose devices are awaited, one each. */
  get awaiting(): Iterable<RunningWake> {
    return this.#awaiting.values();
  }

  find(id: string): RunningWake | undefined {
    return this.#running.get(id) ?? this.#recent.get(id);
  }

  runningOf(deviceId: string): RunningWake | undefined {
    return this.#awaiting.get(deviceId);
  }

  /** The one that runs, or the last that was over. */
  lastOf(deviceId: string): RunningWake | undefined {
    return this.#lastOf.get(deviceId);
  }

  add(wake: RunningWake): void {
    this.#running.set(wake.id, wake);
    this.#lastOf.set(wake.deviceId, wake);
  }

  await(wake: RunningWake): void {
    this.#awaiting.set(wake.deviceId, wake);
  }

  finish(wake: RunningWake): void {
    this.#running.delete(wake.id);
    if (this.#awaiting.get(wake.deviceId) === wake) this.#awaiting.delete(wake.deviceId);
    this.#recent.set(wake.id, wake);
    for (const resolve of this.#waiters.get(wake) ?? []) resolve();
    const [oldest] = this.#recent.values();
    if (this.#recent.size <= MAX_RECENT || !oldest) return;
    this.#recent.delete(oldest.id);
    if (this.#lastOf.get(oldest.deviceId) === oldest) this.#lastOf.delete(oldest.deviceId);
  }

  /** Resolves when the wake is over or the time has passed. */
  async waitFor(wake: RunningWake, ms: number): Promise<void> {
    if (wake.isOver || ms <= 0) return;
    const waiters = this.#waiters.get(wake) ?? new Set();
    this.#waiters.set(wake, waiters);
    await new Promise<void>((resolve) => {
      const done = () => {
        clearTimeout(timer);
        waiters.delete(done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      waiters.add(done);
    });
  }
}
