import type { RunningPowerOff } from "./running-power-off.ts";

/** Power-offs that are over stay at hand so many, for whoever asks again. */
const MAX_RECENT = 5_000;
/** Who asks again so soon for a device that was off already gets the same answer, and no more history. Milliseconds. */
const REPEAT_MS = 10_000;

/** The power-offs that run, those that were over a short while ago, and who waits for them. */
export class PowerOffBook {
  readonly #byDevice = new Map<string, RunningPowerOff>();
  readonly #byId = new Map<string, RunningPowerOff>();
  readonly #recent = new Map<string, RunningPowerOff>();
  readonly #offAlready = new Map<string, RunningPowerOff>();
  /** Who holds an HTTP answer until it is over. */
  readonly #waiters = new WeakMap<RunningPowerOff, Set<() => void>>();

  get running(): IterableIterator<RunningPowerOff> {
    return this.#byDevice.values();
  }

  get runningCount(): number {
    return this.#byDevice.size;
  }

  find(id: string): RunningPowerOff | undefined {
    return this.#byId.get(id) ?? this.#recent.get(id);
  }

  runningOf(deviceId: string): RunningPowerOff | undefined {
    return this.#byDevice.get(deviceId);
  }

  /** @param runs false: it is over as soon as it was asked for, since the device was off already. */
  add(powerOff: RunningPowerOff, { runs }: { readonly runs: boolean }): void {
    this.#byId.set(powerOff.id, powerOff);
    if (runs) this.#byDevice.set(powerOff.deviceId, powerOff);
    else this.#offAlready.set(powerOff.deviceId, powerOff);
  }

  /** The answer of a moment ago to the same wish, for a device that was off already. */
  offAlready(deviceId: string, action: string, nowMs: number): RunningPowerOff | undefined {
    const last = this.#offAlready.get(deviceId);
    return last?.action === action && nowMs - last.startedMs < REPEAT_MS ? last : undefined;
  }

  finish(powerOff: RunningPowerOff): void {
    this.#byId.delete(powerOff.id);
    if (this.#byDevice.get(powerOff.deviceId) === powerOff) this.#byDevice.delete(powerOff.deviceId);
    this.#recent.set(powerOff.id, powerOff);
    const [oldest] = this.#recent.keys();
    if (this.#recent.size > MAX_RECENT && oldest) this.#recent.delete(oldest);
    for (const resolve of this.#waiters.get(powerOff) ?? []) resolve();
  }

  forgetDevice(deviceId: string): void {
    this.#offAlready.delete(deviceId);
  }

  /** Resolves when it is over or the time has passed. */
  async waitFor(powerOff: RunningPowerOff, ms: number): Promise<void> {
    if (powerOff.isOver || ms <= 0) return;
    const waiters = this.#waiters.get(powerOff) ?? new Set();
    this.#waiters.set(powerOff, waiters);
    await new Promise<void>((resolve) => {
      const timer = setTimeout(done, ms);
      function done(): void {
        clearTimeout(timer);
        waiters.delete(done);
        resolve();
      }
      waiters.add(done);
    });
  }
}
