import { randomUUID } from "node:crypto";
import type { Logger } from "pino";
import { type WakeReceipt, type ReceiptTarget, RefusalReason } from "#contracts/agent.ts";
import { Key } from "#contracts/key.ts";
import type { Evidence } from "#contracts/power.ts";
import type { WakeStageRecord } from "#contracts/wake.ts";
import type { Presence } from "../agents/presence.ts";
import { type ErrorCode, HubError } from "../kernel/errors.ts";
import type { HubSigner } from "../kernel/hub-key.ts";
import type { Link } from "../kernel/link.ts";
import type { Directory, DirectoryAgent, DirectoryDevice } from "../members/directory.ts";
import type { PowerStates } from "../power/power-states.ts";
import { OverAtOnce } from "./over-at-once.ts";
import { type Asker, RunningWake } from "./running-wake.ts";
import { Transactions } from "./transactions.ts";
import { noteRequest } from "./wake-trail.ts";
import type { WakeAnswerPart } from "./wake-answer.ts";
import { WakeBursts } from "./wake-bursts.ts";
import { endOfWindow, isHopeless, planWake } from "./wake.rules.ts";

/** More wakes at once than this are refused. */
const MAX_RUNNING = 100_000;
/** Wakes that are over stay at hand so many, for whoever asks again. */
const MAX_RECENT = 5_000;
const TICK_MS = 100;
/** A machine that is seen up counts as awake after this, also when no agent has said that it sent. Milliseconds. */
const RECEIPT_PATIENCE_MS = 3_000;

export interface WakeOptions {
  readonly force: boolean;
}

export interface WakeServiceOptions {
  readonly directory: Directory;
  readonly presence: Presence;
  readonly power: PowerStates;
  readonly link: Link;
  readonly signer: HubSigner;
  readonly log: Logger;
}

/**
 * The one way on which a machine is woken, whoever asks: request → signed order to all usable agents at once → receipts →
 * re-sends → a sighting, or a reason. Nothing here waits for the database.
 */
export class WakeService {
  readonly #options: WakeServiceOptions;
  readonly #running = new Map<string, RunningWake>();
  readonly #byDevice = new Map<string, RunningWake>();
  readonly #recent = new Map<string, RunningWake>();
  readonly #overAtOnce = new OverAtOnce();
  readonly #bursts: WakeBursts;
  readonly #transactions = new Transactions<WakeAnswerPart>();
  /** Who holds an HTTP answer until the wake is over. */
  readonly #waiters = new WeakMap<RunningWake, Set<() => void>>();
  readonly #listeners: ((wake: RunningWake, record: WakeStageRecord, askers: readonly Asker[]) => void)[] = [];
  readonly #newsListeners: ((wake: RunningWake, record: WakeStageRecord) => void)[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(options: WakeServiceOptions) {
    this.#options = options;
    this.#bursts = new WakeBursts(options);
    options.power.onSeen((device, evidence) => this.#seen(device, evidence));
    options.directory.onChange((change) => {
      if (change.type === "device" && change.before && !change.after?.enabled) this.#deviceGone(change.before.id);
    });
  }

  /** Calls the listener for each stage of each wake, with those who are to hear of it; again for who asks later. */
  onStage(listener: (wake: RunningWake, record: WakeStageRecord, askers: readonly Asker[]) => void): void {
    this.#listeners.push(listener);
  }

  /** Calls the listener for each stage of each wake once, when it happens. */
  onNews(listener: (wake: RunningWake, record: WakeStageRecord) => void): void {
    this.#newsListeners.push(listener);
  }

  start(): void {
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
  }

