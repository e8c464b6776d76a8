import type { Logger } from "pino";
import type { PowerReceipt } from "#contracts/agent.ts";
import type { PowerOffAction } from "#contracts/power-action.ts";
import type { PowerOffStageRecord } from "#contracts/power-off.ts";
import type { Presence } from "../agents/presence.ts";
import { type ErrorCode, HubError } from "../kernel/errors.ts";
import type { HubSigner } from "../kernel/hub-key.ts";
import type { Link } from "../kernel/link.ts";
import type { Directory, DirectoryAgent, DirectoryDevice } from "../members/directory.ts";
import type { DevicePower } from "../power/tracked-device.ts";
import type { PowerStates } from "../power/power-states.ts";
import { OverruledPowerOffs } from "./overruled-power-offs.ts";
import type { PowerAbilities } from "./power-abilities.ts";
import {
  AFTER_COUNTDOWN_MS,
  ANEW_MS,
  METHOD_MS,
  RECEIPT_MS,
  REPUBLISH_MS,
  doubtsTime,
  graceMs,
  refusalOf,
  returnMs,
} from "./power-off.rules.ts";
import { type Clock, PowerOffEnds } from "./power-off-ends.ts";
import { PowerOrders } from "./power-orders.ts";
import type { CallBack, RunningPowerOff } from "./running-power-off.ts";

/** Another way than an agent on the machine. Resolves when it was done as far as that can be told. */
export interface PowerMethods {
  /** @param signal once it is aborted nothing is begun any more. @throws Error with a sentence why it could not be done. */
  run(device: DirectoryDevice, action: PowerOffAction, signal: AbortSignal): Promise<void>;
}

interface CourseOptions {
  readonly directory: Directory;
  readonly presence: Presence;
  readonly power: PowerStates;
  readonly link: Link;
  readonly signer: HubSigner;
  readonly log: Logger;
  readonly abilities: PowerAbilities;
  readonly methods?: PowerMethods;
  readonly hasToWait?: (powerOff: RunningPowerOff) => boolean | { readonly code: ErrorCode; readonly reason: string };
  /** Notes the stage and tells everybody. */
  readonly record: (powerOff: RunningPowerOff, record: PowerOffStageRecord) => void;
}

/** Receipts of an order that is over are told apart from those of nobody for so long. Milliseconds. */
const REMEMBERED_MS = 120_000;
const NOT_NOW = "Somebody there said not now";

/** How a power-off goes on from step to step: by what whoever carries it out says, by what is seen, and by time. */
export class PowerOffCourse {
  readonly #options: CourseOptions;
  readonly #orders: PowerOrders;
  readonly #ends: PowerOffEnds;
  readonly #overruled: OverruledPowerOffs;
  readonly #byOrder = new Map<string, RunningPowerOff>();
  readonly #endedMs = new Map<string, number>();

  constructor(options: CourseOptions) {
    this.#options = options;
    this.#orders = new PowerOrders(options);
    this.#ends = new PowerOffEnds(options, (powerOff, clock) => this.#remember(powerOff, clock));
    this.#overruled = new OverruledPowerOffs(options.power);
  }

  /** Hands it to whoever carries it out, unless it has to wait for others. */
  begin(powerOff: RunningPowerOff, clock: Clock): void {
    const { directory, presence, power, hasToWait, record } = this.#options;
    const device = directory.devices.byId(powerOff.deviceId);
    const wait = device && hasToWait?.(powerOff);
    if (!device || wait === true) return;
    if (wait) return this.#ends.fail(powerOff, wait.code, wait.reason, clock);
    const at = clock.now.toISOString();
    // it may have gone down while it waited
    if (power.of(device.id).power === "off") return record(powerOff, { stage: "already-off", at });
    if (!powerOff.agent) {
      powerOff.deadlineMs = clock.nowMs + METHOD_MS;
      record(powerOff, { stage: "sent", at });
      return void this.#run(powerOff, device);
    }
    powerOff.agentStartedAt = presence.of(powerOff.agent.id)?.heartbeat?.startedAt ?? null;
    powerOff.deadlineMs = clock.nowMs + RECEIPT_MS;
    this.#send(powerOff, device, clock);
    record(powerOff, { stage: "sent", at });
  }

