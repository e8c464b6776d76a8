import type { ClusterNow } from "#contracts/api/clusters.ts";
import type { DeviceNow } from "#contracts/api/devices.ts";
import { Key } from "#contracts/key.ts";
import type { Availability, DeviceInfo, HubInfo, PowerCounts, PowerState, SwitchState } from "#contracts/power.ts";
import type { CopiedCredentials } from "../agents/copied-credentials.ts";
import type { Presence } from "../agents/presence.ts";
import type { PowerMethods } from "../power-methods/power-methods.ts";
import type { Leases } from "../leases/leases.ts";
import type { Directory, DirectoryAgent, DirectoryCluster, DirectoryDevice } from "../members/directory.ts";
import type { PowerStates } from "../power/power-states.ts";
import type { LastPowerOffs } from "../power-off/last-power-offs.ts";
import type { PowerOffService } from "../power-off/power-off.service.ts";
import type { LastWakes } from "../wake/last-wakes.ts";
import type { Recipes } from "../wake/recipes.ts";

/** What is known of each thing at this moment, put together for topics, the page and the API alike. */
export class Now {
  readonly #directory: Directory;
  readonly #presence: Presence;
  readonly #copies: CopiedCredentials;
  readonly #power: PowerStates;
  readonly #lastWakes: LastWakes;
  readonly #recipes: Pick<Recipes, "of">;
  readonly #powerOffs: Pick<PowerOffService, "ableOf" | "runningOf">;
  readonly #lastPowerOffs: LastPowerOffs;
  readonly #leases: Pick<Leases, "of">;
  readonly #methods: Pick<PowerMethods, "energyOf">;

  constructor(parts: {
    directory: Directory;
    presence: Presence;
    copies: CopiedCredentials;
    power: PowerStates;
    lastWakes: LastWakes;
    recipes: Pick<Recipes, "of">;
    powerOffs: Pick<PowerOffService, "ableOf" | "runningOf">;
    lastPowerOffs: LastPowerOffs;
    leases: Pick<Leases, "of">;
    methods: Pick<PowerMethods, "energyOf">;
  }) {
    this.#directory = parts.directory;
    this.#presence = parts.presence;
    this.#copies = parts.copies;
    this.#power = parts.power;
    this.#lastWakes = parts.lastWakes;
    this.#recipes = parts.recipes;
    this.#powerOffs = parts.powerOffs;
    this.#lastPowerOffs = parts.lastPowerOffs;
    this.#leases = parts.leases;
    this.#methods = parts.methods;
  }

  device(device: DirectoryDevice): DeviceNow {
    const { power, since, reachable, evidence } = this.#power.of(device.id);
    const lastWake = this.#lastWakes.of(device.id);
    const { typicalSeconds, slowSeconds } = this.#recipes.of(device.id);
    const { count, heldUntil } = this.#leases.of(device.id);
    const running = this.#powerOffs.runningOf(device.id);
    const { actions, why, armed } = this.#powerOffs.ableOf(device);
    return {
      power,
      since: since?.toISOString() ?? null,
      availability: this.availability(device),
      reachable,
      evidence,
      lastWake,
      lastPowerOff: this.#lastPowerOffs.of(device.id),
      powerOff: running ? { id: running.id, action: running.action, stage: running.stage, until: running.until } : null,
      typicalWakeSeconds: typicalSeconds,
      slowWakeSeconds: slowSeconds,
      armed,
      canPowerOff: device.enabled && actions.length > 0,
      powerActions: device.enabled ? [...actions] : [],
      whyNoPowerOff: why,
      heldUntil: heldUntil?.toISOString() ?? null,
      leases: count,
      ...this.#methods.energyOf(device.id),
    };
  }

  /** Whether the switch works: could an agent act for this device? It does not say whether the machine is on. */
  availability(device: DirectoryDevice): Availability {
    return device.enabled && this.#directory.agentsFor(device).some((agent) => this.#presence.isOnline(agent.id))
      ? "online"
      : "offline";
  }

  deviceInfo(device: DirectoryDevice): DeviceInfo {
    const { availability: _, slowWakeSeconds: __, powerOff: ___, whyNoPowerOff: ____, ...now } = this.device(device);
    const cluster = this.#directory.clusterOf(device);
    return {
      ...now,
      name: device.name,
      cluster: cluster.unassigned ? null : Key.parse(cluster.key),
      enabled: device.enabled,
    };
  }

  cluster(cluster: DirectoryCluster): ClusterNow {
    const devices = this.#directory.devicesOf(cluster.id);
    const agents = this.#directory.agentsOf(cluster.id);
    const counts = this.#count(devices);
    const problems = this.#problems(devices, agents);
    return {
      state: counts.on + counts.waking > 0 ? "ON" : "OFF",
      devices: counts,
      agents: this.#countAgents(agents),
      problem: problems.length > 0,
      problems,
    };
  }

  hub(): Pick<HubInfo, "devices" | "agents"> {
    return {
      devices: this.#power.counts(),
      agents: { total: this.#directory.agents.size, online: this.#presence.onlineCount },
    };
  }

  #count(devices: readonly DirectoryDevice[]): PowerCounts {
    const counts = { total: 0, on: 0, off: 0, waking: 0, stopping: 0, unreachable: 0, unknown: 0 };
    for (const device of devices) {
      counts.total++;
      counts[this.#power.of(device.id).power]++;
    }
    return counts;
  }

  #countAgents(agents: readonly DirectoryAgent[]): { total: number; online: number } {
    return { total: agents.length, online: agents.filter((agent) => this.#presence.isOnline(agent.id)).length };
  }

  #problems(devices: readonly DirectoryDevice[], agents: readonly DirectoryAgent[]): string[] {
    const copied = agents.filter(({ id }) => this.#copies.isCopied(id));
    const problems = copied.slice(0, MAX_NAMED).map(({ name }) => `The credential of ${name} is in use twice`);
    if (devices.length > 0 && !agents.some((agent) => this.#presence.isOnline(agent.id)))
      problems.push("No agent is online");
    const asleep = devices.filter((device) => {
      const outcome = this.#lastWakes.of(device.id)?.outcome;
      return (outcome === "failed" || outcome === "no-answer") && this.#power.of(device.id).power !== "on";
    });
    for (const device of asleep.slice(0, MAX_NAMED)) problems.push(`${device.name} did not wake`);
    if (asleep.length > MAX_NAMED) problems.push(`${asleep.length - MAX_NAMED} more devices did not wake`);
    return problems;
  }
}

/** A large cluster's problems stay readable, and its payload small. */
const MAX_NAMED = 10;

/**
 * The switch of a device, as Home Assistant and others read it. `unreachable` keeps the last known side: nobody looked,
 * so nothing is known to have changed.
 */
export function switchState(power: PowerState, last: SwitchState): SwitchState {
  switch (power) {
    case "on":
    case "waking":
      return "ON";
    case "off":
    case "stopping":
      return "OFF";
    case "unreachable":
      return last;
    case "unknown":
      return "None";
  }
}
