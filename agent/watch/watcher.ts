import { isDeepStrictEqual } from "node:util";
import type { Sighting } from "#contracts/agent.ts";
import type { Key } from "#contracts/key.ts";
import type { WatchedDevice, WatchList } from "#contracts/order.ts";
import type { Background } from "../background.ts";
import type { LookTools } from "./look.ts";
import { Names } from "./names.ts";
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
  readonly #tools: LookTools = {
    names: new Names(),
    neighbours: new NeighbourTable(),
    turns: new Turns(PROBES_AT_ONCE),
  };
  #machines = new Map<Key, WatchedMachine>();
  #version = ANY_VERSION;

  constructor(options: WatcherOptions) {
    this.#options = options;
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
  }

  #startWatching(device: WatchedDevice, devices: number): WatchedMachine {
    const machine = new WatchedMachine({ device, tools: this.#tools, ...this.#options });
    machine.start(firstLookInMs(devices, device.intervalSeconds * 1000, Math.random()));
    return machine;
  }
}