  close(): void {
    clearInterval(this.#timer);
  }

  get runningCount(): number {
    return this.#running.size;
  }

  /** A wake that runs, or that was over a short while ago. */
  find(id: string): RunningWake | undefined {
    return this.#running.get(id) ?? this.#recent.get(id);
  }

  /**
   * Wakes devices of one site. One answer for each device, in their order; a device that is woken already is joined.
   * A transaction that this asker used within ten minutes repeats the answer and does nothing else.
   */
  request(devices: readonly DirectoryDevice[], asker: Asker, { force }: WakeOptions): readonly WakeAnswerPart[] {
    const clock = { now: new Date(), nowMs: performance.now() };
    const client = `${asker.door} ${asker.by}`;
    const repeated =
      asker.transaction === null ? undefined : this.#transactions.find(client, asker.transaction, clock.nowMs);
    if (repeated) return this.#repeat(repeated, devices, asker);
    const answers = devices.map((device) => this.#requestOne(device, asker, force, clock));
    const made = answers.flatMap((part) =>
      part.type === "wake" && part.wake.requestedAt === clock.now ? part.wake : [],
    );
    const begun = made.filter((wake) => wake.stages.length === 0);
    const byCluster = Map.groupBy(devices, (device) => this.#options.directory.clusterOf(device));
    for (const [cluster, members] of byCluster)
      noteRequest(asker, { devices: members, cluster }, answers, new Set(made));
    this.#bursts.send(begun, clock.nowMs);
    for (const wake of begun) {
      const agents = [...wake.agents.values()].map((agent) => agent.key);
      this.#record(wake, { stage: "accepted", at: clock.now.toISOString(), agents });
    }
    if (asker.transaction !== null) this.#transactions.remember(client, asker.transaction, answers, clock.nowMs);
    return answers;
  }

  /** @throws HubError NOT_FOUND, WAKE_OVER */
  cancel(id: string, by: string): RunningWake {
    const wake = this.find(id);
    if (!wake) throw new HubError("NOT_FOUND", "There is no such wake");
    if (wake.isOver) throw new HubError("WAKE_OVER", "This wake is over already");
    this.#record(wake, { stage: "cancelled", at: new Date().toISOString(), by });
    return wake;
  }

  /** Resolves when the wake is over or the time has passed. */
  async waitFor(wake: RunningWake, ms: number): Promise<void> {
    if (wake.isOver || ms <= 0) return;
    const waiters = this.#waiters.get(wake) ?? new Set();
    this.#waiters.set(wake, waiters);
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      waiters.add(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  /** Takes in what an agent did with an order. */
  receipt(agent: DirectoryAgent, receipt: WakeReceipt): void {
    const order = this.#bursts.order(receipt.order);
    if (!order) return; // an order of this agent alone, or one that is long over
    for (const target of receipt.targets) {
      const wake = order.wakes.get(target.device);
      if (!wake || isRepetition(target)) continue;
      const asked = order.asked.get(target.device) ?? [];
      if (!asked.some(({ id }) => id === agent.id)) continue; // it was not asked, whatever it says
      const first = wake.take(agent, target, asked.length);
      if (wake.isOver) continue;
      if (first) {
        const { packets, destinations } = target;
        this.#record(wake, { stage: "sent", at: receipt.at, agent: Key.parse(agent.key), packets, destinations });
        if (wake.early) this.#awake(wake, wake.early.evidence, wake.early.atMs);
      } else if (!wake.early && isHopeless([...wake.agents.values()], wake.failedBursts)) {
        this.#fail(wake, "SEND_FAILED", "No agent could send a magic packet");
      }
    }
  }

  #requestOne(
    device: DirectoryDevice,
    asker: Asker,
    force: boolean,
    clock: { now: Date; nowMs: number },
  ): WakeAnswerPart {
    const { directory, presence, power } = this.#options;
    const key = Key.parse(device.key);
    const running = this.#byDevice.get(device.id);
    if (running) {
      if (!running.join(asker))
        return { type: "refused", device: key, code: "TOO_MANY_WAKES", reason: "Too many requests wait for this wake" };
      if (running.last) this.#tell(running, running.last, [asker]);
      return { type: "wake", device: key, wake: running };
    }
    const current = power.of(device.id);
    const serving = directory.agentsFor(device);
    const agents = serving.map((agent) => ({ online: presence.isOnline(agent.id) }));
    const plan = planWake({ enabled: device.enabled, power: current.power, force, agents });
    if (plan.type === "refuse") return { type: "refused", device: key, code: plan.code, reason: plan.reason };
    if (this.#running.size >= MAX_RUNNING)
      return { type: "refused", device: key, code: "TOO_MANY_WAKES", reason: "Too many wakes run at the moment" };
    const last = this.#overAtOnce.find(device.id, plan, clock.nowMs);
    if (last) {
      if (last.last) this.#tell(last, last.last, [asker]);
      return { type: "wake", device: key, wake: last, ...(plan.type === "fail" && { failure: plan }) };
    }
    const wake = new RunningWake(randomUUID(), { device, clusterKey: directory.clusterOf(device).key }, asker, clock);
    this.#running.set(wake.id, wake);
    this.#overAtOnce.note(device.id, plan, wake);
    if (plan.type === "fail") {
      const failures = serving.map(({ key }) => ({ agent: Key.parse(key), code: "OFFLINE", reason: "It is offline" }));
      this.#record(wake, {
        stage: "failed",
        at: clock.now.toISOString(),
        code: plan.code,
        reason: plan.reason,
        agents: failures,
      });
      return { type: "wake", device: key, wake, failure: plan };
    }
    if (plan.type === "already-on") {
      this.#record(wake, { stage: "already-on", at: clock.now.toISOString(), evidence: current.evidence });
      return { type: "wake", device: key, wake };
    }
    this.#byDevice.set(device.id, wake);
    power.setWaking(device, true, clock.now);
    return { type: "wake", device: key, wake };
  }

  #repeat(
    answers: readonly WakeAnswerPart[],
    devices: readonly DirectoryDevice[],
    asker: Asker,
  ): readonly WakeAnswerPart[] {
    const answered = new Set<string>(answers.map((answer) => answer.device));
    if (!devices.some((device) => answered.has(device.key))) {
      const reason = "This transaction was used for other devices within the last ten minutes";
      return devices.map(({ key }) => ({ type: "refused", device: Key.parse(key), code: "CONFLICT", reason }));
    }
    for (const answer of answers)
      if (answer.type === "wake" && answer.wake.last) this.#tell(answer.wake, answer.wake.last, [asker]);
    return answers;
  }

  #seen(device: DirectoryDevice, evidence: Evidence): void {
    const wake = this.#byDevice.get(device.id);
    if (!wake) return;
    const nowMs = performance.now();
    if (wake.wasSent) this.#awake(wake, evidence, nowMs);
    else wake.early ??= { evidence, atMs: nowMs };
  }

  #awake(wake: RunningWake, evidence: Evidence, seenMs: number): void {
    const seconds = wake.secondsSince(seenMs);
    this.#record(wake, { stage: "awake", at: new Date().toISOString(), seconds, evidence });
  }

