import type { Logger } from "pino";
import type { HubInfo, SwitchState } from "#contracts/power.ts";
import { type FixedTopic, type KeyedTopic, topics } from "#contracts/topics.ts";
import { updateOf } from "#contracts/update.ts";
import type { CopiedCredentials } from "../agents/copied-credentials.ts";
import type { Presence } from "../agents/presence.ts";
import type { Link } from "../kernel/link.ts";
import type { Leases } from "../leases/leases.ts";
import type { Directory, DirectoryChange, DirectoryCluster, DirectoryDevice } from "../members/directory.ts";
import type { PowerStates } from "../power/power-states.ts";
import type { PowerOffService } from "../power-off/power-off.service.ts";
import type { WakeService } from "../wake/wake.service.ts";
import { type Now, switchState } from "./now.ts";

/** Things worked on before other work gets a turn. */
const SLICE = 200;
/** How long to let the broker catch up. Milliseconds. */
const PAUSE_MS = 5;
/** Counts of a cluster and of the hub follow changes after so long, in which more changes gather. Milliseconds. */
const GATHER_MS = 50;

export interface ProjectionOptions {
  readonly directory: Directory;
  readonly presence: Presence;
  readonly copies: CopiedCredentials;
  readonly power: PowerStates;
  readonly wakes: WakeService;
  readonly leases: Pick<Leases, "onChange">;
  readonly powerOffs: PowerOffService;
  readonly now: Now;
  readonly link: Link;
  readonly hub: () => Pick<HubInfo, "version" | "startedAt" | "database" | "broker" | "audit">;
  readonly log: Logger;
}

export type ProjectionListener = (kind: "device" | "cluster" | "agent" | "hub", id: string) => void;

/**
 * Publishes the retained topics of devices, clusters and the hub: the projection of what is known. Only what differs from
 * the last payload is published, and everything again after each connect.
 */
export class Projection {
  readonly #options: ProjectionOptions;
  readonly #published = new Map<string, string>();
  readonly #lastSwitch = new Map<string, SwitchState>();
  readonly #dirtyDevices = new Set<string>();
  readonly #dirtyClusters = new Set<string>();
  readonly #dirtyAgents = new Set<string>();
  readonly #listeners: ProjectionListener[] = [];
  #hubDirty = false;
  #isClosed = false;
  #slice: NodeJS.Timeout | undefined;
  #gather: NodeJS.Timeout | undefined;

