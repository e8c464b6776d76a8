import type { Need } from "#contracts/needs.ts";
import type { Share } from "#contracts/permissions.ts";
import type { OffAction } from "#contracts/power-action.ts";
import type { PowerMethod } from "#contracts/api/power-methods.ts";
import { Turns } from "../kernel/turns.ts";
import type { Machine } from "#contracts/agent.ts";
import type { Agent } from "../agents/agent.entity.ts";
import type { Device } from "../devices/device.entity.ts";

/**
 * Devices, clusters, agents and who belongs to whom, in memory. Postgres is the truth; this is updated after each commit,
 * so that no wake, no message and no list waits for the database.
 */

export interface DirectoryCluster {
  readonly id: string;
  readonly siteId: string;
  readonly key: string;
  readonly name: string;
  readonly description: string | null;
  readonly tags: readonly string[];
  /** The row that stands for "in no cluster". */
  readonly unassigned: boolean;
  readonly showInHomeAssistant: boolean;
  readonly pace: { readonly staggerMs: number; readonly atOnce: number | null };
  /** What every device of it needs. */
  readonly needs: readonly Need[];
  readonly ownerId: string | null;
  readonly shares: readonly Share[];
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export interface DirectoryAgent {
  readonly id: string;
  readonly siteId: string;
  readonly clusterId: string;
  readonly key: string;
  readonly name: string;
  readonly hostname: string;
  readonly os: Agent["os"];
  readonly arch: string;
  readonly version: string;
  readonly interfaces: Agent["interfaces"];
  readonly capabilities: Agent["capabilities"];
  /** Null: an agent of an earlier version. */
  readonly machine: Machine | null;
  readonly showInHomeAssistant: boolean;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export interface DirectoryDevice {
  readonly id: string;
  readonly siteId: string;
  readonly clusterId: string;
  readonly key: string;
  readonly name: string;
  readonly mac: string;
  readonly address: string | null;
  readonly os: Device["os"];
  readonly enabled: boolean;
  readonly showInHomeAssistant: boolean;
  readonly description: string | null;
  readonly tags: readonly string[];
  readonly secureOn: string | null;
  readonly wake: {
    readonly addresses: readonly string[];
    readonly ports: readonly number[];
    readonly windowSeconds: number | null;
  };
  readonly watch: {
    readonly icmp: boolean;
    readonly arp: boolean;
    readonly tcpPorts: readonly number[];
    readonly intervalSeconds: number;
  };
  readonly power: {
    /** The agent on this very machine, where a person chose it. */
    readonly ownAgentId: string | null;
    readonly off: OffAction;
    readonly countdownSeconds: number;
    readonly graceSeconds: number | null;
    readonly offAfterLease: boolean;
  };
  /** The other way of powering it off; its secrets are not here. */
  readonly powerMethod: PowerMethod | null;
  /** Those secrets as they are kept, sealed: who powers it off does not wait for the database. */
  readonly sealedSecrets: string | null;
  /** What this device itself needs; what its cluster needs comes on top. */
  readonly needs: readonly Need[];
  /** Linked agents; none = every agent of the cluster. */
  readonly agentIds: readonly string[];
  readonly ownerId: string | null;
  readonly shares: readonly Share[];
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export type DirectoryChange =
  | {
      readonly type: "cluster";
      readonly before: DirectoryCluster | undefined;
      readonly after: DirectoryCluster | undefined;
    }
  | { readonly type: "agent"; readonly before: DirectoryAgent | undefined; readonly after: DirectoryAgent | undefined }
  | {
      readonly type: "device";
      readonly before: DirectoryDevice | undefined;
      readonly after: DirectoryDevice | undefined;
    };

/** Rows by id and by key, and the members of each cluster. */
export class Directory {
  readonly clusters = new Table<DirectoryCluster>();
  readonly agents = new Table<DirectoryAgent>();
  readonly devices = new Table<DirectoryDevice>();
  readonly #devicesByMac = new Map<string, DirectoryDevice>();
  /** By the MAC addresses of their network cards. */
  readonly #agentsByMac = new Map<string, string>();
  /** Devices by the agent that a person chose for them. */
  readonly #ownAgents = new Map<string, string>();
  readonly #members = new Map<string, { devices: Set<string>; agents: Set<string> }>();
  readonly #listeners: ((change: DirectoryChange) => void)[] = [];

  #held: DirectoryChange[] | undefined;
  readonly #turns = new Turns();

  /** Runs changes one after the other. */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    return this.#turns.take(work);
  }

  /** Listeners hear of these changes only when all are made: a device that moves with its agents is never seen without them. */
  together(changes: () => void): void {
    const held: DirectoryChange[] = [];
    this.#held = held;
    try {
      changes();
    } finally {
      this.#held = undefined;
    }
    for (const change of held) this.#tell(change);
  }

  onChange(listener: (change: DirectoryChange) => void): void {
    this.#listeners.push(listener);
  }

  putCluster(after: DirectoryCluster): void {
    this.#tell({ type: "cluster", before: this.clusters.put(after), after });
  }

  removeCluster(id: string): void {
    const before = this.clusters.remove(id);
    this.#members.delete(id);
    if (before) this.#tell({ type: "cluster", before, after: undefined });
  }

  putAgent(after: DirectoryAgent): void {
    const before = this.agents.put(after);
    if (before) this.#forgetAgent(before);
    for (const { mac } of after.interfaces)
      if (mac !== null) this.#agentsByMac.set(macKey(after.siteId, mac), after.id);
    this.#membersOf(after.clusterId).agents.add(after.id);
    this.#tell({ type: "agent", before, after });
  }

  removeAgent(id: string): void {
    const before = this.agents.remove(id);
    if (!before) return;
    this.#forgetAgent(before);
    this.#tell({ type: "agent", before, after: undefined });
  }

  putDevice(after: DirectoryDevice): void {
    const before = this.devices.put(after);
    if (before) this.#forgetDevice(before);
    this.#membersOf(after.clusterId).devices.add(after.id);
    this.#devicesByMac.set(macKey(after.siteId, after.mac), after);
    if (after.power.ownAgentId !== null) this.#ownAgents.set(after.power.ownAgentId, after.id);
    this.#tell({ type: "device", before, after });
  }

  removeDevice(id: string): void {
    const before = this.devices.remove(id);
    if (!before) return;
    this.#forgetDevice(before);
    this.#tell({ type: "device", before, after: undefined });
  }

  /** An account is gone: what it owned is nobody's, or in the heir's site the heir's; what was shared with it is not any more. */
  forgetUser(userId: string, heir: { readonly id: string; readonly siteId: string } | null): void {
    const without = <Row extends DirectoryDevice | DirectoryCluster>(row: Row): Row => ({
      ...row,
      ownerId: row.ownerId === userId ? (heir?.siteId === row.siteId ? heir.id : null) : row.ownerId,
      shares: row.shares.filter((share) => share.userId !== userId),
    });
    const concerns = ({ ownerId, shares }: DirectoryDevice | DirectoryCluster) =>
      ownerId === userId || shares.some((share) => share.userId === userId);
    this.together(() => {
      for (const device of [...this.devices].filter(concerns)) this.putDevice(without(device));
      for (const cluster of [...this.clusters].filter(concerns)) this.putCluster(without(cluster));
    });
  }

  deviceByMac(siteId: string, mac: string): DirectoryDevice | undefined {
    return this.#devicesByMac.get(macKey(siteId, mac));
  }

  devicesOf(clusterId: string): DirectoryDevice[] {
    return [...(this.#members.get(clusterId)?.devices ?? [])].flatMap((id) => this.devices.byId(id) ?? []);
  }

  agentsOf(clusterId: string): DirectoryAgent[] {
    return [...(this.#members.get(clusterId)?.agents ?? [])].flatMap((id) => this.agents.byId(id) ?? []);
  }

  /** Who wakes and watches a device: its linked agents, else all agents of its cluster. */
  agentsFor(device: DirectoryDevice): DirectoryAgent[] {
    if (device.agentIds.length === 0) return this.agentsOf(device.clusterId);
    return device.agentIds.flatMap((id) => this.agents.byId(id) ?? []);
  }

  /** The device that an agent runs on: the one that a person chose, else the one with the MAC address of one of its network cards. */
  machineOf(agent: DirectoryAgent): DirectoryDevice | undefined {
    const chosen = this.#ownAgents.get(agent.id);
    if (chosen) return this.devices.byId(chosen);
    for (const { mac } of agent.interfaces) {
      const device = mac === null ? undefined : this.deviceByMac(agent.siteId, mac);
      if (device && device.power.ownAgentId === null) return device;
    }
    return undefined;
  }

  /** The agent on a device's very machine. */
  ownAgentOf(device: DirectoryDevice): DirectoryAgent | undefined {
    if (device.power.ownAgentId !== null) return this.agents.byId(device.power.ownAgentId);
    const agent = this.agentByMac(device.siteId, device.mac);
    return agent && !this.#ownAgents.has(agent.id) ? agent : undefined;
  }

  /** The agent on the machine with this network card. */
  agentByMac(siteId: string, mac: string): DirectoryAgent | undefined {
    const id = this.#agentsByMac.get(macKey(siteId, mac));
    return id === undefined ? undefined : this.agents.byId(id);
  }

  clusterOf(member: { readonly clusterId: string }): DirectoryCluster {
    const cluster = this.clusters.byId(member.clusterId);
    if (!cluster) throw new Error(`The directory has no cluster ${member.clusterId}`);
    return cluster;
  }

  unassignedCluster(siteId: string): DirectoryCluster {
    const cluster = [...this.clusters].find((candidate) => candidate.unassigned && candidate.siteId === siteId);
    if (!cluster) throw new Error(`The site ${siteId} has no row for "in no cluster"`);
    return cluster;
  }

  #forgetAgent(agent: DirectoryAgent): void {
    this.#membersOf(agent.clusterId).agents.delete(agent.id);
    for (const { mac } of agent.interfaces) {
      const key = mac === null ? "" : macKey(agent.siteId, mac);
      if (this.#agentsByMac.get(key) === agent.id) this.#agentsByMac.delete(key);
    }
  }

  #forgetDevice(device: DirectoryDevice): void {
    const { ownAgentId } = device.power;
    if (ownAgentId !== null && this.#ownAgents.get(ownAgentId) === device.id) this.#ownAgents.delete(ownAgentId);
    this.#members.get(device.clusterId)?.devices.delete(device.id);
    const mac = macKey(device.siteId, device.mac);
    if (this.#devicesByMac.get(mac)?.id === device.id) this.#devicesByMac.delete(mac);
  }

  #membersOf(clusterId: string): { devices: Set<string>; agents: Set<string> } {
    let members = this.#members.get(clusterId);
    if (!members) this.#members.set(clusterId, (members = { devices: new Set(), agents: new Set() }));
    return members;
  }

  #tell(change: DirectoryChange): void {
    if (this.#held) return void this.#held.push(change);
    for (const listener of this.#listeners) listener(change);
  }
}

/** Rows of one kind by id and by key. */
class Table<Row extends { readonly id: string; readonly key: string }> {
  readonly #byId = new Map<string, Row>();
  readonly #byKey = new Map<string, Row>();

  get size(): number {
    return this.#byId.size;
  }

  byId(id: string): Row | undefined {
    return this.#byId.get(id);
  }

  byKey(key: string): Row | undefined {
    return this.#byKey.get(key);
  }

  [Symbol.iterator](): IterableIterator<Row> {
    return this.#byId.values();
  }

  put(row: Row): Row | undefined {
    const before = this.#byId.get(row.id);
    this.#byId.set(row.id, row);
    this.#byKey.set(row.key, row);
    return before;
  }

  remove(id: string): Row | undefined {
    const row = this.#byId.get(id);
    if (!row) return undefined;
    this.#byId.delete(id);
    this.#byKey.delete(row.key);
    return row;
  }
}

function macKey(siteId: string, mac: string): string {
  return `${siteId} ${mac.toLowerCase()}`;
}
