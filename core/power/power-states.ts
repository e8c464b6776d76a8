import type { Sighting } from "#contracts/agent.ts";
import { Key } from "#contracts/key.ts";
import { DEFAULT_OFF_GRACE_SECONDS } from "#contracts/limits.ts";
import type { Evidence, PowerCounts } from "#contracts/power.ts";
import type { Presence } from "../agents/presence.ts";
import type { Directory, DirectoryAgent, DirectoryDevice } from "../members/directory.ts";
import { Attendance, LOOK_GRACE_MS } from "./attendance.ts";
import { OwnAgents } from "./own-agents.ts";
import { Rechecks } from "./rechecks.ts";
import { saidOf } from "./sighting.rules.ts";
import { type Clock, type DevicePower, type Taken, TrackedDevice, UNKNOWN } from "./tracked-device.ts";
import { Watchers } from "./watchers.ts";

export interface PowerChange {
  readonly device: DirectoryDevice;
  readonly before: DevicePower;
  readonly after: DevicePower;
}

/** A device whose own agent is heard all the time is told to be seen this often. Milliseconds. */
const OWN_REFRESH_MS = 60_000;

export interface PowerStatesOptions {
  readonly graceMs?: number;
  /** A clock that only runs on, in milliseconds. */
  readonly monotonicMs?: () => number;
}

/** Holds every device's power state: takes sightings, presence and commands in, and tells what changed. */
export class PowerStates {
  readonly #directory: Directory;
  readonly #monotonicMs: () => number;
  readonly #attendance: Attendance;
  readonly #ownAgents: OwnAgents;
  readonly #watchers: Watchers;
  readonly #devices = new Map<string, TrackedDevice>();
  /** Kept along with each change, since the hub tells them many times a second and devices are many. */
  readonly #counts: PowerCounts = { total: 0, on: 0, off: 0, waking: 0, stopping: 0, unreachable: 0, unknown: 0 };
  /** When the devices of an own agent were last told to be seen by it. */
  readonly #told = new Map<string, number>();
  readonly #rechecks = new Rechecks((deviceId) => this.#recheck(deviceId));
  readonly #changeListeners: ((change: PowerChange) => void)[] = [];
  readonly #seenListeners: ((device: DirectoryDevice, evidence: Evidence) => void)[] = [];
  readonly #watcherListeners: ((agentIds: Iterable<string>) => void)[] = [];

