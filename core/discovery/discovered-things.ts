import type { DiscoveredThing, DiscoveryRef } from "#contracts/discovery.ts";
import type { Sender } from "../kernel/link.ts";
import type {
  Directory,
  DirectoryAgent,
  DirectoryChange,
  DirectoryCluster,
  DirectoryDevice,
} from "../members/directory.ts";
import type { ScheduleChanged, Schedules } from "../schedules/schedules.ts";
import { ShownThings, type ThingSources } from "./shown-things.ts";

type Hide = (ref: DiscoveryRef, sender: Sender & { readonly siteId: string }) => Promise<void>;

/** The clusters of so many removed things are remembered. */
const MAX_REMOVED = 10_000;

/** What Home Assistant is told of: the hub, and what the directory has and a person wants to be shown. */
export class DiscoveredThings {
  readonly #directory: Directory;
  readonly #shown: ShownThings;
  readonly #schedules: Schedules;
  readonly #hide: Hide;
  readonly #listeners: ((ref: DiscoveryRef) => void)[] = [];
  readonly #clustersOfRemoved = new Map<string, DirectoryCluster>();

  /** @param hide takes note that a person deleted a thing in Home Assistant. */
  constructor(sources: ThingSources, hide: Hide) {
    const { directory, schedules } = sources;
    this.#directory = directory;
    this.#shown = new ShownThings(sources, (thing) => thing.showInHomeAssistant);
    this.#hide = hide;
    this.#schedules = schedules;
    directory.onChange((change) => this.#directoryChanged(change));
    schedules.onChange((change) => this.#scheduleChanged(change));
  }

  all(ofSite: string | null = null): Iterable<DiscoveryRef> {
    return this.#shown.all(ofSite);
  }

  of(ref: DiscoveryRef): DiscoveredThing | undefined {
    return this.#shown.of(ref);
  }

  onChange(listener: (ref: DiscoveryRef) => void): void {
    this.#listeners.push(listener);
  }

  async hide(ref: DiscoveryRef, sender: Sender): Promise<void> {
    const thing = this.of(ref);
    if (thing) await this.#hide(ref, { ...sender, siteId: thing.siteId });
  }

  /**
   * The cluster that a thing is in, for who may read its config; undefined for the hub. Whoever read the config of a
   * device or agent that was removed may also hear that it is cleared, when they come back late too. A cluster's own is not
   * heard by those who had that cluster alone: their rights go with it.
   */
  clusterOf({ type, id }: DiscoveryRef): DirectoryCluster | undefined {
    const { clusters, devices, agents } = this.#directory;
    const removed = this.#clustersOfRemoved.get(id);
    switch (type) {
      case "hub":
      case "schedule":
        return undefined;
      case "device":
        return clusters.byId(devices.byId(id)?.clusterId ?? "") ?? removed;
      case "cluster":
        return clusters.byId(id);
      case "agent":
        return clusters.byId(agents.byId(id)?.clusterId ?? "") ?? removed;
    }
  }

  /** The site of a schedule, which lies in no cluster. */
  siteOfSchedule(id: string): string | undefined {
    return this.#schedules.byId(id)?.siteId;
  }

  /** A firing changes nothing of what is told. */
  #scheduleChanged({ before, after }: ScheduleChanged): void {
    const id = (after ?? before)?.id;
    const isSame = before?.name === after?.name && before?.showInHomeAssistant === after?.showInHomeAssistant;
    if (id !== undefined && (!isSame || !before || !after)) this.#tell({ type: "schedule", id });
  }

  /** Tells of the thing itself, and of those whose configs speak of it. */
  #directoryChanged(change: DirectoryChange): void {
    const { type } = change;
    const id = (change.after ?? change.before)?.id;
    if (id === undefined) return;
    if (type !== "cluster" && change.before && !change.after) this.#remember(id, change.before.clusterId);
    this.#tell({ type, id });
    if (type === "device") this.#deviceChanged(change.before, change.after);
    else if (type === "agent") this.#agentChanged(change.before, change.after);
    else if (type === "cluster" && change.before?.name !== change.after?.name)
      for (const device of this.#directory.devicesOf(id)) this.#tell({ type: "device", id: device.id });
  }

  #remember(id: string, clusterId: string): void {
    const cluster = this.#directory.clusters.byId(clusterId);
    if (cluster === undefined) return;
    this.#clustersOfRemoved.set(id, cluster);
    if (this.#clustersOfRemoved.size <= MAX_REMOVED) return;
    const [oldest] = this.#clustersOfRemoved.keys();
    if (oldest !== undefined) this.#clustersOfRemoved.delete(oldest);
  }

  /** What can be done to its machine may be something else now, or done by somebody else. */
  #agentChanged(before: DirectoryAgent | undefined, after: DirectoryAgent | undefined): void {
    const machines = [before, after].flatMap((agent) => (agent && this.#directory.machineOf(agent)) ?? []);
    for (const { id, clusterId } of new Set(machines)) {
      this.#tell({ type: "device", id });
      this.#tell({ type: "cluster", id: clusterId });
    }
  }

  #deviceChanged(before: DirectoryDevice | undefined, after: DirectoryDevice | undefined): void {
    const isShownAsBefore = before?.showInHomeAssistant === after?.showInHomeAssistant;
    const isPoweredOffAsBefore = before?.powerMethod === after?.powerMethod && isSameAgent(before, after);
    if (before?.clusterId !== after?.clusterId || !isShownAsBefore || !isPoweredOffAsBefore)
      for (const id of new Set([before?.clusterId, after?.clusterId]))
        if (id !== undefined) this.#tell({ type: "cluster", id });
    const chosen = new Set([before?.power.ownAgentId, after?.power.ownAgentId]);
    if (!isSameAgent(before, after)) for (const id of chosen) if (id != null) this.#tell({ type: "agent", id });
    if (before?.mac === after?.mac && isSameAgent(before, after) && isShownAsBefore) return;
    const macs = new Set([before?.mac, after?.mac]);
    for (const { id, interfaces } of this.#directory.agents)
      if (interfaces.some(({ mac }) => mac !== null && macs.has(mac.toLowerCase()))) this.#tell({ type: "agent", id });
  }

  #tell(ref: DiscoveryRef): void {
    for (const listener of this.#listeners) listener(ref);
  }
}

/** Whether the same agent was chosen for it, or none. */
function isSameAgent(before: DirectoryDevice | undefined, after: DirectoryDevice | undefined): boolean {
  return before?.power.ownAgentId === after?.power.ownAgentId;
}
