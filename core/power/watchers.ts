import type { Directory, DirectoryDevice } from "../members/directory.ts";
import type { Attendance } from "./attendance.ts";
import type { OwnAgents } from "./own-agents.ts";
import { watchersOf } from "./watchers.rules.ts";

/** An agent that could watch a device. */
interface Candidate {
  readonly id: string;
  readonly online: boolean;
}

/** Which agents watch which device. */
export class Watchers {
  readonly #directory: Directory;
  readonly #attendance: Attendance;
  readonly #ownAgents: OwnAgents;
  readonly #ofDevice = new Map<string, readonly string[]>();

  constructor(parts: { directory: Directory; attendance: Attendance; ownAgents: OwnAgents }) {
    this.#directory = parts.directory;
    this.#attendance = parts.attendance;
    this.#ownAgents = parts.ownAgents;
  }

  of(deviceId: string): readonly string[] {
    return this.#ofDevice.get(deviceId) ?? [];
  }

  /** Works out anew who watches these devices. @returns the agents whose lists change by it. */
  assign(devices: Iterable<DirectoryDevice>, { contentChanged }: { contentChanged: boolean }): Set<string> {
    const touched = new Set<string>();
    const ofCluster = new Map<string, Candidate[]>();
    for (const device of devices) {
      const isLinked = device.agentIds.length > 0;
      const candidates = (isLinked ? undefined : ofCluster.get(device.clusterId)) ?? this.#candidatesFor(device);
      if (!isLinked) ofCluster.set(device.clusterId, candidates);
      const before = this.of(device.id);
      const after = this.#pick(device, candidates);
      for (const id of before) if (!after.includes(id)) touched.add(id);
      for (const id of after) if (contentChanged || !before.includes(id)) touched.add(id);
      this.#ofDevice.set(device.id, after);
    }
    return touched;
  }

  forget(deviceId: string): void {
    this.#ofDevice.delete(deviceId);
  }

  #candidatesFor(device: DirectoryDevice): Candidate[] {
    return this.#directory.agentsFor(device).map(({ id }) => ({ id, online: this.#attendance.isHere(id) }));
  }

  /** A machine that sleeps does not watch itself. */
  #pick(device: DirectoryDevice, candidates: readonly Candidate[]): string[] {
    const own = this.#ownAgents.agentOf(device.id);
    return watchersOf(device.id, own === undefined ? candidates : candidates.filter(({ id }) => id !== own));
  }
}
