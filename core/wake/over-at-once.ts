import type { RunningWake } from "./running-wake.ts";
import type { WakePlan } from "./wake.rules.ts";

/** Milliseconds. */
const REPEAT_MS = 10_000;

/**
 * The last wake of each device that was over as soon as it was asked for. Who asks again a moment later gets the same one:
 * a flood of requests makes no flood of history.
 */
export class OverAtOnce {
  readonly #byDevice = new Map<string, { readonly wake: RunningWake; readonly outcome: string }>();

  find(deviceId: string, plan: WakePlan, nowMs: number): RunningWake | undefined {
    const last = this.#byDevice.get(deviceId);
    return last?.outcome === outcomeOf(plan) && nowMs - last.wake.startedMs < REPEAT_MS ? last.wake : undefined;
  }

  note(deviceId: string, plan: WakePlan, wake: RunningWake): void {
    if (plan.type === "fail" || plan.type === "already-on")
      this.#byDevice.set(deviceId, { wake, outcome: outcomeOf(plan) });
  }

  forget(deviceId: string): void {
    this.#byDevice.delete(deviceId);
  }
}

function outcomeOf(plan: WakePlan): string {
  return plan.type === "fail" ? plan.code : plan.type;
}
