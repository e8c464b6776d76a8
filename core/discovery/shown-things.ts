import type {
  DiscoveredAgent,
  DiscoveredCluster,
  DiscoveredDevice,
  DiscoveredHub,
  DiscoveredSchedule,
  DiscoveredThing,
  DiscoveryRef,
} from "#contracts/discovery.ts";
import type { Directory, DirectoryAgent, DirectoryCluster, DirectoryDevice } from "../members/directory.ts";

import type { KnownSchedule, Schedules } from "../schedules/schedules.ts";

/** What can take a device down. */
export type WaysDownOf = (device: DirectoryDevice) => DiscoveredDevice["waysDown"];

export type DirectoryThing = DirectoryDevice | DirectoryCluster | DirectoryAgent | KnownSchedule;

export interface ThingSources {
  readonly directory: Directory;
  readonly schedules: Schedules;
  readonly hub: DiscoveredHub;
  readonly waysDownOf: WaysDownOf;
}

/** The hub, and what the directory has and `isShown` lets through, as Home Assistant is told of them. */
export class ShownThings {
  readonly #directory: Directory;
  readonly #schedules: Schedules;
  readonly #hub: DiscoveredHub;
  readonly #waysDownOf: WaysDownOf;
  readonly #isShown: (thing: DirectoryThing) => boolean;

  constructor({ directory, schedules, hub, waysDownOf }: ThingSources, isShown: (thing: DirectoryThing) => boolean) {
    this.#directory = directory;
    this.#schedules = schedules;
    this.#hub = hub;
    this.#waysDownOf = waysDownOf;
    this.#isShown = isShown;
  }

  /** @param ofSite null = of every site. The hub is of the first one. */
  *all(ofSite: string | null = null): Generator<DiscoveryRef> {
    const { devices, clusters, agents } = this.#directory;
    const isMeant = ({ siteId }: { readonly siteId: string }) => ofSite === null || siteId === ofSite;
    if (isMeant(this.#hub)) yield this.#hub;
    for (const device of devices) if (isMeant(device) && this.#isShown(device)) yield { type: "device", id: device.id };
    for (const cluster of clusters)
      if (isMeant(cluster) && !cluster.unassigned && this.#isShown(cluster)) yield { type: "cluster", id: cluster.id };
    for (const agent of agents) if (isMeant(agent) && this.#isShown(agent)) yield { type: "agent", id: agent.id };
    for (const schedule of this.#schedules)
      if (isMeant(schedule) && this.#isShown(schedule)) yield { type: "schedule", id: schedule.id };
  }

  of({ type, id }: DiscoveryRef): DiscoveredThing | undefined {
    switch (type) {
      case "hub":
        return id === this.#hub.id ? this.#hub : undefined;
      case "device":
        return this.#device(id);
      case "cluster":
        return this.#cluster(id);
      case "agent":
        return this.#agent(id);
      case "schedule":
        return this.#schedule(id);
    }
  }

  #device(id: string): DiscoveredDevice | undefined {
    const device = this.#directory.devices.byId(id);
    if (!device || !this.#isShown(device)) return undefined;
    const { siteId, key, name, mac, os, powerMethod } = device;
    const cluster = this.#directory.clusterOf(device);
    const area = cluster.unassigned ? null : cluster.name;
    const tellsWatts = powerMethod?.type === "mqtt" && powerMethod.wattsTopic !== null;
    return { type: "device", id, siteId, key, name, mac, os, area, waysDown: this.#waysDownOf(device), tellsWatts };
  }

  #cluster(id: string): DiscoveredCluster | undefined {
    const cluster = this.#directory.clusters.byId(id);
    if (!cluster || cluster.unassigned || !this.#isShown(cluster)) return undefined;
    const { siteId, key, name } = cluster;
    const shown = this.#directory.devicesOf(id).filter((device) => this.#isShown(device));
    // in an order that no rename changes
    const deviceIds = shown.map((device) => device.id).toSorted();
    const canPowerOff = shown.some((device) => this.#waysDownOf(device).some(({ action }) => action === "shutdown"));
    return { type: "cluster", id, siteId, key, name, deviceIds, canPowerOff };
  }

  #schedule(id: string): DiscoveredSchedule | undefined {
    const schedule = this.#schedules.byId(id);
    if (!schedule || !this.#isShown(schedule)) return undefined;
    const { siteId, key, name } = schedule;
    return { type: "schedule", id, siteId, key, name };
  }

  #agent(id: string): DiscoveredAgent | undefined {
    const agent = this.#directory.agents.byId(id);
    if (!agent || !this.#isShown(agent)) return undefined;
    const { siteId, key, name, version } = agent;
    const machine = this.#directory.machineOf(agent);
    const machineId = machine && this.#isShown(machine) ? machine.id : null;
    return { type: "agent", id, siteId, key, name, version, machineId };
  }
}