  constructor(options: ProjectionOptions) {
    this.#options = options;
    const { directory, presence, copies, power, wakes, leases, powerOffs } = options;
    directory.onChange((change) => this.#directoryChanged(change));
    power.onChange(({ device }) => this.#deviceDirty(device.id, device.clusterId));
    wakes.onNews((wake) => {
      const device = wake.isOver ? directory.devices.byId(wake.deviceId) : undefined;
      if (device) this.#deviceDirty(device.id, device.clusterId);
    });
    // the page shows each step, and what can be done to a device follows
    leases.onChange((deviceId) => {
      const device = directory.devices.byId(deviceId);
      if (device) this.#deviceDirty(device.id, device.clusterId);
    });
    powerOffs.onNews(({ deviceId }) => {
      const device = directory.devices.byId(deviceId);
      if (device) this.#deviceDirty(device.id, device.clusterId);
    });
    presence.onChange((agentId) => this.#agentDirty(agentId));
    copies.onChange((agentId) => this.#agentDirty(agentId));
  }

  /** Calls the listener for each thing that may have changed, after its topics were brought up to date. */
  onChange(listener: ProjectionListener): void {
    this.#listeners.push(listener);
  }

  publishAll(): void {
    this.#published.clear();
    this.#publish(topics.hubStatus, topics.hubStatus.name, "online");
    for (const device of this.#options.directory.devices) this.#dirtyDevices.add(device.id);
    for (const cluster of this.#options.directory.clusters) this.#dirtyClusters.add(cluster.id);
    this.hubDirty();
    this.#schedule();
  }

  /** Publishes the topics of one thing again, changed or not: who has only now learned of them can rely on what comes. */
  publishAgain({ type, id }: { readonly type: "hub" | "device" | "cluster" | "agent"; readonly id: string }): void {
    const { directory } = this.#options;
    switch (type) {
      case "hub":
        this.#forget(topics.hubStatus.name, topics.hubInfo.name, topics.hubUpdate.name);
        this.#publish(topics.hubStatus, topics.hubStatus.name, "online");
        return this.#publishHub();
      case "device": {
        const device = directory.devices.byId(id);
        if (!device) return;
        this.#forget(...deviceTopics.map((topic) => topic.for(device.key)));
        return this.#publishDevice(device);
      }
      case "cluster": {
        const cluster = directory.clusters.byId(id);
        if (!cluster) return;
        this.#forget(...clusterTopics.map((topic) => topic.for(cluster.key)));
        return this.#publishCluster(cluster);
      }
      case "agent":
        return this.#publishAbsence(id);
    }
  }

  /**
   * An agent says itself whether it is there, but one that never came, or not since the broker forgot, said nothing. One that
   * comes at this very moment reads this and contradicts it.
   */
  #publishAbsence(id: string): void {
    const agent = this.#options.directory.agents.byId(id);
    if (!agent || this.#options.presence.isOnline(id)) return;
    const name = topics.agentStatus.for(agent.key);
    this.#forget(name);
    this.#publish(topics.agentStatus, name, "offline");
  }

  #forget(...names: string[]): void {
    for (const name of names) this.#published.delete(name);
  }

  hubDirty(): void {
    this.#hubDirty = true;
    this.#scheduleCounts();
  }

  /** What changes from here on, such as the connection that ends, is for the next start. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#slice);
    clearTimeout(this.#gather);
  }

  /** Something about a device changed that is seen elsewhere, such as what it draws. */
  deviceDirty({ id, clusterId }: DirectoryDevice): void {
    this.#deviceDirty(id, clusterId);
  }

  #directoryChanged(change: DirectoryChange): void {
    const { before, after } = change;
    switch (change.type) {
      case "device":
        for (const row of [change.before, change.after]) if (row) this.#deviceDirty(row.id, row.clusterId);
        if (before && !after) this.#clear(before, deviceTopics);
        break;
      case "cluster":
        if (after) this.#dirtyClusters.add(after.id);
        else if (before) this.#clear(before, clusterTopics);
        for (const device of after ? this.#options.directory.devicesOf(after.id) : [])
          this.#dirtyDevices.add(device.id);
        this.#schedule();
        break;
      case "agent":
        for (const row of [change.before, change.after]) if (row) this.#agentDirty(row.id, row.clusterId);
        break;
    }
    this.hubDirty();
  }

  #deviceDirty(id: string, clusterId: string): void {
    this.#dirtyDevices.add(id);
    this.#dirtyClusters.add(clusterId);
    this.#schedule();
    this.hubDirty();
  }

  #agentDirty(id: string, clusterId = this.#options.directory.agents.byId(id)?.clusterId): void {
    this.#dirtyAgents.add(id);
    const agent = this.#options.directory.agents.byId(id);
    const machine = agent && this.#options.directory.machineOf(agent);
    if (machine) this.#dirtyDevices.add(machine.id); // which can be powered off by it, or cannot any more
    if (clusterId !== undefined) {
      this.#dirtyClusters.add(clusterId);
      for (const device of this.#options.directory.devicesOf(clusterId))
        if (this.#isAvailabilityStale(device)) this.#dirtyDevices.add(device.id);
    }
    this.#schedule();
    this.hubDirty();
  }

  /** Of many agents one more or less changes nothing for the devices, and devices are many. */
  #isAvailabilityStale(device: DirectoryDevice): boolean {
    const published = this.#published.get(topics.deviceAvailability.for(device.key));
    return published !== this.#options.now.availability(device);
  }

  /** A pause while messages wait for the broker: more would only fill the memory, and a wake order would wait behind them. */
  #schedule(): void {
    if (this.#isClosed) return;
    this.#slice ??= setTimeout(
      () => {
        this.#slice = undefined;
        this.#publishSlice();
      },
      this.#options.link.backlog > 0 ? PAUSE_MS : 0,
    );
    this.#scheduleCounts();
  }

  #scheduleCounts(): void {
    if (this.#isClosed) return;
    this.#gather ??= setTimeout(() => {
      this.#gather = undefined;
      this.#publishCounts();
    }, GATHER_MS);
  }

  #publishSlice(): void {
    let left = SLICE;
    for (const id of this.#dirtyDevices) {
      if (left-- === 0) return this.#schedule();
      this.#dirtyDevices.delete(id);
      const device = this.#options.directory.devices.byId(id);
      if (device) this.#publishDevice(device);
      else this.#lastSwitch.delete(id);
      this.#tell("device", id);
    }
    for (const id of this.#dirtyAgents) {
      this.#dirtyAgents.delete(id);
      this.#tell("agent", id);
    }
  }

