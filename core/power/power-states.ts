import type { Sighting } from "#contracts/agent.ts";
import { Key } from "#contracts/key.ts";
import type { Evidence, PowerCounts, PowerState } from "#contracts/power.ts";
import type { Presence } from "../agents/presence.ts";
import type { Directory, DirectoryAgent, DirectoryDevice } from "../members/directory.ts";
import { type Verdict, powerOf, watchersOf } from "./power.rules.ts";

/** The power state of one device as the hub holds it. Nothing of it is written down: after a start it is unknown until seen. */
export interface DevicePower {
  readonly power: PowerState;
  readonly since: Date | null;
  readonly reachable: boolean | null;
  readonly evidence: Evidence | null;
}

export interface PowerChange {
  readonly device: DirectoryDevice;
  readonly before: DevicePower;
  readonly after: DevicePower;
}

/** An agent that restarts is back within moments; only after these its devices count as out of sight. Milliseconds. */
export const LOOK_GRACE_MS = 15_000;

const UNKNOWN: DevicePower = { power: "unknown", since: null, reachable: null, evidence: null };

interface Tracked {
  current: DevicePower;
  watchers: readonly string[];
  waking: boolean;
  readonly verdicts: Map<string, Verdict>;
}

/** An agent that could watch a device. */
interface Candidate {
  readonly id: string;
  readonly online: boolean;
}

/** Holds every device's power state: takes sightings, presence and wakes in, and tells what changed. */
export class PowerStates {
  readonly #directory: Directory;
  readonly #presence: Presence;
  readonly #graceMs: number;
  readonly #devices = new Map<string, Tracked>();
  /** Kept along with each change, since the hub tells them many times a second and devices are many. */
  readonly #counts: PowerCounts = { total: 0, on: 0, off: 0, waking: 0, stopping: 0, unreachable: 0, unknown: 0 };
  /** Agents that went offline a moment ago, with the timer that ends their grace. */
  readonly #leaving = new Map<string, NodeJS.Timeout>();
  readonly #changeListeners: ((change: PowerChange) => void)[] = [];
  readonly #seenListeners: ((device: DirectoryDevice, evidence: Evidence) => void)[] = [];
  readonly #watcherListeners: ((agentIds: Iterable<string>) => void)[] = [];

