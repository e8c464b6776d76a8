import type { Directory, DirectoryAgent, DirectoryDevice } from "../members/directory.ts";

/** Which agent runs on which device's very machine, as the directory had it at the last change. */
export class OwnAgents {
  readonly #directory: Directory;
  readonly #agents = new Map<string, string>();
  /** A machine with two network cards may be two devices. */
  readonly #devices = new Map<string, Set<string>>();

  constructor(directory: Directory) {
    this.#directory = directory;
  }

  agentOf(deviceId: string): string | undefined {
    return this.#agents.get(deviceId);
  }

  devicesOf(agentId: string): DirectoryDevice[] {
    return [...(this.#devices.get(agentId) ?? [])].flatMap((id) => this.#directory.devices.byId(id) ?? []);
  }

  isAnybodys(agentId: string): boolean {
    return this.#devices.has(agentId);
  }

  take(device: DirectoryDevice): void {
    this.#refresh(device);
  }

  /** @returns the other devices whose own agent is another one now: an agent that is chosen for one device is no other's. */
  deviceChanged(before: DirectoryDevice | undefined, after: DirectoryDevice): DirectoryDevice[] {
    const agents = [before?.power.ownAgentId, after.power.ownAgentId, this.#agents.get(after.id)];
    this.#refresh(after);
    return agents.flatMap((id) => this.#agentChangedById(id)).filter(({ id }) => id !== after.id);
  }

  /** @returns the devices whose own agent is another one now. */
  agentChanged(agent: DirectoryAgent): DirectoryDevice[] {
    const touched = new Set(this.devicesOf(agent.id));
    for (const { mac } of agent.interfaces) {
      const device = mac === null ? undefined : this.#directory.deviceByMac(agent.siteId, mac);
      if (device) touched.add(device);
    }
    const machine = this.#directory.machineOf(agent);
    if (machine) touched.add(machine);
    return [...touched].filter((device) => this.#refresh(device));
  }

  /** @returns the devices that its own agent belongs to now. */
  forget(device: DirectoryDevice): DirectoryDevice[] {
    const agentId = this.#agents.get(device.id);
    this.#unlink(device.id);
    return this.#agentChangedById(agentId);
  }

  #agentChangedById(agentId: string | null | undefined): DirectoryDevice[] {
    const agent = typeof agentId === "string" ? this.#directory.agents.byId(agentId) : undefined;
    return agent ? this.agentChanged(agent) : [];
  }

  /** True when it is another agent than before. */
  #refresh(device: DirectoryDevice): boolean {
    const after = this.#directory.ownAgentOf(device)?.id;
    if (this.#agents.get(device.id) === after) return false;
    this.#unlink(device.id);
    if (after === undefined) return true;
    this.#agents.set(device.id, after);
    const devices = this.#devices.get(after);
    if (devices) devices.add(device.id);
    else this.#devices.set(after, new Set([device.id]));
    return true;
  }

  #unlink(deviceId: string): void {
    const agentId = this.#agents.get(deviceId);
    if (agentId === undefined) return;
    this.#agents.delete(deviceId);
    const devices = this.#devices.get(agentId);
    devices?.delete(deviceId);
    if (devices?.size === 0) this.#devices.delete(agentId);
  }
}
