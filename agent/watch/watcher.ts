import { isDeepStrictEqual } from "node:util";
import type { Sighting } from "#contracts/agent.ts";
import type { Key } from "#contracts/key.ts";
import type { WatchedDevice, WatchList } from "#contracts/order.ts";
import type { Background } from "../background.ts";
import type { NeighbourChange } from "./followed-neighbours.ts";
import { Lan } from "./lan.ts";
import type { LookTools } from "./look.ts";
import { isLocalName } from "./mdns.rules.ts";
import { lookUpBySystem, Names } from "./names.ts";
import { NeighbourTable } from "./neighbour-table.ts";
import { Turns } from "./turns.ts";
import { firstLookInMs } from "./verdict.rules.ts";
import { WatchedMachine } from "./watched-machine.ts";

/** Each is a process or a socket; a small machine should not have more of them at once. */
const PROBES_AT_ONCE = 32;

/** Below every version that a hub gives. */
const ANY_VERSION = -1;

export interface WatcherOptions {
  readonly now: () => Date;
  readonly onSighting: (sighting: Sighting) => void;
  readonly inBackground: Background;
}

/** Watches the devices of the newest watch list. */
export class Watcher {
  readonly #options: WatcherOptions;
  readonly #lan = new Lan();
  readonly #tools: LookTools = {
    names: new Names({ lookUp: (name) => this.#lookUp(name) }),
    neighbours: new NeighbourTable(),
    turns: new Turns(PROBES_AT_ONCE),
    lan: this.#lan,
  };
  #machines = new Map<Key, WatchedMachine>();
  /** Machines by their MAC address, and by the IP address where they should be. */
  readonly #byAddress = new Map<string, WatchedMachine[]>();
  #isFollowing = false;
  #version = ANY_VERSION;

  constructor(options: WatcherOptions) {
    this.#options = options;
    this.#lan.neighbours.onChange((change) => {
      for (const machine of this.#concernedBy(change)) machine.neighbourChanged(change);
    });
  }

  /**
   * Takes the next list with whatever version; what is known of the devices stays.
   *
   * Versions are the hub's clock, so they rise within one run of a hub whose clock is not set back between two runs. A hub
   * that starts again with an earlier clock would not be believed until its clock has caught up. So each connection, and each
   * start or end of the hub during one, begins a new count. What that gives away is small: a list that is repeated
   * was still signed by the hub, for this agent; only the hub may write on its topic; and all that an old list brings about
   * is that devices are looked at as they once were to be, until the next list.
   */
  startVersionsAnew(): void {
    this.#version = ANY_VERSION;
  }

  /** Takes a list unless it has a newer one; what is known of a device stays where nothing about it changed. False when it is too old. */
  take({ version, devices }: WatchList): boolean {
    if (version < this.#version) return false;
    this.#version = version;
    this.#tools.names.keepOnly(new Set(devices.map(({ address }) => address)));
    const before = this.#machines;
    this.#machines = new Map(
      devices.map((device) => {
        const known = before.get(device.device);
        const isSame = known !== undefined && isDeepStrictEqual(known.device, device);
        return [device.device, isSame ? known : this.#startWatching(device, devices.length)];
      }),
    );
    this.#byAddress.clear();
    for (const machine of this.#machines.values()) this.#index(machine);
    if (!this.#isFollowing && devices.some(({ arp }) => arp)) {
      this.#isFollowing = true;
      this.#lan.start();
    }
    for (const [key, machine] of before) if (this.#machines.get(key) !== machine) machine.close();
    return true;
  }

  /** A wake was sent, by whomever: look closely until the device is up. */
  awaitWake(device: Key): void {
    this.#machines.get(device)?.awaitWake(performance.now());
  }

  /** Every device that there is a verdict on. */
  known(): Sighting[] {
    return [...this.#machines.values()].flatMap(({ sighting }) => sighting ?? []);
  }

  close(): void {
    for (const machine of this.#machines.values()) machine.close();
    this.#lan.close();
  }

  #index(machine: WatchedMachine): void {
    const { mac, address } = machine.device;
    for (const name of address === null ? [mac] : [mac, address.toLowerCase()]) {
      const known = this.#byAddress.get(name);
      if (known) known.push(machine);
      else this.#byAddress.set(name, [machine]);
    }
  }

  #concernedBy({ address, before, after }: NeighbourChange): Set<WatchedMachine> {
    const macs = [before?.mac, after?.mac].filter((mac) => typeof mac === "string");
    return new Set([address, ...macs].flatMap((name) => this.#byAddress.get(name) ?? []));
  }

  /** Names that end in `.local` by multicast, for which many systems have no resolver; else, and all others, by the system. */
  async #lookUp(name: string): Promise<readonly string[]> {
    const answer = isLocalName(name) ? await this.#lan.mdns.ask(name) : undefined;
    return answer?.addresses ?? (await lookUpBySystem(name));
  }

  #startWatching(device: WatchedDevice, devices: number): WatchedMachine {
    const machine = new WatchedMachine({ device, tools: this.#tools, ...this.#options });
    machine.start(firstLookInMs(devices, device.intervalSeconds * 1000, Math.random()));
    return machine;
  }
}
