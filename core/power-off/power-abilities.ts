import type { PowerOffAction } from "#contracts/power-action.ts";
import type { PowerOffWay } from "#contracts/power-off.ts";
import type { Presence } from "../agents/presence.ts";
import type { Directory, DirectoryAgent, DirectoryDevice } from "../members/directory.ts";
import { armedOf } from "../members/own-card.ts";
import { type Ability, abilityOf, waysDownOf } from "./power-ability.rules.ts";

/** What can be done to a device now, as others are told. */
export interface DeviceAbility {
  /** The ways of going down that can be taken at this moment. */
  readonly actions: readonly PowerOffAction[];
  /** Who would take the one of a plain OFF, else the first one; null where nobody can. */
  readonly way: PowerOffWay | null;
  /** Why nothing can be done; null where something can. */
  readonly why: string | null;
  /** Whether its network card answers a magic packet; null = unknown. */
  readonly armed: boolean | null;
}

/** Tells what can take each device down, from what agents say of their machines and from what was set. */
export class PowerAbilities {
  readonly #directory: Directory;
  readonly #presence: Presence;
  readonly #hasMethods: boolean;
  /** What agents said of network cards when they were about to go down; their next inventory counts more. */
  readonly #armed = new Map<string, boolean>();

  /** @param hasMethods whether anybody takes the other ways that are set for devices. */
  constructor(directory: Directory, presence: Presence, { hasMethods }: { readonly hasMethods: boolean }) {
    this.#directory = directory;
    this.#presence = presence;
    this.#hasMethods = hasMethods;
    directory.onChange((change) => {
      if (change.type === "device" && change.before && !change.after) this.#armed.delete(change.before.id);
      const machine = change.type === "agent" && change.after ? directory.machineOf(change.after) : undefined;
      if (machine) this.#armed.delete(machine.id);
    });
  }

  of(device: DirectoryDevice): DeviceAbility {
    const { ways, why } = this.whole(device);
    const ready = ways.filter((one) => one.ready);
    const plain = ready.find(({ action }) => action === device.power.off) ?? ready[0];
    return {
      actions: ready.map(({ action }) => action),
      way: plain?.way ?? null,
      why: device.enabled ? why : "This device is disabled",
      armed: this.armed(device),
    };
  }

  /** With what cannot be done at this moment. */
  whole(device: DirectoryDevice): Ability {
    const own = this.#directory.ownAgentOf(device);
    const agent = own && {
      key: own.key,
      online: this.#presence.isOnline(own.id),
      capabilities: own.capabilities,
      machine: own.machine,
    };
    return abilityOf({ agent, method: this.#methodOf(device) });
  }

  /** What can take it down whoever is there at the moment. */
  waysDownOf(device: DirectoryDevice): ReturnType<typeof waysDownOf> {
    return waysDownOf({ agent: this.#directory.ownAgentOf(device), method: this.#methodOf(device) });
  }

  armed(device: DirectoryDevice): boolean | null {
    return this.#armed.get(device.id) ?? armedOf(this.#directory, device);
  }

  noteArmed(deviceId: string, armed: boolean): void {
    this.#armed.set(deviceId, armed);
  }

  #methodOf({ powerMethod }: DirectoryDevice): DirectoryDevice["powerMethod"] {
    return this.#hasMethods ? powerMethod : null;
  }

  /** Who could wake it: its agents without the one on the machine itself. */
  wakersOf(device: DirectoryDevice): { readonly key: string; readonly online: boolean }[] {
    const own: DirectoryAgent | undefined = this.#directory.ownAgentOf(device);
    return this.#directory
      .agentsFor(device)
      .filter(({ id }) => id !== own?.id)
      .map(({ id, key }) => ({ key, online: this.#presence.isOnline(id) }));
  }
}
