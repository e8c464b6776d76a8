import { Key } from "#contracts/key.ts";
import type { Need } from "#contracts/needs.ts";
import type { DirectoryDevice } from "../members/directory.ts";
import type { Asker, RunningWake } from "../wake/running-wake.ts";
import type { GateNews, GatePlan, GateRefusal, Waiting, WakeGate } from "../wake/wake-gate.ts";
import { windowMsOf } from "../wake/wake.rules.ts";
import { needFailed, planOfWake } from "./plan.rules.ts";
import type { Probes } from "./probes.ts";
import { ALL_AT_ONCE, ClusterTurns, isUnpaced, paceInWords } from "./turns.ts";
import { type FactParts, powerFor, wakeFacts } from "./facts.ts";
import { type Awaited, waitingInWords, whyNotUp } from "./waiting.rules.ts";

/** A wake that waits for what its device needs, then perhaps for its turn. */
export interface HeldWake {
  readonly wake: RunningWake;
  readonly deviceId: string;
  readonly clusterId: string;
  readonly isPaced: boolean;
  readonly needs: readonly Need[];
  /** What was told last. */
  waiting: Waiting;
}

export interface NeedsGateOptions extends FactParts {
  readonly probes: Probes<HeldWake>;
  readonly wakes: {
    runningOf(deviceId: string): RunningWake | undefined;
    lastOf(deviceId: string): RunningWake | undefined;
  };
}

const NOTHING: Waiting = { for: [], reason: "" };

/** Holds wakes back until what their devices need is ready, and until it is their turn in their cluster. */
export class NeedsGate implements WakeGate {
  readonly #options: NeedsGateOptions;
  readonly #held = new Map<RunningWake, HeldWake>();
  readonly #byNeed = new Map<string, Set<HeldWake>>();
  /** Those whose needs may have changed. */
  readonly #dirty = new Set<HeldWake>();
  /** Those that are ready and wait for their turn, first come first, by cluster. */
  readonly #queues = new Map<string, Set<HeldWake>>();
  readonly #turns = new Map<string, ClusterTurns<RunningWake>>();