  tick(powerOff: RunningPowerOff, clock: Clock): void {
    const { stage, order } = powerOff;
    if (stage === "accepted") return this.begin(powerOff, clock);
    if (stage === "sent" && order && !order.isRepeated && clock.nowMs - order.sentMs >= REPUBLISH_MS)
      this.#orders.repeat(powerOff);
    if (powerOff.anewMs !== null && clock.nowMs >= powerOff.anewMs) this.#sendAnew(powerOff, clock);
    if (this.#hasRestarted(powerOff)) return this.#ends.rebooted(powerOff, clock);
    if (clock.nowMs < powerOff.deadlineMs) return;
    // an agent that reads the order late does nothing
    if (!powerOff.isAcknowledged && !powerOff.callingBack) this.#takeBack(powerOff, clock);
    this.#ends.timeIsUp(powerOff, clock);
  }

  powerChanged(powerOff: RunningPowerOff, { power }: Pick<DevicePower, "power">): void {
    if (powerOff.isOver || !powerOff.wasSent) return;
    const clock = { now: new Date(), nowMs: performance.now() };
    if (power === "on" && powerOff.wentDown) return this.#ends.rebooted(powerOff, clock);
    if (power !== "off" || powerOff.wentDown) return;
    if (powerOff.action !== "reboot") return this.#ends.off(powerOff, clock);
    powerOff.wentDown = true;
    const device = this.#options.directory.devices.byId(powerOff.deviceId);
    powerOff.deadlineMs = clock.nowMs + returnMs(device?.wake.windowSeconds ?? null);
  }

  receipt(agent: DirectoryAgent, { order, at, power: said }: PowerReceipt): void {
    const powerOff = this.#byOrder.get(order);
    // an order is for one agent and one device, whoever else speaks of it
    if (!powerOff || powerOff.agent?.id !== agent.id || said.device !== powerOff.deviceKey) return;
    if (said.armed !== null) this.#options.abilities.noteArmed(powerOff.deviceId, said.armed);
    const clock = { now: new Date(), nowMs: performance.now() };
    if (powerOff.isOver) return this.#saidAfterwards(powerOff, said.outcome, clock);
    switch (said.outcome) {
      case "announced":
        // the agent's clock may be another, so only the time that is left counts
        return this.#announced(powerOff, { leftMs: leftMs(said.until, at), users: said.users }, clock);
      case "acknowledged":
        return this.#acknowledged(powerOff, clock);
      case "refused": {
        if (powerOff.anewMs === null && doubtsTime(said.code)) return void (powerOff.anewMs = clock.nowMs + ANEW_MS);
        const refusal = refusalOf(said.code, said.reason);
        return refusal ? this.#ends.fail(powerOff, refusal.code, refusal.reason, clock) : undefined;
      }
      case "failed":
        return this.#ends.fail(powerOff, "POWER_OFF_FAILED", said.reason ?? "Its agent could not take it down", clock);
      case "cancelled": {
        const { by, reason } = powerOff.callingBack ?? { by: agent.key, reason: null };
        return this.#ends.cancelled(powerOff, { by, reason: reason ?? said.reason ?? NOT_NOW }, clock);
      }
    }
  }

  /** Asks the agent not to take the machine down after all. What was not sent yet is over at once. */
  callBack(powerOff: RunningPowerOff, callBack: CallBack): void {
    const clock = { now: new Date(), nowMs: performance.now() };
    if (!powerOff.wasSent) return this.#ends.cancelled(powerOff, callBack, clock);
    powerOff.callingBack = callBack;
    this.#takeBack(powerOff, clock);
    if (powerOff.order) powerOff.deadlineMs = Math.min(powerOff.deadlineMs, clock.nowMs + RECEIPT_MS);
  }

  /** Ends it here, whatever comes of it there. */
  giveUp(powerOff: RunningPowerOff, callBack: CallBack): void {
    const clock = { now: new Date(), nowMs: performance.now() };
    this.#takeBack(powerOff, clock);
    this.#ends.cancelled(powerOff, callBack, clock);
  }

  /** A later wake takes its place. A machine that goes down all the same is woken when it is down. */
  overrule(powerOff: RunningPowerOff, by: string): void {
    const clock = { now: new Date(), nowMs: performance.now() };
    const device = this.#options.directory.devices.byId(powerOff.deviceId);
    this.#takeBack(powerOff, clock);
    if (device && powerOff.isGoingDown) {
      const answerMs = powerOff.order ? RECEIPT_MS : METHOD_MS;
      const patienceMs = powerOff.isAcknowledged ? graceMs(device.power.graceSeconds) : answerMs;
      this.#overruled.add(device, clock.nowMs + patienceMs);
    }
    this.#ends.overruled(powerOff, by, clock);
  }

  /** Whether a power-off that was overruled may still take the device down. */
  mayGoDown(deviceId: string): boolean {
    return this.#overruled.has(deviceId);
  }

  /** One whose power-off was overruled is down by now. */
  wentDown(deviceId: string): void {
    this.#overruled.forget(deviceId);
  }

  forgetOld({ now, nowMs }: Clock): void {
    this.#overruled.forgetOld(nowMs, now);
    for (const [id, endedMs] of this.#endedMs) {
      if (nowMs - endedMs < REMEMBERED_MS) break; // the oldest come first
      this.#endedMs.delete(id);
      this.#byOrder.delete(id);
    }
  }

  #send(powerOff: RunningPowerOff, device: DirectoryDevice, clock: Clock): void {
    powerOff.order = this.#orders.send(powerOff, device, clock);
    this.#byOrder.set(powerOff.order.id, powerOff);
  }

