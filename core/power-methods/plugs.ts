import type { Logger } from "pino";
import type { MqttMethod } from "#contracts/api/power-methods.ts";
import { FixedTopic } from "#contracts/topics.ts";
import type { Link, LinkMessage } from "../kernel/link.ts";
import type { Directory, DirectoryDevice } from "../members/directory.ts";
import type { EnergyMeter } from "./energy-meter.ts";
import { machineBehind, plugState, plugWatts } from "./plug.rules.ts";

export interface PlugsOptions {
  readonly directory: Directory;
  /** The broker where plugs are: Home Assistant's where the hub knows one. */
  readonly link: Pick<Link, "outside" | "fullName">;
  readonly meter: EnergyMeter;
  /** A plug said something of the machine behind it; null = not any more. */
  readonly onWord: (device: DirectoryDevice, on: boolean | null, at: Date) => void;
  /** A device draws another figure. */
  readonly onWatts: (device: DirectoryDevice) => void;
  readonly log: Logger;
}

/** Some plugs tell their figure many times a second; others hear of it no more often than this. Milliseconds. */
const TOLD_EVERY_MS = 5_000;

/** What a plug last said. */
interface Plug {
  readonly method: MqttMethod;
  readonly stop: () => void;
  flows: boolean | null;
  watts: number | null;
  word: boolean | null;
  /** Runs while the last figure that was told is new. */
  resting: NodeJS.Timeout | null;
  toldWatts: number | null;
}

/** Listens to the plugs of devices: whether power flows is evidence, and watts are energy. */
export class Plugs {
  readonly #options: PlugsOptions;
  readonly #plugs = new Map<string, Plug>();

  constructor(options: PlugsOptions) {
    this.#options = options;
    for (const device of options.directory.devices) this.#follow(device);
    options.directory.onChange((change) => {
      if (change.type !== "device") return;
      const { before, after } = change;
      if (before && before.powerMethod !== after?.powerMethod) this.#leave(before, after);
      if (after && !this.#plugs.has(after.id)) this.#follow(after);
    });
  }

  /** What a device draws now; null where nobody tells. */
  wattsOf(deviceId: string): number | null {
    return this.#plugs.get(deviceId)?.watts ?? null;
  }

  close(): void {
    for (const plug of this.#plugs.values()) plug.stop();
    this.#plugs.clear();
  }

  #follow(device: DirectoryDevice): void {
    const method = device.powerMethod;
    if (method?.type !== "mqtt" || (method.stateTopic === null && method.wattsTopic === null)) return;
    const stops = [
      this.#listen(method.stateTopic, (message) => this.#stateSays(device.id, message)),
      this.#listen(method.wattsTopic, (message) => this.#wattsSay(device.id, message)),
    ];
    const stop = () => {
      for (const one of stops) one();
      clearTimeout(plug.resting ?? undefined);
    };
    const plug: Plug = { method, stop, flows: null, watts: null, word: null, resting: null, toldWatts: null };
    this.#plugs.set(device.id, plug);
  }

  #listen(name: string | null, handler: (message: LinkMessage) => void): () => void {
    if (name === null) return () => {};
    const { outside } = this.#options.link;
    const topic = new FixedTopic(name, { qos: 1, retain: false });
    outside.on(topic, handler);
    return () => outside.off(topic, handler);
  }

  #leave(before: DirectoryDevice, after: DirectoryDevice | undefined): void {
    const plug = this.#plugs.get(before.id);
    if (!plug) return;
    plug.stop();
    this.#plugs.delete(before.id);
    this.#options.meter.rest(before.id);
    if (after && plug.word !== null) this.#options.onWord(after, null, new Date());
  }

  #stateSays(deviceId: string, { payload }: LinkMessage): void {
    const plug = this.#plugs.get(deviceId);
    const flows = plug && plugState(plug.method, payload);
    if (!plug || flows === null || flows === undefined) return;
    plug.flows = flows;
    this.#conclude(deviceId, plug);
  }

  #wattsSay(deviceId: string, { payload, retained }: LinkMessage): void {
    const plug = this.#plugs.get(deviceId);
    const watts = plug && plugWatts(plug.method, payload);
    if (!plug || watts === undefined) return;
    const { directory, meter, onWatts } = this.#options;
    const device = directory.devices.byId(deviceId);
    // a retained figure may be of any time
    if (device && !retained) meter.note(device, watts, performance.now());
    plug.watts = watts;
    if (device && plug.resting === null) this.#tellWatts(device, plug, onWatts);
    this.#conclude(deviceId, plug);
  }

  /** At once, and after a rest once more where the figure has changed meanwhile. */
  #tellWatts(device: DirectoryDevice, plug: Plug, tell: PlugsOptions["onWatts"]): void {
    if (plug.watts === plug.toldWatts) return;
    plug.toldWatts = plug.watts;
    plug.resting = setTimeout(() => {
      plug.resting = null;
      this.#tellWatts(device, plug, tell);
    }, TOLD_EVERY_MS);
    tell(device);
  }

  #conclude(deviceId: string, plug: Plug): void {
    const word = machineBehind(plug.method, plug);
    const device = this.#options.directory.devices.byId(deviceId);
    if (!device || (word === null && plug.word === null)) return;
    plug.word = word;
    this.#options.onWord(device, word, new Date());
  }
}
