import { type ReceiptTarget, RefusalReason, type WakeReceipt } from "#contracts/agent.ts";
import type { FindingNote } from "#contracts/finding.ts";
import { Key } from "#contracts/key.ts";
import type { Evidence } from "#contracts/power.ts";
import type { WakeStageRecord } from "#contracts/wake.ts";
import type { ErrorCode } from "../kernel/errors.ts";
import type { DirectoryAgent, DirectoryDevice } from "../members/directory.ts";
import type { PowerStates } from "../power/power-states.ts";
import type { Asker, RunningWake } from "./running-wake.ts";
import type { WakeBook } from "./wake-book.ts";
import { WakeBursts, type WakeBurstsOptions } from "./wake-bursts.ts";
import type { WakeAim } from "./wake-orders.ts";
import type { WakeGate } from "./wake-gate.ts";
import { afterPowerOff, endOfWindow, isHopeless } from "./wake.rules.ts";

const TICK_MS = 100;
const NOBODY: ReadonlySet<string> = new Set();
/** A machine that is seen up counts as awake after this, also when no agent has said that it sent. Milliseconds. */
const RECEIPT_PATIENCE_MS = 3_000;

export interface WakeCourseOptions extends WakeBurstsOptions {
  readonly power: PowerStates;
  /** What may be the matter with a device that did not wake. */
  readonly diagnose?: (wake: RunningWake) => FindingNote[];
  /** Whether a power-off of the device is under way, from the request on; without it as its power state says. */
  readonly isGoingDown?: (deviceId: string) => boolean;
}

interface HeardPacketOf {
  readonly agent: DirectoryAgent;
  readonly from: string;
  readonly port: number;
}

export type StageListener = (wake: RunningWake, record: WakeStageRecord, askers: readonly Asker[]) => void;
export type NewsListener = (wake: RunningWake, record: WakeStageRecord) => void;

/** What happens in the wakes that run: bursts, receipts, sightings, and how each ends. All of it on the monotonic clock. */
export class WakeCourse {
  readonly #options: WakeCourseOptions;
  readonly #book: WakeBook;
  readonly #bursts: WakeBursts;
  readonly #listeners: StageListener[] = [];
  readonly #newsListeners: NewsListener[] = [];
  #gate: WakeGate | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: WakeCourseOptions, book: WakeBook) {
    this.#options = options;
    this.#book = book;
    this.#bursts = new WakeBursts(options);
    options.power.onSeen((device, evidence) => this.#seen(device, evidence));
  }

  /** Calls the listener for each stage of each wake, with those who are to hear of it; again for who asks later. */
  onStage(listener: StageListener): void {
    this.#listeners.push(listener);
  }

  /** Calls the listener for each stage of each wake once, when it happens. */
  onNews(listener: NewsListener): void {
    this.#newsListeners.push(listener);
  }

  get gate(): WakeGate | undefined {
    return this.#gate;
  }

  setGate(gate: WakeGate): void {
    this.#gate = gate;
  }

  start(): void {
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
  }

  close(): void {
    clearInterval(this.#timer);
  }

  /**
   * Sends the first bursts, or waits for what has to be ready before.
   *
   * @param paced devices that take turns with others of their cluster, by id.
   */
  begin(wakes: readonly RunningWake[], clock: { now: Date; nowMs: number }, paced = NOBODY): void {
    const { directory, power } = this.#options;
    for (const wake of wakes) {
      const device = directory.devices.byId(wake.deviceId);
      if (!device) continue;
      wake.wasOff = power.of(device.id).power === "off";
      power.setWaking(device, true, clock.now);
    }
    const waiting = this.#gate?.hold(wakes, paced, clock.nowMs);
    if (!waiting || waiting.size === 0) return this.#send(wakes, clock);
    for (const [wake, what] of waiting) {
      wake.holdBack();
      this.record(wake, { stage: "waiting", at: clock.now.toISOString(), ...what });
    }
    const free = wakes.filter((wake) => !waiting.has(wake));
    this.#send(free, clock);
  }

  #send(wakes: readonly RunningWake[], { now, nowMs }: { now: Date; nowMs: number }): void {
    this.#bursts.send(wakes, nowMs);
    for (const wake of wakes) {
      const agents = [...wake.agents.values()].map((agent) => agent.key);
      this.record(wake, { stage: "accepted", at: now.toISOString(), agents });
    }
  }