  #tick(): void {
    const nowMs = performance.now();
    const due: RunningWake[] = [];
    for (const wake of this.#byDevice.values()) {
      if (wake.early && nowMs - wake.early.atMs >= RECEIPT_PATIENCE_MS)
        this.#awake(wake, wake.early.evidence, wake.early.atMs);
      else if (nowMs >= wake.endsMs) this.#endWindow(wake, nowMs);
      else if (nowMs >= wake.nextBurstMs) due.push(wake);
    }
    if (due.length > 0) this.#bursts.send(due, nowMs);
    this.#bursts.forgetOld(nowMs);
  }

  #endWindow(wake: RunningWake, nowMs: number): void {
    const end = endOfWindow([...wake.agents.values()]);
    if (end.stage === "failed") return this.#fail(wake, end.code, end.reason);
    const seconds = wake.secondsSince(nowMs);
    const resent = wake.bursts - 1;
    this.#record(wake, {
      stage: "no-answer",
      at: new Date().toISOString(),
      seconds,
      resent,
      agents: wake.failures(),
      findings: [],
    });
  }

  #fail(wake: RunningWake, code: ErrorCode, reason: string): void {
    this.#record(wake, { stage: "failed", at: new Date().toISOString(), code, reason, agents: wake.failures() });
  }

  #record(wake: RunningWake, record: WakeStageRecord): void {
    wake.record(record);
    if (wake.isOver) this.#finish(wake);
    this.#tell(wake, record, wake.askers);
    for (const listener of this.#newsListeners) listener(wake, record);
  }

  #finish(wake: RunningWake): void {
    this.#running.delete(wake.id);
    if (this.#byDevice.get(wake.deviceId) === wake) this.#byDevice.delete(wake.deviceId);
    this.#recent.set(wake.id, wake);
    const [oldest] = this.#recent.keys();
    if (this.#recent.size > MAX_RECENT && oldest) this.#recent.delete(oldest);
    const device = this.#options.directory.devices.byId(wake.deviceId);
    if (device) this.#options.power.setWaking(device, false, new Date());
    for (const resolve of this.#waiters.get(wake) ?? []) resolve();
  }

  /** Deleted or disabled: either way it is not to be woken any more. */
  #deviceGone(deviceId: string): void {
    this.#overAtOnce.forget(deviceId);
    const wake = this.#byDevice.get(deviceId);
    if (wake) this.#record(wake, { stage: "cancelled", at: new Date().toISOString(), by: "hub" });
  }

  #tell(wake: RunningWake, record: WakeStageRecord, askers: readonly Asker[]): void {
    for (const listener of this.#listeners) listener(wake, record, askers);
  }
}

/** An order came twice, as QoS 1 may do: the first receipt said what was done. */
function isRepetition({ outcome, reason }: ReceiptTarget): boolean {
  return outcome === "refused" && reason === RefusalReason.enum.REPEATED;
}
