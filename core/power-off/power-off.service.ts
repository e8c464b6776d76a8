import { randomUUID } from "node:crypto";
import type { Logger } from "pino";
import type { PowerReceipt } from "#contracts/agent.ts";
import { Key } from "#contracts/key.ts";
import type { PowerOffAction } from "#contracts/power-action.ts";
import type { PowerOffStageRecord } from "#contracts/power-off.ts";
import type { Presence } from "../agents/presence.ts";
import { HubError } from "../kernel/errors.ts";
import type { HubSigner } from "../kernel/hub-key.ts";
import type { Link } from "../kernel/link.ts";
import type { Directory, DirectoryAgent, DirectoryDevice } from "../members/directory.ts";
import type { PowerStates } from "../power/power-states.ts";
import type { Asker } from "../wake/running-wake.ts";
import { Transactions } from "../wake/transactions.ts";
import { type DeviceAbility, PowerAbilities } from "./power-abilities.ts";
import type { PowerOffAnswerPart } from "./power-off-answer.ts";
import { PowerOffCourse } from "./power-off-course.ts";
import { planPowerOff } from "./power-off.rules.ts";
import { noteRequest } from "./power-off-trail.ts";
import { RunningPowerOff } from "./running-power-off.ts";

/** More power-offs at once than this are refused. */
const MAX_RUNNING = 10_000;
/** Power-offs that are over stay at hand so many, for whoever asks again. */
const MAX_RECENT = 5_000;
const TICK_MS = 100;
/** Who asks again so soon for a device that was off already gets the same answer, and no more history. Milliseconds. */
const REPEAT_MS = 10_000;

/** Another way than an agent on the machine. Resolves when it was done as far as that can be told. */
export interface PowerMethods {
  /** @throws Error with a sentence why it could not be done. */
  run(device: DirectoryDevice, action: PowerOffAction): Promise<void>;
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
  readonly whyNotDown?: (devices: readonly DirectoryDevice[]) => ReadonlyMap<string, string>;
  readonly leasesOf?: (deviceId: string) => { readonly count: number; readonly by: readonly string[] };
  /** Whether it has to wait for others to go down first; asked again until it has not. */
  readonly hasToWait?: (powerOff: RunningPowerOff) => boolean;
  /** Ends the wake of a device that somebody insists on powering off. */
  readonly cancelWake?: (deviceId: string, by: string) => void;
}

