import { randomUUID } from "node:crypto";
import type { Logger } from "pino";
import type { PowerReceipt } from "#contracts/agent.ts";
import { Key } from "#contracts/key.ts";
import type { PowerOffAction } from "#contracts/power-action.ts";
import type { PowerOffStageRecord } from "#contracts/power-off.ts";
import type { Presence } from "../agents/presence.ts";
import { type ErrorCode, HubError } from "../kernel/errors.ts";
import type { HubSigner } from "../kernel/hub-key.ts";
import type { Link } from "../kernel/link.ts";
import type { Directory, DirectoryAgent, DirectoryDevice } from "../members/directory.ts";
import type { PowerStates } from "../power/power-states.ts";
import type { Asker } from "../wake/running-wake.ts";
import { Transactions } from "../wake/transactions.ts";
import { type DeviceAbility, PowerAbilities } from "./power-abilities.ts";
import type { PowerOffAnswerPart } from "./power-off-answer.ts";
import { PowerOffBook } from "./power-off-book.ts";
import { PowerOffCourse, type PowerMethods } from "./power-off-course.ts";
import { type PowerOffPlan, planPowerOff } from "./power-off.rules.ts";
import type { Clock } from "./power-off-ends.ts";
import { noteRequest } from "./power-off-trail.ts";
import { RunningPowerOff } from "./running-power-off.ts";

/** More power-offs at once than this are refused. */
const MAX_RUNNING = 10_000;
const TICK_MS = 100;

export interface PowerOffWish {
  readonly device: DirectoryDevice;
  readonly action: PowerOffAction;
}

export interface PowerOffServiceOptions {
  readonly directory: Directory;
  readonly presence: Presence;
  readonly power: PowerStates;
  readonly link: Link;
  readonly signer: HubSigner;
  readonly log: Logger;
  readonly methods?: PowerMethods;
  /** Why some of these may not go down though the others do, in a sentence, by their ids. */
  readonly whyNotDown?: (wishes: readonly PowerOffWish[]) => ReadonlyMap<string, string>;
  readonly leasesOf?: (deviceId: string) => { readonly count: number; readonly by: readonly string[] };
  /** Whether it has to wait for others to go down first, or for its turn: asked again until it has not, or why it fails. */
  readonly hasToWait?: (powerOff: RunningPowerOff) => boolean | { readonly code: ErrorCode; readonly reason: string };
  /** The wakes that are under way; one is ended where somebody insists on powering its device off. */
  readonly wakes?: { isRunning(deviceId: string): boolean; cancel(deviceId: string, by: string): void };
}

type Listener = (powerOff: RunningPowerOff, record: PowerOffStageRecord, askers: readonly Asker[]) => void;

const USED_BEFORE = "This transaction was used for something else within the last ten minutes";
const NOBODY = { count: 0, by: [] } as const;
const NOTHING: ReadonlyMap<string, string> = new Map();

/**
 * The one way on which a machine is powered off, whoever asks: request → signed order to the agent on it, or the way that was
 * set → what that says → its being seen off, or a reason. Nothing here waits for the database.
 */