  #publishDevice(device: DirectoryDevice): void {
    const { now } = this.#options;
    const info = now.deviceInfo(device);
    const state = switchState(info.power, this.#lastSwitch.get(device.id) ?? "None");
    this.#lastSwitch.set(device.id, state);
    this.#publish(topics.deviceAvailability, topics.deviceAvailability.for(device.key), now.availability(device));
    this.#publish(topics.deviceInfo, topics.deviceInfo.for(device.key), JSON.stringify(info));
    this.#publish(topics.deviceState, topics.deviceState.for(device.key), state);
  }

  #publishCounts(): void {
    for (const id of this.#dirtyClusters) {
      const cluster = this.#options.directory.clusters.byId(id);
      if (cluster) this.#publishCluster(cluster);
      this.#tell("cluster", id);
    }
    this.#dirtyClusters.clear();
    if (!this.#hubDirty) return;
    this.#hubDirty = false;
    this.#publishHub();
    this.#tell("hub", "");
  }

  #publishCluster(cluster: DirectoryCluster): void {
    const { state, ...counts } = this.#options.now.cluster(cluster);
    const info = JSON.stringify({ name: cluster.name, ...counts });
    this.#publish(topics.clusterInfo, topics.clusterInfo.for(cluster.key), info);
    this.#publish(topics.clusterState, topics.clusterState.for(cluster.key), state);
  }

  #publishHub(): void {
    const { now, hub } = this.#options;
    const info: HubInfo = { ...hub(), api: 1, ...now.hub() };
    this.#publish(topics.hubInfo, topics.hubInfo.name, JSON.stringify(info));
    this.#publish(topics.hubUpdate, topics.hubUpdate.name, JSON.stringify(updateOf(info.version)));
  }

  #clear({ key, siteId }: { readonly key: string; readonly siteId: string }, kind: readonly KeyedTopic[]): void {
    for (const topic of kind) {
      const name = topic.for(key);
      this.#published.delete(name);
      this.#options.link
        .publish(name, "", { ...topic.options, siteId })
        .catch((error: unknown) => this.#lost(name, error));
    }
  }

  #publish(topic: FixedTopic | KeyedTopic, name: string, payload: string): void {
    if (this.#published.get(name) === payload || this.#options.link.isAway) return;
    this.#published.set(name, payload);
    this.#options.link.publish(name, payload, topic.options).catch((error: unknown) => this.#lost(name, error));
  }

  /** The broker does not have it: the next change, or the next connect, publishes it again. */
  #lost(name: string, error: unknown): void {
    this.#published.delete(name);
    if (this.#options.link.isAway) return; // which is told once
    this.#options.log.warn({ err: error, topic: name }, "a state could not be published");
  }

  #tell(kind: Parameters<ProjectionListener>[0], id: string): void {
    for (const listener of this.#listeners) listener(kind, id);
  }
}

const deviceTopics = [topics.deviceState, topics.deviceAvailability, topics.deviceInfo];
const clusterTopics = [topics.clusterState, topics.clusterInfo];