  constructor(directory: Directory, presence: Presence, options: PowerStatesOptions = {}) {
    const { graceMs = LOOK_GRACE_MS, monotonicMs = () => performance.now() } = options;
    this.#directory = directory;
    this.#monotonicMs = monotonicMs;
    this.#attendance = new Attendance({
      presence,
      graceMs,
      monotonicMs,
      onPresence: (agentId) => this.#presenceChanged(agentId),
      onGone: (agentId) => this.#gone(agentId),
      onHeard: (agentId) => this.#heard(agentId),
    });
    this.#ownAgents = new OwnAgents(directory);
    this.#watchers = new Watchers({ directory, attendance: this.#attendance, ownAgents: this.#ownAgents });
    for (const device of directory.devices) this.#track(device);
    directory.onChange((change) => {
      if (change.type === "device" && change.after) this.#deviceChanged(change.before, change.after);
      else if (change.type === "device" && change.before) this.#forget(change.before);
      else if (change.type === "agent") this.#agentChanged(change.before, change.after);
    });
  }

  onChange(listener: (change: PowerChange) => void): void {
    this.#changeListeners.push(listener);
  }

  /** A device was seen up, also where that was known. */
  onSeen(listener: (device: DirectoryDevice, evidence: Evidence) => void): void {
    this.#seenListeners.push(listener);
  }

  /** The watch lists of these agents may have changed. */
  onWatchersChanged(listener: (agentIds: Iterable<string>) => void): void {
    this.#watcherListeners.push(listener);
  }

  of(deviceId: string): DevicePower {
    return this.#devices.get(deviceId)?.current ?? UNKNOWN;
  }

  /** Another machine that answers at the address of this one; null = none that we know of. */
  takenBy(deviceId: string): Taken | null {
    return this.#devices.get(deviceId)?.takenBy ?? null;
  }

  /** How many devices of all sites are in each state. */
  counts(): PowerCounts {
    return { ...this.#counts };
  }

  /** The devices that an agent should watch. */
  watchedBy(agentId: string): DirectoryDevice[] {
    const agent = this.#directory.agents.byId(agentId);
    if (!agent) return [];
    return this.#directory
      .devicesOf(agent.clusterId)
      .filter((device) => this.#watchers.of(device.id).includes(agentId));
  }

  /** Takes a batch of sightings in. A full batch replaces everything that this agent said before. */
  sighted(agent: DirectoryAgent, sightings: readonly Sighting[], full: boolean, now: Date): void {
    const clock = this.#clock(now);
    const named = new Set(full ? sightings.map(({ device }) => device as string) : []);
    const left = full ? this.watchedBy(agent.id).filter(({ key }) => !named.has(key)) : [];
    for (const device of left) this.#devices.get(device.id)?.forgetWordOf(agent.id);
    const said = { id: agent.id, key: Key.parse(agent.key) };
    for (const sighting of sightings) this.#take(said, sighting, clock);
    for (const device of left) this.#evaluate(device, clock);
  }

  /** While so, nobody who does not see the device contradicts it. */
  setWaking(device: DirectoryDevice, waking: boolean, now: Date): void {
    this.#command(device, "waking", waking, now);
  }

  /** While so, nobody who still sees the device contradicts it. It ends by itself when the device is seen to be off. */
  setStopping(device: DirectoryDevice, stopping: boolean, now: Date): void {
    this.#command(device, "stopping", stopping, now);
  }

  /** The device's own agent has said that it goes down now: that it leaves means that it did, where nobody else can look. */
  goesDown(device: DirectoryDevice, now: Date): void {
    const clock = this.#clock(now);
    const graceMs = (device.power.graceSeconds ?? DEFAULT_OFF_GRACE_SECONDS) * 1_000;
    this.#devices.get(device.id)?.goesDown(clock.nowMs, graceMs);
    this.#evaluate(device, clock);
  }

  /** It does not go down after all. */
  staysUp(device: DirectoryDevice, now: Date): void {
    this.#devices.get(device.id)?.staysUp();
    this.#evaluate(device, this.#clock(now));
  }

  /** What the device's plug says; null = nothing any more. */
  plugSays(device: DirectoryDevice, on: boolean | null, at: Date): void {
    const clock = this.#clock(at);
    this.#devices.get(device.id)?.plugSays(on, at, clock.nowMs);
    this.#evaluate(device, clock);
  }

  close(): void {
    this.#attendance.close();
    this.#rechecks.close();
  }

  #clock(now = new Date()): Clock {
    return { now, nowMs: this.#monotonicMs() };
  }

  #command(device: DirectoryDevice, command: "waking" | "stopping", isOn: boolean, now: Date): void {
    this.#devices.get(device.id)?.setCommand(command, isOn);
    this.#evaluate(device, this.#clock(now));
  }

  #take(agent: { readonly id: string; readonly key: Key }, sighting: Sighting, clock: Clock): void {
    const device = this.#directory.devices.byKey(sighting.device);
    const tracked = device && this.#devices.get(device.id);
    // an agent that does not watch it any more, or never did, has no say
    if (!device || !tracked || !this.#watchers.of(device.id).includes(agent.id)) return;
    const { evidence, takenBy } = saidOf(sighting, agent.key, device.mac, clock.now);
    const isByMac = sighting.mac !== null;
    tracked.says(agent.id, evidence, isByMac, clock.nowMs);
    tracked.takenSays(agent, takenBy, clock.now);
    this.#evaluate(device, clock);
    if (evidence && !tracked.hasToGoFirst && !tracked.isDoubtful(isByMac)) this.#tellSeen(device, evidence);
  }

  #tellSeen(device: DirectoryDevice, evidence: Evidence): void {
    for (const listener of this.#seenListeners) listener(device, evidence);
  }

  #evaluate(device: DirectoryDevice, clock: Clock): void {
    const tracked = this.#devices.get(device.id);
    if (!tracked) return;
    const watchers = this.#watchers.of(device.id).filter((id) => this.#attendance.isHere(id));
    const ownId = this.#ownAgents.agentOf(device.id);
    const ownAgent = ownId === undefined ? undefined : this.#directory.agents.byId(ownId);
    const own = ownAgent ? this.#attendance.asOwnAgent({ id: ownAgent.id, key: Key.parse(ownAgent.key) }) : null;
    const { before, againInMs } = tracked.evaluate({ watchers, own }, clock);
    this.#rechecks.plan(device.id, againInMs);
    if (!before) return;
    const after = tracked.current;
    this.#counts[before.power]--;
    this.#counts[after.power]++;
    for (const listener of this.#changeListeners) listener({ device, before, after });
  }

  /** Time alone may have changed its state. */
  #recheck(deviceId: string): void {
    const device = this.#directory.devices.byId(deviceId);
    if (!device) return;
    const before = this.of(deviceId).power;
    this.#evaluate(device, this.#clock());
    const { power, evidence } = this.of(deviceId);
    if (before === "waking" && power === "on" && evidence) this.#tellSeen(device, evidence);
  }

  /** Its own agent has just spoken, so it is up. */
  #ownSpoke(device: DirectoryDevice): void {
    this.#evaluate(device, this.#clock());
    const { power, evidence } = this.of(device.id);
    if (power === "on" && evidence?.how === "agent") this.#tellSeen(device, evidence);
  }

  #heard(agentId: string): void {
    if (!this.#ownAgents.isAnybodys(agentId)) return;
    const nowMs = this.#monotonicMs();
    const devices = this.#ownAgents.devicesOf(agentId);
    const isNews = devices.some(({ id }) => this.of(id).power !== "on");
    if (!isNews && nowMs - (this.#told.get(agentId) ?? -Infinity) < OWN_REFRESH_MS) return;
    this.#told.set(agentId, nowMs);
    for (const device of devices) this.#ownSpoke(device);
  }

  #track(device: DirectoryDevice): TrackedDevice {
    const tracked = new TrackedDevice();
    this.#devices.set(device.id, tracked);
    this.#ownAgents.take(device);
    this.#watchers.assign([device], { contentChanged: false });
    this.#counts.total++;
    this.#counts[UNKNOWN.power]++;
    return tracked;
  }

  #deviceChanged(before: DirectoryDevice | undefined, after: DirectoryDevice): void {
    const tracked = this.#devices.get(after.id) ?? this.#track(after);
    // what was seen of another machine, or at another address, is not evidence for this one
    if (before && (before.mac !== after.mac || before.address !== after.address)) tracked.forgetWords();
    const others = this.#ownAgents.deviceChanged(before, after);
    this.#reassign([after], { contentChanged: true });
    this.#reassign(others, { contentChanged: false });
  }

  #agentChanged(before: DirectoryAgent | undefined, after: DirectoryAgent | undefined): void {
    const agents = [before ?? [], after ?? []].flat();
    const affected = new Set(agents.flatMap((agent) => this.#ownAgents.agentChanged(agent)));
    if (before?.clusterId !== after?.clusterId)
      for (const { clusterId } of agents)
        for (const device of this.#directory.devicesOf(clusterId)) affected.add(device);
    this.#reassign([...affected], { contentChanged: false });
    if (!before || after) return;
    this.#attendance.forget(before.id);
    this.#told.delete(before.id);
  }

  #presenceChanged(agentId: string): void {
    this.#reassignClusterOf(agentId);
    const isOnline = this.#attendance.isOnline(agentId);
    for (const device of this.#ownAgents.devicesOf(agentId))
      if (isOnline) this.#ownSpoke(device);
      else this.#evaluate(device, this.#clock());
  }

  #gone(agentId: string): void {
    const agent = this.#directory.agents.byId(agentId);
    if (!agent) return;
    for (const { id } of this.#directory.devicesOf(agent.clusterId)) this.#devices.get(id)?.forgetWordOf(agentId);
    this.#reassignClusterOf(agentId);
    for (const device of this.#ownAgents.devicesOf(agentId)) this.#evaluate(device, this.#clock());
  }

  #reassignClusterOf(agentId: string): void {
    const agent = this.#directory.agents.byId(agentId);
    if (agent) this.#reassign(this.#directory.devicesOf(agent.clusterId), { contentChanged: false });
  }

  /** Works out anew who watches these devices, and tells the agents whose lists change. */
  #reassign(devices: readonly DirectoryDevice[], { contentChanged }: { contentChanged: boolean }): void {
    const clock = this.#clock();
    const touched = this.#watchers.assign(devices, { contentChanged });
    for (const device of devices) {
      this.#devices.get(device.id)?.forgetWordsOfOthersThan(this.#watchers.of(device.id));
      this.#evaluate(device, clock);
    }
    if (touched.size > 0) for (const listener of this.#watcherListeners) listener(touched);
  }

  #forget(device: DirectoryDevice): void {
    const tracked = this.#devices.get(device.id);
    if (!tracked) return;
    this.#devices.delete(device.id);
    this.#rechecks.plan(device.id, null);
    const watchers = this.#watchers.of(device.id);
    this.#watchers.forget(device.id);
    const heirs = this.#ownAgents.forget(device);
    this.#counts.total--;
    this.#counts[tracked.current.power]--;
    for (const listener of this.#watcherListeners) listener(watchers);
    this.#reassign(heirs, { contentChanged: false });
  }
}