export class PowerOffService {
  readonly #options: PowerOffServiceOptions;
  readonly #abilities: PowerAbilities;
  readonly #course: PowerOffCourse;
  readonly #book = new PowerOffBook();
  readonly #transactions = new Transactions<PowerOffAnswerPart>();
  readonly #listeners: Listener[] = [];
  readonly #newsListeners: ((powerOff: RunningPowerOff, record: PowerOffStageRecord) => void)[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(options: PowerOffServiceOptions) {
    this.#options = options;
    const { directory, presence, power } = options;
    this.#abilities = new PowerAbilities(directory, presence, { hasMethods: options.methods !== undefined });
    const record = this.#record.bind(this);
    this.#course = new PowerOffCourse({ ...options, abilities: this.#abilities, record });
    power.onChange(({ device, after }) => {
      const powerOff = this.#book.runningOf(device.id);
      if (powerOff) this.#course.powerChanged(powerOff, after);
      else if (after.power === "off") this.#course.wentDown(device.id);
    });
    directory.onChange((change) => {
      if (change.type === "device" && change.before && !change.after?.enabled) this.#deviceGone(change.before.id);
    });
  }

  /** Calls the listener for each stage of each power-off, with those who are to hear of it; again for who asks later. */
  onStage(listener: Listener): void {
    this.#listeners.push(listener);
  }

  /** Calls the listener for each stage of each power-off once, when it happens. */
  onNews(listener: (powerOff: RunningPowerOff, record: PowerOffStageRecord) => void): void {
    this.#newsListeners.push(listener);
  }

  start(): void {
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
  }

  close(): void {
    clearInterval(this.#timer);
  }

  get runningCount(): number {
    return this.#book.runningCount;
  }

  /** A power-off that runs, or that was over a short while ago. */
  find(id: string): RunningPowerOff | undefined {
    return this.#book.find(id);
  }

  runningOf(deviceId: string): RunningPowerOff | undefined {
    return this.#book.runningOf(deviceId);
  }

  ableOf(device: DirectoryDevice): DeviceAbility {
    return this.#abilities.of(device);
  }

  /** What can take a device down whoever is there at the moment, with the agent that has to be. */
  waysDownOf(device: DirectoryDevice) {
    return this.#abilities.waysDownOf(device);
  }

  /**
   * Powers devices of one site off. One answer for each device, in their order; a power-off that is under way is joined.
   * A transaction that this asker used within ten minutes repeats the answer and does nothing else.
   *
   * @param action `off` is what was set for each device.
   */
  request(
    devices: readonly DirectoryDevice[],
    action: PowerOffAction | "off",
    asker: Asker,
    { force }: { readonly force: boolean },
  ): readonly PowerOffAnswerPart[] {
    const clock = { now: new Date(), nowMs: performance.now() };
    const client = `${asker.door} ${asker.by}`;
    const wishes = devices.map((device) => ({ device, action: action === "off" ? device.power.off : action }));
    const { transaction } = asker;
    const repeated = transaction === null ? undefined : this.#transactions.find(client, transaction, clock.nowMs);
    if (repeated) return this.#repeat(repeated, wishes, asker);
    const reasons = force ? NOTHING : (this.#options.whyNotDown?.(wishes) ?? NOTHING);
    const answers = wishes.map((wish) => this.#requestOne(wish, asker, { force, reasons, clock }));
    const made = answers.flatMap((part) => (part.type === "power-off" ? part.powerOff : []));
    const fresh = new Set(made.filter(({ requestedAt }) => requestedAt === clock.now));
    const byCluster = Map.groupBy(devices, (device) => this.#options.directory.clusterOf(device));
    for (const [cluster, members] of byCluster) noteRequest(asker, { devices: members, cluster }, answers, fresh);
    if (transaction !== null) this.#transactions.remember(client, transaction, answers, clock.nowMs);
    for (const powerOff of fresh)
      if (powerOff.stages.length === 0) {
        const { way, agent } = powerOff;
        this.#record(powerOff, { stage: "accepted", at: clock.now.toISOString(), way, agent: agent?.key ?? null });
        this.#course.begin(powerOff, clock);
      }
    return answers;
  }

  /**
   * Calls a power-off back. One whose order is on its way is over when the machine's agent has said that it stays up.
   *
   * @throws HubError NOT_FOUND, POWER_OFF_OVER (also when it cannot be stopped any more)
   */
  cancel(id: string, by: string, reason: string | null): RunningPowerOff {
    const powerOff = this.find(id);
    if (!powerOff) throw new HubError("NOT_FOUND", "There is no such power-off");
    if (powerOff.isOver) throw new HubError("POWER_OFF_OVER", "This power-off is over already");
    if (powerOff.isAcknowledged)
      throw new HubError("POWER_OFF_OVER", "The machine is going down already; wake it instead");
    this.#course.callBack(powerOff, { by, reason });
    return powerOff;
  }

  /** A device is to be woken: no power-off that was asked for before may take it down afterwards. */
  overrule(deviceId: string, by: string): void {
    const powerOff = this.#book.runningOf(deviceId);
    if (powerOff) this.#course.overrule(powerOff, by);
  }

  /** Whether it may be on its way down, so that its being up proves nothing. */
  isGoingDown(deviceId: string): boolean {
    return (this.#book.runningOf(deviceId)?.isGoingDown ?? false) || this.#course.mayGoDown(deviceId);
  }

  /** Takes in what an agent did with an order. */
  receipt(agent: DirectoryAgent, receipt: PowerReceipt): void {
    this.#course.receipt(agent, receipt);
  }

  /** Resolves when it is over or the time has passed. */
  waitFor(powerOff: RunningPowerOff, ms: number): Promise<void> {
    return this.#book.waitFor(powerOff, ms);
  }

  /** What a request for one device would lead to. Nothing is done. */
  planFor(
    { device, action }: PowerOffWish,
    { force, neededBy }: { readonly force: boolean; readonly neededBy: string | null },
  ): PowerOffPlan {
    const { power, leasesOf, wakes } = this.#options;
    const running = this.#book.runningOf(device.id);
    return planPowerOff({
      enabled: device.enabled,
      power: power.of(device.id).power,
      isBeingWoken: wakes?.isRunning(device.id) ?? false,
      action,
      force,
      ability: this.#abilities.whole(device),
      armed: this.#abilities.armed(device),
      wakers: this.#abilities.wakersOf(device),
      running: running ? { action: running.action, by: running.requestedBy } : null,
      neededBy,
      leases: leasesOf?.(device.id) ?? NOBODY,
    });
  }

  #requestOne(
    { device, action }: PowerOffWish,
    asker: Asker,
    { force, reasons, clock }: { force: boolean; reasons: ReadonlyMap<string, string>; clock: Clock },
  ): PowerOffAnswerPart {
    const { directory, wakes } = this.#options;
    const part = { device: Key.parse(device.key), action };
    const running = this.#book.runningOf(device.id);
    const plan = this.planFor({ device, action }, { force, neededBy: reasons.get(device.id) ?? null });
    if (plan.type === "refuse") return { type: "refused", ...part, code: plan.code, reason: plan.reason };
    if (running) return this.#join(running, asker, part);
    const crowded = { type: "refused", ...part, code: "TOO_MANY_POWER_OFFS" } as const;
    if (this.#book.runningCount >= MAX_RUNNING) return { ...crowded, reason: "Too many power-offs run at the moment" };
    const before = plan.type === "already-off" ? this.#book.offAlready(device.id, action, clock.nowMs) : undefined;
    if (before) {
      if (before.last) this.#tell(before, before.last, [asker]);
      return { type: "power-off", ...part, powerOff: before };
    }
    const { ways } = this.#abilities.whole(device);
    const way = plan.type === "run" ? plan.way : (ways.find((one) => one.action === action)?.way ?? "agent");
    const agent = way === "agent" ? (directory.ownAgentOf(device) ?? null) : null;
    const task = { device, clusterKey: directory.clusterOf(device).key, action, way, agent, force };
    const powerOff = new RunningPowerOff(randomUUID(), task, asker, clock);
    if (plan.type === "run" && wakes?.isRunning(device.id)) wakes.cancel(device.id, asker.by);
    this.#book.add(powerOff, { runs: plan.type === "run" });
    if (plan.type === "already-off") this.#record(powerOff, { stage: "already-off", at: clock.now.toISOString() });
    return { type: "power-off", ...part, powerOff };
  }

  #join(
    powerOff: RunningPowerOff,
    asker: Asker,
    part: Pick<PowerOffAnswerPart, "device" | "action">,
  ): PowerOffAnswerPart {
    if (!powerOff.join(asker)) {
      const reason = "Too many requests wait for this power-off";
      return { type: "refused", ...part, code: "TOO_MANY_POWER_OFFS", reason };
    }
    if (powerOff.last) this.#tell(powerOff, powerOff.last, [asker]);
    return { type: "power-off", ...part, powerOff };
  }

  #repeat(
    answers: readonly PowerOffAnswerPart[],
    wishes: readonly PowerOffWish[],
    asker: Asker,
  ): readonly PowerOffAnswerPart[] {
    const answered = new Map<string, PowerOffAction>(answers.map((part) => [part.device, part.action]));
    const conflict = { type: "refused", code: "CONFLICT", reason: USED_BEFORE } as const;
    if (!wishes.some(({ device, action }) => answered.get(device.key) === action))
      return wishes.map(({ device, action }) => ({ ...conflict, device: Key.parse(device.key), action }));
    for (const part of answers)
      if (part.type === "power-off" && part.powerOff.last) this.#tell(part.powerOff, part.powerOff.last, [asker]);
    return answers;
  }

  #tick(): void {
    const clock = { now: new Date(), nowMs: performance.now() };
    for (const powerOff of this.#book.running) this.#course.tick(powerOff, clock);
    this.#course.forgetOld(clock);
  }

  #record(powerOff: RunningPowerOff, record: PowerOffStageRecord): void {
    powerOff.record(record);
    if (powerOff.isOver) this.#book.finish(powerOff);
    this.#tell(powerOff, record, powerOff.askers);
    for (const listener of this.#newsListeners) listener(powerOff, record);
  }

  /** Deleted or disabled: either way it is not to be powered off any more. */
  #deviceGone(deviceId: string): void {
    this.#book.forgetDevice(deviceId);
    const powerOff = this.#book.runningOf(deviceId);
    if (powerOff) this.#course.giveUp(powerOff, { by: "hub", reason: "The device was disabled or deleted" });
  }

  #tell(powerOff: RunningPowerOff, record: PowerOffStageRecord, askers: readonly Asker[]): void {
    for (const listener of this.#listeners) listener(powerOff, record, askers);
  }
}