  constructor(directory: Directory, presence: Presence, graceMs = LOOK_GRACE_MS) {
    this.#directory = directory;
    this.#presence = presence;
    this.#graceMs = graceMs;
    for (const device of directory.devices) this.#track(device);
    directory.onChange((change) => {
      if (change.type === "device" && change.after) this.#deviceChanged(change.before, change.after);
      else if (change.type === "device" && change.before) this.#forget(change.before);
      else if (change.type === "agent") this.#agentChanged(change.before, change.after);
    });
    presence.onChange((agentId, status) => this.#presenceChanged(agentId, status === "online"));
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
      .filter((device) => this.#devices.get(device.id)?.watchers.includes(agentId));
  }

  /** Takes a batch of sightings in. A full batch replaces everything that this agent said before. */
  sighted(agent: DirectoryAgent, sightings: readonly Sighting[], full: boolean, now: Date): void {
    if (full)
      for (const device of this.#directory.devicesOf(agent.clusterId))
        this.#devices.get(device.id)?.verdicts.delete(agent.id);
    for (const sighting of sightings) this.#take(agent, sighting, now);
    if (full) for (const device of this.watchedBy(agent.id)) this.#evaluate(device, now);
  }

  setWaking(device: DirectoryDevice, waking: boolean, now: Date): void {
    const tracked = this.#devices.get(device.id);
    if (!tracked || tracked.waking === waking) return;
    tracked.waking = waking;
    this.#evaluate(device, now);
  }

  close(): void {
    for (const timer of this.#leaving.values()) clearTimeout(timer);
  }

  #take(agent: DirectoryAgent, sighting: Sighting, now: Date): void {
    const device = this.#directory.devices.byKey(sighting.device);
    const tracked = device && this.#devices.get(device.id);
    // an agent that does not watch it any more, or never did, has no say
    if (!device || !tracked?.watchers.includes(agent.id)) return;
    const evidence =
      sighting.up && sighting.how ? { by: Key.parse(agent.key), how: sighting.how, at: sighting.at } : null;
    tracked.verdicts.set(agent.id, { up: evidence !== null, evidence, at: now });
    this.#evaluate(device, now);
    if (evidence) for (const listener of this.#seenListeners) listener(device, evidence);
  }

  #evaluate(device: DirectoryDevice, now: Date): void {
    const tracked = this.#devices.get(device.id);
    if (!tracked) return;
    const looking = tracked.watchers.filter((id) => this.#presence.isOnline(id) || this.#leaving.has(id));
    const verdicts = looking.flatMap((id) => tracked.verdicts.get(id) ?? []);
    const before = tracked.current;
    const { power, reachable, evidence } = powerOf({
      before: before.power,
      verdicts,
      watched: looking.length > 0,
      waking: tracked.waking,
    });
    const after: DevicePower = {
      power,
      since: power === before.power ? before.since : now,
      reachable,
      evidence: evidence ?? before.evidence, // when it was last seen, and how, is worth knowing afterwards too
    };
    const unchanged = power === before.power && reachable === before.reachable;
    if (unchanged && after.evidence?.at === before.evidence?.at) return;
    tracked.current = after;
    this.#counts[before.power]--;
    this.#counts[after.power]++;
    for (const listener of this.#changeListeners) listener({ device, before, after });
  }

  #track(device: DirectoryDevice): void {
    this.#devices.set(device.id, {
      current: UNKNOWN,
      watchers: watchersOf(device.id, this.#candidatesFor(device)),
      waking: false,
      verdicts: new Map(),
    });
    this.#counts.total++;
    this.#counts[UNKNOWN.power]++;
  }

  #candidatesFor(device: DirectoryDevice): Candidate[] {
    return this.#directory
      .agentsFor(device)
      .map(({ id }) => ({ id, online: this.#presence.isOnline(id) || this.#leaving.has(id) }));
  }

  #deviceChanged(before: DirectoryDevice | undefined, after: DirectoryDevice): void {
    const tracked = this.#devices.get(after.id);
    if (!tracked) this.#track(after);
    // what was seen of another machine, or at another address, is not evidence for this one
    if (tracked && (before?.mac !== after.mac || before.address !== after.address)) tracked.verdicts.clear();
    this.#reassign([after], { contentChanged: true });
  }

  #agentChanged(before: DirectoryAgent | undefined, after: DirectoryAgent | undefined): void {
    const clusters = new Set([before?.clusterId, after?.clusterId]);
    if (before && after && before.clusterId === after.clusterId) return;
    for (const clusterId of clusters)
      if (clusterId !== undefined) this.#reassign(this.#directory.devicesOf(clusterId), { contentChanged: false });
    if (before && !after) this.#presence.forget(before.id);
  }

  #presenceChanged(agentId: string, online: boolean): void {
    clearTimeout(this.#leaving.get(agentId));
    this.#leaving.delete(agentId);
    if (!online)
      this.#leaving.set(
        agentId,
        setTimeout(() => this.#left(agentId), this.#graceMs),
      );
    const agent = this.#directory.agents.byId(agentId);
    if (agent) this.#reassign(this.#directory.devicesOf(agent.clusterId), { contentChanged: false });
  }

  #left(agentId: string): void {
    this.#leaving.delete(agentId);
    const agent = this.#directory.agents.byId(agentId);
    if (!agent) return;
    const devices = this.#directory.devicesOf(agent.clusterId);
    for (const device of devices) this.#devices.get(device.id)?.verdicts.delete(agentId);
    this.#reassign(devices, { contentChanged: false });
  }

  /** Works out anew who watches these devices, and tells the agents whose lists change. */
  #reassign(devices: readonly DirectoryDevice[], { contentChanged }: { contentChanged: boolean }): void {
    const now = new Date();
    const touched = new Set<string>();
    const ofCluster = new Map<string, Candidate[]>();
    for (const device of devices) {
      const tracked = this.#devices.get(device.id);
      if (!tracked) continue;
      const isLinked = device.agentIds.length > 0;
      const known = isLinked ? undefined : ofCluster.get(device.clusterId);
      const candidates = known ?? this.#candidatesFor(device);
      if (!isLinked) ofCluster.set(device.clusterId, candidates);
      const watchers = watchersOf(device.id, candidates);
      for (const id of tracked.watchers) if (!watchers.includes(id)) touched.add(id);
      for (const id of watchers) if (contentChanged || !tracked.watchers.includes(id)) touched.add(id);
      tracked.watchers = watchers;
      for (const id of tracked.verdicts.keys()) if (!watchers.includes(id)) tracked.verdicts.delete(id);
      this.#evaluate(device, now);
    }
    if (touched.size > 0) for (const listener of this.#watcherListeners) listener(touched);
  }

  #forget(device: DirectoryDevice): void {
    const tracked = this.#devices.get(device.id);
    if (!tracked) return;
    this.#devices.delete(device.id);
    this.#counts.total--;
    this.#counts[tracked.current.power]--;
    for (const listener of this.#watcherListeners) listener(tracked.watchers);
  }
}
