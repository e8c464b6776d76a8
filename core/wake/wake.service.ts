import { randomUUID } from "node:crypto";
import type { WakeReceipt } from "#contracts/agent.ts";
import { Key } from "#contracts/key.ts";
import { HubError } from "../kernel/errors.ts";
import type { DirectoryAgent, DirectoryDevice } from "../members/directory.ts";
import { OverAtOnce } from "./over-at-once.ts";
import { type Asker, RunningWake } from "./running-wake.ts";
import { Transactions } from "./transactions.ts";
import type { WakeAnswerPart } from "./wake-answer.ts";
import { WakeBook } from "./wake-book.ts";
import { type NewsListener, type StageListener, WakeCourse, type WakeCourseOptions } from "./wake-course.ts";
import type { WakeAim } from "./wake-orders.ts";
import { noteRequests } from "./wake-trail.ts";
import type { GateRefusal, WakeGate } from "./wake-gate.ts";
import { planWake, planWithNeeds, windowMsOf } from "./wake.rules.ts";

/** More wakes at once than this are refused. */
const MAX_RUNNING = 100_000;
const STILL_GOING_DOWN = "It is being powered off; the first magic packet follows when it is down";

export interface WakeOptions {
  readonly force: boolean;
}

export type WakeServiceOptions = WakeCourseOptions;

interface OneRequest extends WakeOptions {
  readonly clock: { readonly now: Date; readonly nowMs: number };
  /** What the device needs speaks against it, or has to be waited for. */
  readonly verdict: GateRefusal | "waits" | undefined;
}

/**
 * The one way on which a machine is woken, whoever asks: request → signed order to all usable agents at once → receipts →
 * re-sends → a sighting, or a reason. Nothing here waits for the database.
 */
export class WakeService {
  readonly #options: WakeServiceOptions;
  readonly #book = new WakeBook();
  readonly #overAtOnce = new OverAtOnce();
  readonly #course: WakeCourse;
  readonly #transactions = new Transactions<WakeAnswerPart>();
  readonly #askedListeners: ((deviceId: string, by: string) => void)[] = [];

  constructor(options: WakeServiceOptions) {
    this.#options = options;
    this.#course = new WakeCourse(options, this.#book);
    options.directory.onChange((change) => {
      if (change.type === "device" && change.before && !change.after?.enabled) this.#deviceGone(change.before.id);
    });
  }

  /** Calls the listener for each stage of each wake, with those who are to hear of it; again for who asks later. */
  onStage(listener: StageListener): void {
    this.#course.onStage(listener);
  }

  /** Calls the listener for each stage of each wake once, when it happens. */
  onNews(listener: NewsListener): void {
    this.#course.onNews(listener);
  }

  /** Calls the listener for each device that somebody asks to wake, unless it is refused; not where a transaction is repeated. */
  onAsked(listener: (deviceId: string, by: string) => void): void {
    this.#askedListeners.push(listener);
  }

  /** From now on wakes begin when the gate lets them. */
  setGate(gate: WakeGate): void {
    this.#course.setGate(gate);
  }

  start(): void {
    this.#course.start();
  }

  close(): void {
    this.#course.close();
  }

  get runningCount(): number {
    return this.#book.runningCount;
  }

  /** A wake that runs, or that was over a short while ago. */
  find(id: string): RunningWake | undefined {
    return this.#book.find(id);
  }

  runningOf(deviceId: string): RunningWake | undefined {
    return this.#book.runningOf(deviceId);
  }