  constructor(options: NeedsGateOptions) {
    this.#options = options;
    options.power.onChange(({ device }) => this.#touch(device.id));
    options.directory.onChange(({ type, before, after }) => {
      if (type !== "agent") for (const held of this.#held.values()) this.#dirty.add(held);
      if (type === "cluster" && before && !after) this.#turns.delete(before.id);
    });
  }

  plan(devices: readonly DirectoryDevice[], asker: Asker, force: boolean): GatePlan | undefined {
    const { directory, dependencies } = this.#options;
    const paced = this.#pacedAmong(devices);
    if (paced.size === 0 && devices.every(({ id }) => dependencies.needsOf(id).length === 0)) return undefined;
    const isAsked = new Set(devices.map(({ id }) => id));
    // the doors have asked whether the devices themselves may be woken
    const mayWake = (device: DirectoryDevice) => isAsked.has(device.id) || asker.mayWake(device);
    const steps = planOfWake([...isAsked], wakeFacts(this.#options, mayWake), { force, paceOf: () => ALL_AT_ONCE });
    const verdicts = new Map<string, GateRefusal | "waits">();
    const needed: DirectoryDevice[] = [];
    for (const { device, asked, verdict, refusal, after } of steps) {
      const row = directory.devices.byId(device.id);
      if (row && !asked && verdict === "go") needed.push(row);
      if (refusal && refusal !== device.refusal) verdicts.set(device.id, refusal);
      else if (verdict === "go" && after.length > 0) verdicts.set(device.id, "waits");
    }
    return { verdicts, needed, paced };
  }

  hold(wakes: readonly RunningWake[], paced: ReadonlySet<string>, nowMs: number): ReadonlyMap<RunningWake, Waiting> {
    const fresh = wakes.flatMap((wake) => this.#keep(wake, paced.has(wake.deviceId)) ?? []);
    const begun = new Set(fresh.filter((held) => this.#assess(held, nowMs) === "begin"));
    for (const held of this.#takeTurns(nowMs)) begun.add(held);
    for (const held of begun) this.#release(held);
    return new Map(fresh.flatMap((held) => (begun.has(held) ? [] : [[held.wake, held.waiting] as const])));
  }

  forget(wake: RunningWake): void {
    const held = this.#held.get(wake);
    if (held) this.#release(held);
    this.#touch(wake.deviceId);
  }

  tick(nowMs: number): GateNews | undefined {
    if (this.#held.size === 0) return undefined;
    for (const held of this.#options.probes.tick(nowMs)) this.#dirty.add(held);
    const due = [...this.#dirty];
    this.#dirty.clear();
    const begin: HeldWake[] = [];
    const fail: { wake: RunningWake; refusal: GateRefusal }[] = [];
    const wait: { wake: RunningWake; waiting: Waiting }[] = [];
    for (const held of due) {
      const before = held.waiting;
      const then = this.#assess(held, nowMs);
      if (then === "begin") begin.push(held);
      else if (then !== "wait") fail.push({ wake: held.wake, refusal: then });
      else if (held.waiting.reason !== before.reason) wait.push({ wake: held.wake, waiting: held.waiting });
    }
    begin.push(...this.#takeTurns(nowMs));
    for (const held of begin) this.#release(held);
    return { begin: begin.map(({ wake }) => wake), fail, wait };
  }

  /** A single device that somebody asks for does not queue up behind a whole cluster. */
  #pacedAmong(devices: readonly DirectoryDevice[]): Set<string> {
    const { directory } = this.#options;
    const paced = new Set<string>();
    if (devices.length < 2) return paced;
    for (const [clusterId, members] of Map.groupBy(devices, (device) => device.clusterId)) {
      const cluster = directory.clusters.byId(clusterId);
      if (members.length > 1 && cluster && !isUnpaced(cluster.pace)) for (const { id } of members) paced.add(id);
    }
    return paced;
  }

  #keep(wake: RunningWake, isPaced: boolean): HeldWake | undefined {
    const { directory, dependencies } = this.#options;
    const device = directory.devices.byId(wake.deviceId);
    const needs = device ? dependencies.needsOf(device.id) : [];
    if (!device || (needs.length === 0 && !isPaced)) return undefined;
    const held = { wake, deviceId: device.id, clusterId: device.clusterId, isPaced, needs, waiting: NOTHING };
    this.#held.set(wake, held);
    for (const { deviceId } of needs) setIn(this.#byNeed, deviceId).add(held);
    return held;
  }

  /** Where a held wake stands now. What it waits for is noted in it. */
  #assess(held: HeldWake, nowMs: number): "begin" | "wait" | GateRefusal {
    const awaited: Awaited[] = [];
    for (const need of held.needs) {
      const state = this.#stateOf(need, held, nowMs);
      if (state === "ready") continue;
      if ("code" in state) return this.#failed(held, state);
      awaited.push(state);
    }
    if (awaited.length > 0) {
      held.waiting = { for: awaited.map(({ key }) => key), reason: waitingInWords(awaited) };
      return "wait";
    }
    const cluster = this.#options.directory.clusters.byId(held.clusterId);
    if (!held.isPaced || !cluster) return "begin";
    held.waiting = { for: [], reason: paceInWords(cluster.pace) };
    setIn(this.#queues, held.clusterId).add(held);
    return "wait";
  }

  /** It is told at the next tick, to whoever has heard by then that it waits. */
  #failed(held: HeldWake, refusal: GateRefusal): GateRefusal {
    held.waiting = { for: [], reason: refusal.reason };
    this.#dirty.add(held);
    return refusal;
  }

  #stateOf({ deviceId, ready }: Need, held: HeldWake, nowMs: number): "ready" | Awaited | GateRefusal {
    const { directory, dependencies, probes, wakes } = this.#options;
    const device = directory.devices.byId(deviceId);
    const isNeeded = dependencies.needsOf(held.deviceId).some((need) => need.deviceId === deviceId);
    if (!device || !isNeeded) return "ready"; // it was needed when the wake was asked for
    const key = Key.parse(device.key);
    const last = wakes.lastOf(deviceId);
    const current = powerFor(this.#options, deviceId);
    const cameUp = last?.stage === "awake" && last.requestedAt >= held.wake.requestedAt && current !== "off";
    if (current !== "on" && !cameUp) {
      if (wakes.runningOf(deviceId)) return { key, port: null };
      return needFailed(key, { code: "NEED_FAILED", reason: whyNotUp(device.enabled, last) });
    }
    if (ready.type === "on") return "ready";
    const patienceMs = windowMsOf(device.wake.windowSeconds, null);
    const service = probes.use(held, device, ready.port, { nowMs, patienceMs });
    if (service === "open") return "ready";
    if (service === "asking") return { key, port: ready.port };
    const reason = `it is on, but does not accept connections on port ${ready.port}`;
    return needFailed(key, { code: "NEED_FAILED", reason });
  }

  #takeTurns(nowMs: number): HeldWake[] {
    const begun: HeldWake[] = [];
    for (const [clusterId, queue] of this.#queues) {
      const pace = this.#options.directory.clusters.byId(clusterId)?.pace ?? ALL_AT_ONCE;
      const turns = this.#turns.get(clusterId) ?? new ClusterTurns<RunningWake>();
      this.#turns.set(clusterId, turns);
      for (const held of queue) {
        if (!turns.take(held.wake, pace, nowMs)) break;
        queue.delete(held);
        begun.push(held);
      }
      if (queue.size === 0) this.#queues.delete(clusterId);
    }
    return begun;
  }

  #touch(deviceId: string): void {
    for (const held of this.#byNeed.get(deviceId) ?? []) this.#dirty.add(held);
  }

  #release(held: HeldWake): void {
    this.#held.delete(held.wake);
    this.#dirty.delete(held);
    this.#queues.get(held.clusterId)?.delete(held);
    for (const { deviceId, ready } of held.needs) {
      const needing = this.#byNeed.get(deviceId);
      needing?.delete(held);
      if (needing?.size === 0) this.#byNeed.delete(deviceId);
      if (ready.type === "tcp") this.#options.probes.leave(held, deviceId, ready.port);
    }
  }
}

function setIn<Item>(sets: Map<string, Set<Item>>, key: string): Set<Item> {
  let set = sets.get(key);
  if (!set) sets.set(key, (set = new Set()));
  return set;
}