  /** The agent has asked for the time since. What it refused it will refuse for ever. */
  #sendAnew(powerOff: RunningPowerOff, clock: Clock): void {
    powerOff.anewMs = Number.POSITIVE_INFINITY;
    const device = this.#options.directory.devices.byId(powerOff.deviceId);
    if (!device || powerOff.stage !== "sent" || powerOff.callingBack) return;
    if (powerOff.order) this.#byOrder.delete(powerOff.order.id);
    this.#send(powerOff, device, clock);
  }

  /** Whoever carries it out does not any more, unless that is too late. */
  #takeBack(powerOff: RunningPowerOff, { now }: Clock): void {
    powerOff.takenBack.abort();
    this.#orders.cancel(powerOff, now);
  }

  async #run(powerOff: RunningPowerOff, device: DirectoryDevice): Promise<void> {
    const clock = () => ({ now: new Date(), nowMs: performance.now() });
    const { signal } = powerOff.takenBack;
    try {
      await this.#options.methods?.run(device, powerOff.action, signal);
      this.#acknowledged(powerOff, clock());
    } catch (error) {
      if (powerOff.isOver) return this.#saidAfterwards(powerOff, "failed", clock());
      if (powerOff.callingBack) return this.#ends.cancelled(powerOff, powerOff.callingBack, clock());
      if (!(error instanceof HubError))
        this.#options.log.warn({ err: error, device: device.key, way: powerOff.way }, "a device was not powered off");
      const reason = error instanceof Error ? error.message : String(error);
      this.#ends.fail(powerOff, error instanceof HubError ? error.code : "POWER_OFF_FAILED", reason, clock());
    }
  }

  #announced(powerOff: RunningPowerOff, said: { leftMs: number; users: number | null }, clock: Clock): void {
    if (powerOff.stage !== "sent") return; // it came again, or late
    if (!powerOff.callingBack) powerOff.deadlineMs = clock.nowMs + said.leftMs + AFTER_COUNTDOWN_MS;
    const until = new Date(clock.now.getTime() + said.leftMs).toISOString();
    this.#options.record(powerOff, { stage: "announced", at: clock.now.toISOString(), until, users: said.users });
  }

  #acknowledged(powerOff: RunningPowerOff, clock: Clock): void {
    const { directory, power, record } = this.#options;
    if (powerOff.isOver) return this.#saidAfterwards(powerOff, "acknowledged", clock); // of another way than an agent
    if (powerOff.isAcknowledged) return;
    const device = directory.devices.byId(powerOff.deviceId);
    if (!device) return;
    powerOff.callingBack = null; // it came too late
    this.#overruled.forget(device.id); // whatever becomes of an earlier one, this one takes it down
    powerOff.deadlineMs = clock.nowMs + graceMs(device.power.graceSeconds);
    record(powerOff, { stage: "acknowledged", at: clock.now.toISOString() });
    // its agent leaves with it, which tells something where nobody else can look; other ways tell nothing more
    if (powerOff.way === "agent") power.goesDown(device, clock.now);
    power.setStopping(device, true, clock.now);
    this.powerChanged(powerOff, power.of(device.id));
  }

  /** What an agent says of an order that is over here. */
  #saidAfterwards(powerOff: RunningPowerOff, outcome: PowerReceipt["power"]["outcome"], { now, nowMs }: Clock): void {
    const device = this.#options.directory.devices.byId(powerOff.deviceId);
    if (!device) return;
    // nobody waits for it any more, but it is so
    if (outcome === "acknowledged" && powerOff.order && !powerOff.isAcknowledged)
      this.#options.power.goesDown(device, now);
    if (!this.#overruled.has(device.id)) return;
    switch (outcome) {
      case "announced":
        return;
      case "acknowledged":
        return this.#overruled.goesDown(device, nowMs + graceMs(device.power.graceSeconds), now);
      case "refused":
      case "failed":
      case "cancelled":
        return this.#overruled.staysUp(device, now);
    }
  }

  #hasRestarted({ action, agent, agentStartedAt, isAcknowledged }: RunningPowerOff): boolean {
    if (action !== "reboot" || !agent || !isAcknowledged || agentStartedAt === null) return false;
    const heartbeat = this.#options.presence.isOnline(agent.id)
      ? this.#options.presence.of(agent.id)?.heartbeat
      : undefined;
    return heartbeat != null && heartbeat.startedAt !== agentStartedAt; // earlier, too: clocks of small machines stand still
  }

  #remember({ order }: RunningPowerOff, { nowMs }: Clock): void {
    if (order) this.#endedMs.set(order.id, nowMs);
  }
}

/** Nobody counts down for longer than this. */
const LONGEST_COUNTDOWN_MS = 3_600_000;

function leftMs(until: string | null, at: string): number {
  const leftMs = until === null ? 0 : Date.parse(until) - Date.parse(at);
  return Math.min(LONGEST_COUNTDOWN_MS, Math.max(0, leftMs));
}