  /** The wake of a device that runs, or that was over a while ago; undefined after a restart. */
  lastOf(deviceId: string): RunningWake | undefined {
    return this.#book.lastOf(deviceId);
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
    const plan = this.#course.gate?.plan(devices, asker, force);
    const verdictOf = (device: DirectoryDevice) => plan?.verdicts.get(device.id);
    const needed = plan?.needed.filter(({ id }) => !this.#book.runningOf(id)) ?? [];
    const behind = { ...asker, transaction: null, response: null };
    const before = needed.map((device) =>
      this.#requestOne(device, behind, { force: false, clock, verdict: verdictOf(device) }),
    );
    const answers = devices.map((device) =>
      this.#requestOne(device, asker, { force, clock, verdict: verdictOf(device) }),
    );
    const made = [...before, ...answers].flatMap((part) =>
      part.type === "wake" && part.wake.requestedAt === clock.now ? part.wake : [],
    );
    this.#tellAsked([...before, ...answers], asker.by);
    const begun = made.filter((wake) => wake.stages.length === 0);
    noteRequests(this.#options.directory, asker, { devices: needed, answers: before, made });
    noteRequests(this.#options.directory, asker, { devices, answers, made });
    this.#course.begin(begun, clock, plan?.paced);
    if (asker.transaction !== null) this.#transactions.remember(client, asker.transaction, answers, clock.nowMs);
    return answers;
  }

  /** Who would send the first magic packets to a device now, and where to. */
  firstAim(device: DirectoryDevice): WakeAim {
    return this.#course.firstAim(device);
  }

  /** @throws HubError NOT_FOUND, WAKE_OVER */
  cancel(id: string, by: string): RunningWake {
    const wake = this.find(id);
    if (!wake) throw new HubError("NOT_FOUND", "There is no such wake");
    if (wake.isOver) throw new HubError("WAKE_OVER", "This wake is over already");
    this.#course.record(wake, { stage: "cancelled", at: new Date().toISOString(), by });
    return wake;
  }

  /** Resolves when the wake is over or the time has passed. */
  waitFor(wake: RunningWake, ms: number): Promise<void> {
    return this.#book.waitFor(wake, ms);
  }

  /** Takes in what an agent did with an order. */
  receipt(agent: DirectoryAgent, receipt: WakeReceipt): void {
    this.#course.receipt(agent, receipt);
  }

  /** Takes in that another agent heard a packet of this wake. */
  heard(wake: RunningWake, packet: { agent: DirectoryAgent; from: string; port: number }, nowMs: number): void {
    this.#course.heard(wake, packet, nowMs);
  }

  #requestOne(device: DirectoryDevice, asker: Asker, { force, clock, verdict }: OneRequest): WakeAnswerPart {
    const { directory, presence, power, recipes, diagnose } = this.#options;
    const key = Key.parse(device.key);
    const running = this.#book.runningOf(device.id);
    if (running) {
      if (!running.join(asker))
        return { type: "refused", device: key, code: "TOO_MANY_WAKES", reason: "Too many requests wait for this wake" };
      if (running.last) this.#course.tell(running, running.last, [asker]);
      return { type: "wake", device: key, wake: running };
    }
    const current = power.of(device.id);
    const itself = directory.ownAgentOf(device)?.id;
    const linked = directory.agentsFor(device);
    const serving = itself === undefined ? linked : linked.filter(({ id }) => id !== itself);
    const agents = serving.map((agent) => ({ online: presence.isOnline(agent.id) }));
    const servesItself = serving.length < linked.length;
    const goingDown = this.#course.isGoingDown(device.id);
    const input = { enabled: device.enabled, power: current.power, force, agents, servesItself, goingDown };
    const plan = planWithNeeds(planWake(input), verdict);
    if (plan.type === "refuse") return { type: "refused", device: key, code: plan.code, reason: plan.reason };
    if (this.#book.runningCount >= MAX_RUNNING)
      return { type: "refused", device: key, code: "TOO_MANY_WAKES", reason: "Too many wakes run at the moment" };
    const last = this.#overAtOnce.find(device.id, plan, clock.nowMs);
    if (last) {
      if (last.last) this.#course.tell(last, last.last, [asker]);
      return { type: "wake", device: key, wake: last, ...(plan.type === "fail" && { failure: plan }) };
    }
    const windowMs = windowMsOf(device.wake.windowSeconds, recipes.of(device.id).slowSeconds);
    const target = { device, clusterKey: directory.clusterOf(device).key };
    const wake = new RunningWake(randomUUID(), target, asker, clock, { windowMs, force });
    this.#book.add(wake);
    this.#overAtOnce.note(device.id, plan, wake);
    if (plan.type === "fail") {
      const offline = plan.code === "NEED_FAILED" ? [] : serving;
      const failures = offline.map(({ key }) => ({ agent: Key.parse(key), code: "OFFLINE", reason: "It is offline" }));
      this.#course.record(wake, {
        stage: "failed",
        at: clock.now.toISOString(),
        code: plan.code,
        reason: plan.reason,
        agents: failures,
        findings: diagnose?.(wake) ?? [],
      });
      return { type: "wake", device: key, wake, failure: plan };
    }
    if (plan.type === "already-on") {
      this.#course.record(wake, { stage: "already-on", at: clock.now.toISOString(), evidence: current.evidence });
      return { type: "wake", device: key, wake };
    }
    this.#book.await(wake);
    wake.awaitsDown = plan.type === "wait";
    if (wake.awaitsDown)
      this.#course.record(wake, { stage: "waiting", at: clock.now.toISOString(), for: [], reason: STILL_GOING_DOWN });
    return { type: "wake", device: key, wake };
  }

  #tellAsked(parts: readonly WakeAnswerPart[], by: string): void {
    for (const part of parts)
      if (part.type === "wake") for (const listener of this.#askedListeners) listener(part.wake.deviceId, by);
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
      if (answer.type === "wake" && answer.wake.last) this.#course.tell(answer.wake, answer.wake.last, [asker]);
    return answers;
  }

  /** Deleted or disabled: either way it is not to be woken any more. */
  #deviceGone(deviceId: string): void {
    this.#overAtOnce.forget(deviceId);
    const wake = this.#book.runningOf(deviceId);
    if (wake) this.#course.record(wake, { stage: "cancelled", at: new Date().toISOString(), by: "hub" });
  }
}
