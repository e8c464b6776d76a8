import type { PowerOffStageRecord } from "#contracts/power-off.ts";
import type { ErrorCode } from "../kernel/errors.ts";
import type { Directory } from "../members/directory.ts";
import type { PowerStates } from "../power/power-states.ts";
import { RECEIPT_MS, endOfGrace } from "./power-off.rules.ts";
import type { CallBack, RunningPowerOff } from "./running-power-off.ts";

/** Now, on the wall and on the monotonic clock. */
export interface Clock {
  readonly now: Date;
  readonly nowMs: number;
}

interface EndsOptions {
  readonly directory: Directory;
  readonly power: PowerStates;
  /** Notes the stage and tells everybody. */
  readonly record: (powerOff: RunningPowerOff, record: PowerOffStageRecord) => void;
}

/** How power-offs end, each once, and what their devices count as from then on. */
export class PowerOffEnds {
  readonly #options: EndsOptions;
  readonly #onOver: (powerOff: RunningPowerOff, clock: Clock) => void;

  constructor(options: EndsOptions, onOver: (powerOff: RunningPowerOff, clock: Clock) => void) {
    this.#options = options;
    this.#onOver = onOver;
  }

  fail(powerOff: RunningPowerOff, code: ErrorCode, reason: string, clock: Clock): void {
    this.#end(powerOff, { stage: "failed", at: clock.now.toISOString(), code, reason }, clock);
  }

  cancelled(powerOff: RunningPowerOff, { by, reason }: CallBack, clock: Clock): void {
    this.#end(powerOff, { stage: "cancelled", at: clock.now.toISOString(), by, reason }, clock);
  }

  /** The device is to be woken. It goes on as it does until it is down, or its agent says that it stays up. */
  overruled(powerOff: RunningPowerOff, by: string, clock: Clock): void {
    const reason = "It is to be woken";
    this.#options.record(powerOff, { stage: "cancelled", at: clock.now.toISOString(), by, reason });
    this.#onOver(powerOff, clock);
  }

  off(powerOff: RunningPowerOff, clock: Clock): void {
    const seconds = powerOff.secondsSince(clock.nowMs);
    this.#end(powerOff, { stage: "off", at: clock.now.toISOString(), seconds }, clock);
  }

  rebooted(powerOff: RunningPowerOff, clock: Clock): void {
    const { evidence } = this.#options.power.of(powerOff.deviceId);
    const seconds = powerOff.secondsSince(clock.nowMs);
    this.#end(powerOff, { stage: "rebooted", at: clock.now.toISOString(), seconds, evidence }, clock);
  }

  /** What was waited for has not come in time. */
  timeIsUp(powerOff: RunningPowerOff, clock: Clock): void {
    const { callingBack, stage, agent } = powerOff;
    if (callingBack) {
      const reason = `${callingBack.reason ?? "It was called back"}; its agent did not confirm that it stays up`;
      return this.cancelled(powerOff, { by: callingBack.by, reason }, clock);
    }
    if (stage === "acknowledged") return this.#graceIsOver(powerOff, clock);
    if (!agent) return this.fail(powerOff, "POWER_OFF_FAILED", "It was not done in time", clock);
    const reason =
      stage === "announced"
        ? `${agent.key} announced it, and did not say that it took the machine down`
        : `${agent.key} did not answer within ${RECEIPT_MS / 1_000} s`;
    this.fail(powerOff, "NO_RECEIPT", reason, clock);
  }

  #graceIsOver(powerOff: RunningPowerOff, clock: Clock): void {
    const { directory, power } = this.#options;
    if (powerOff.wentDown) return this.fail(powerOff, "NOT_BACK", "It went down, and did not come back in time", clock);
    const device = directory.devices.byId(powerOff.deviceId);
    if (device) power.setStopping(device, false, clock.now);
    if (powerOff.isOver) return; // it was seen off with that
    const { power: state, reachable, evidence } = power.of(powerOff.deviceId);
    const end = endOfGrace(state, reachable);
    switch (end.stage) {
      case "off":
        return this.off(powerOff, clock);
      case "still-on": {
        const seconds = powerOff.secondsSince(clock.nowMs);
        return this.#end(powerOff, { stage: "still-on", at: clock.now.toISOString(), seconds, evidence }, clock);
      }
      case "failed":
        return this.fail(powerOff, end.code, end.reason, clock);
    }
  }

  #end(powerOff: RunningPowerOff, record: PowerOffStageRecord, clock: Clock): void {
    if (powerOff.isOver) return;
    const { directory, power } = this.#options;
    const device = directory.devices.byId(powerOff.deviceId);
    const hadBegun = powerOff.isAcknowledged;
    this.#options.record(powerOff, record);
    this.#onOver(powerOff, clock);
    if (!device || !hadBegun) return;
    power.setStopping(device, false, clock.now);
    if (record.stage === "failed" || record.stage === "cancelled") power.staysUp(device, clock.now);
  }
}