  /** Who would send the first burst to a device now, and where to. */
  firstAim(device: DirectoryDevice): WakeAim {
    return this.#bursts.firstAim(device);
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
      const first = wake.take(agent, target, { asked: asked.length, atMs: order.atMs });
      if (wake.isOver) continue;
      if (first) {
        const { packets, destinations } = target;
        this.record(wake, { stage: "sent", at: receipt.at, agent: Key.parse(agent.key), packets, destinations });
        this.#tellHeard(wake);
        if (wake.early) this.#awake(wake, wake.early.evidence, wake.early.atMs);
      } else if (!wake.early && isHopeless([...wake.agents.values()], wake.failedBursts)) {
        this.#fail(wake, "SEND_FAILED", "No agent could send a magic packet");
      }
    }
  }

  /** The first agent that heard it is proof enough. What is told of the sending comes before it. */
  heard(wake: RunningWake, { agent, from, port }: HeardPacketOf, nowMs: number): void {
    if (wake.isOver || wake.heard) return;
    wake.heard = { agent: Key.parse(agent.key), from, port, atMs: nowMs, isTold: false };
    if (wake.wasSent) this.#tellHeard(wake);
  }

  isGoingDown(deviceId: string): boolean {
    return (this.#options.isGoingDown?.(deviceId) ?? false) || this.#options.power.of(deviceId).power === "stopping";
  }

  record(wake: RunningWake, record: WakeStageRecord): void {
    wake.record(record);
    if (wake.isOver) this.#finish(wake);
    this.tell(wake, record, wake.askers);
    for (const listener of this.#newsListeners) listener(wake, record);
  }

  tell(wake: RunningWake, record: WakeStageRecord, askers: readonly Asker[]): void {
    for (const listener of this.#listeners) listener(wake, record, askers);
  }

  /** Its machine was going down: is it down by now? */
  #afterPowerOff(wake: RunningWake, nowMs: number): void {
    const { power, evidence } = this.#options.power.of(wake.deviceId);
    const waitedMs = nowMs - wake.startedMs;
    const then = afterPowerOff({ goingDown: this.isGoingDown(wake.deviceId), power, force: wake.force, waitedMs });
    if (then === "wait") return;
    wake.awaitsDown = false;
    wake.endsMs = nowMs + wake.windowMs;
    const now = new Date();
    if (then === "send") return this.begin([wake], { now, nowMs });
    this.record(wake, { stage: "already-on", at: now.toISOString(), evidence });
  }

  #seen(device: DirectoryDevice, evidence: Evidence): void {
    const wake = this.#book.runningOf(device.id);
    if (!wake || wake.awaitsDown || this.isGoingDown(device.id)) return;
    const nowMs = performance.now();
    if (wake.wasSent) this.#awake(wake, evidence, nowMs);
    else wake.early ??= { evidence, atMs: nowMs };
  }

  #tellHeard(wake: RunningWake): void {
    if (!wake.heard || wake.heard.isTold) return;
    wake.heard.isTold = true;
    const { agent, from, port } = wake.heard;
    this.record(wake, { stage: "on-wire", at: new Date().toISOString(), agent, from, port });
  }

  #awake(wake: RunningWake, evidence: Evidence, seenMs: number): void {
    const now = new Date();
    const { deviceId, sent, firstBurstMs } = wake;
    if (wake.wasOff && wake.wasSent && firstBurstMs !== null) {
      const seconds = Math.round((seenMs - firstBurstMs) / 100) / 10;
      this.#options.recipes.learn({ deviceId, sent, evidence, seconds, seenMs }, now);
    }
    this.record(wake, { stage: "awake", at: now.toISOString(), seconds: wake.secondsSince(seenMs), evidence });
  }

  /** What became of the wakes that wait. */
  #passGate(nowMs: number): void {
    const news = this.#gate?.tick(nowMs);
    if (!news) return;
    const now = new Date();
    for (const { wake, waiting } of news.wait)
      this.record(wake, { stage: "waiting", at: now.toISOString(), ...waiting });
    for (const { wake, refusal } of news.fail) this.#fail(wake, refusal.code, refusal.reason);
    for (const wake of news.begin) wake.letGo(nowMs);
    this.#send(news.begin, { now, nowMs });
  }

  #tick(): void {
    const nowMs = performance.now();
    this.#passGate(nowMs);
    const due: RunningWake[] = [];
    for (const wake of this.#book.awaiting) {
      if (wake.heard && nowMs - wake.heard.atMs >= RECEIPT_PATIENCE_MS) this.#tellHeard(wake);
      if (wake.awaitsDown) this.#afterPowerOff(wake, nowMs);
      else if (wake.early && nowMs - wake.early.atMs >= RECEIPT_PATIENCE_MS)
        this.#awake(wake, wake.early.evidence, wake.early.atMs);
      else if (nowMs >= wake.endsMs) this.#endWindow(wake, nowMs);
      else if (nowMs >= wake.nextBurstMs) due.push(wake);
    }
    if (due.length > 0) this.#bursts.send(due, nowMs);
    this.#bursts.forgetOld(nowMs);
  }

  #endWindow(wake: RunningWake, nowMs: number): void {
    const end = endOfWindow([...wake.agents.values()], wake.heard !== null);
    if (end.stage === "failed") return this.#fail(wake, end.code, end.reason);
    const seconds = wake.secondsSince(nowMs);
    const resent = wake.bursts - 1;
    this.record(wake, {
      stage: "no-answer",
      at: new Date().toISOString(),
      seconds,
      resent,
      agents: wake.failures(),
      findings: this.#options.diagnose?.(wake) ?? [],
    });
  }

  #fail(wake: RunningWake, code: ErrorCode, reason: string): void {
    const findings = this.#options.diagnose?.(wake) ?? [];
    const agents = wake.failures();
    this.record(wake, { stage: "failed", at: new Date().toISOString(), code, reason, agents, findings });
  }

  #finish(wake: RunningWake): void {
    this.#book.finish(wake);
    this.#gate?.forget(wake);
    const device = this.#options.directory.devices.byId(wake.deviceId);
    if (device) this.#options.power.setWaking(device, false, new Date());
  }
}

/** An order came twice, as QoS 1 may do: the first receipt said what was done. */
function isRepetition({ outcome, reason }: ReceiptTarget): boolean {
  return outcome === "refused" && reason === RefusalReason.enum.REPEATED;
}