type Listener = (powerOff: RunningPowerOff, record: PowerOffStageRecord, askers: readonly Asker[]) => void;

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
  readonly #byDevice = new Map<string, RunningPowerOff>();
  readonly #byId = new Map<string, RunningPowerOff>();
  readonly #recent = new Map<string, RunningPowerOff>();
  readonly #offAlready = new Map<string, RunningPowerOff>();
  readonly #transactions = new Transactions<PowerOffAnswerPart>();
  /** Who holds an HTTP answer until it is over. */
  readonly #waiters = new WeakMap<RunningPowerOff, Set<() => void>>();
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
      const powerOff = this.#byDevice.get(device.id);
      if (powerOff) this.#course.powerChanged(powerOff, after);
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
    return this.#byDevice.size;
  }

  /** A power-off that runs, or that was over a short while ago. */
  find(id: string): RunningPowerOff | undefined {
    return this.#byId.get(id) ?? this.#recent.get(id);
  }

  runningOf(deviceId: string): RunningPowerOff | undefined {
    return this.#byDevice.get(deviceId);
  }

  ableOf(device: DirectoryDevice): DeviceAbility {
    return this.#abilities.of(device);
  }

  /** What can be done to a device at all, though perhaps not at this moment. */
  capabilityOf(device: DirectoryDevice) {
    return this.#abilities.whole(device).ways;
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
    const reasons = force ? NOTHING : (this.#options.whyNotDown?.(devices) ?? NOTHING);
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

  /**
   * A device is to be woken: no power-off that was asked for before may take it down afterwards.
   *
   * @returns whether the machine may go down all the same, so that its being up proves nothing yet.
   */
  overrule(device: DirectoryDevice, by: string): boolean {
    const powerOff = this.#byDevice.get(device.id);
    return powerOff ? this.#course.overrule(powerOff, device, by) : this.#course.isInDoubt(device.id);
  }

  /** Takes in what an agent did with an order. */
  receipt(agent: DirectoryAgent, receipt: PowerReceipt): void {
    this.#course.receipt(agent, receipt);
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

  #requestOne(
    { device, action }: { readonly device: DirectoryDevice; readonly action: PowerOffAction },
    asker: Asker,
    { force, reasons, clock }: { force: boolean; reasons: ReadonlyMap<string, string>; clock: Clock },
  ): PowerOffAnswerPart {
    const { directory, power, leasesOf, cancelWake } = this.#options;
    const part = { device: Key.parse(device.key), action };
    const running = this.#byDevice.get(device.id);
    const current = power.of(device.id).power;
    const ability = this.#abilities.whole(device);
    const plan = planPowerOff({
      enabled: device.enabled,
      power: current,
      action,
      force,
      ability,
      armed: this.#abilities.armed(device),
      wakers: this.#abilities.wakersOf(device),
      running: running ? { action: running.action, by: running.requestedBy } : null,
      neededBy: reasons.get(device.id) ?? null,
      leases: leasesOf?.(device.id) ?? NOBODY,
    });
    if (plan.type === "refuse") return { type: "refused", ...part, code: plan.code, reason: plan.reason };
    if (running) return this.#join(running, asker, part);
    const crowded = { type: "refused", ...part, code: "TOO_MANY_POWER_OFFS" } as const;
    if (this.#byDevice.size >= MAX_RUNNING) return { ...crowded, reason: "Too many power-offs run at the moment" };
    const before = plan.type === "already-off" ? this.#offAlready.get(device.id) : undefined;
    if (before && before.action === action && clock.nowMs - before.startedMs < REPEAT_MS) {
      if (before.last) this.#tell(before, before.last, [asker]);
      return { type: "power-off", ...part, powerOff: before };
    }
    const way = plan.type === "run" ? plan.way : (ability.ways.find((one) => one.action === action)?.way ?? "agent");
    const agent = way === "agent" ? (directory.ownAgentOf(device) ?? null) : null;
    const task = { device, clusterKey: directory.clusterOf(device).key, action, way, agent, force };
    const powerOff = new RunningPowerOff(randomUUID(), task, asker, clock);
    this.#byId.set(powerOff.id, powerOff);
    if (plan.type === "already-off") {
      this.#offAlready.set(device.id, powerOff);
      this.#record(powerOff, { stage: "already-off", at: clock.now.toISOString() });
      return { type: "power-off", ...part, powerOff };
    }
    if (current === "waking") cancelWake?.(device.id, asker.by);
    this.#byDevice.set(device.id, powerOff);
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
    wishes: readonly { readonly device: DirectoryDevice; readonly action: PowerOffAction }[],
    asker: Asker,
  ): readonly PowerOffAnswerPart[] {
    const answered = new Map<string, PowerOffAction>(answers.map((part) => [part.device, part.action]));
    if (!wishes.some(({ device, action }) => answered.get(device.key) === action)) {
      const reason = "This transaction was used for something else within the last ten minutes";
      return wishes.map(({ device, action }) => {
        return { type: "refused", device: Key.parse(device.key), action, code: "CONFLICT", reason };
      });
    }
    for (const part of answers)
      if (part.type === "power-off" && part.powerOff.last) this.#tell(part.powerOff, part.powerOff.last, [asker]);
    return answers;
  }

  #tick(): void {
    const clock = { now: new Date(), nowMs: performance.now() };
    for (const powerOff of this.#byDevice.values()) this.#course.tick(powerOff, clock);
    this.#course.forgetOld(clock);
  }

  #record(powerOff: RunningPowerOff, record: PowerOffStageRecord): void {
    powerOff.record(record);
    if (powerOff.isOver) this.#finish(powerOff);
    this.#tell(powerOff, record, powerOff.askers);
    for (const listener of this.#newsListeners) listener(powerOff, record);
  }

  #finish(powerOff: RunningPowerOff): void {
    this.#byId.delete(powerOff.id);
    if (this.#byDevice.get(powerOff.deviceId) === powerOff) this.#byDevice.delete(powerOff.deviceId);
    this.#recent.set(powerOff.id, powerOff);
    const [oldest] = this.#recent.keys();
    if (this.#recent.size > MAX_RECENT && oldest) this.#recent.delete(oldest);
    for (const resolve of this.#waiters.get(powerOff) ?? []) resolve();
  }

  /** Deleted or disabled: either way it is not to be powered off any more. */
  #deviceGone(deviceId: string): void {
    this.#offAlready.delete(deviceId);
    const powerOff = this.#byDevice.get(deviceId);
    if (powerOff) this.#course.giveUp(powerOff, { by: "hub", reason: "The device was disabled or deleted" });
  }

  #tell(powerOff: RunningPowerOff, record: PowerOffStageRecord, askers: readonly Asker[]): void {
    for (const listener of this.#listeners) listener(powerOff, record, askers);
  }
}

interface Clock {
  readonly now: Date;
  readonly nowMs: number;
}
