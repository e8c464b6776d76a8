import type { Logger } from "pino";
import type { PowerOffAction } from "#contracts/power-action.ts";
import type { Database } from "../kernel/database.ts";
import type { Link } from "../kernel/link.ts";
import type { Outbound } from "../kernel/outbound.ts";
import type { SealedSecrets } from "../kernel/sealed-secrets.ts";
import type { Directory, DirectoryDevice } from "../members/directory.ts";
import type { MembersContext } from "../members/members.service.ts";
import type { PowerStates } from "../power/power-states.ts";
import { EnergyMeter, loadEnergy } from "./energy-meter.ts";
import { Plugs } from "./plugs.ts";
import { pinHostKey } from "./power-methods.service.ts";
import { PowerMethodRunner } from "./runner.ts";

export interface PowerMethodsOptions {
  readonly database: Database;
  readonly directory: Directory;
  readonly power: PowerStates;
  readonly secrets: SealedSecrets;
  readonly outbound: Outbound;
  /** To the broker where plugs are. */
  readonly link: Link;
  /** Whether plugs can be there. */
  readonly hasPlugs: boolean;
  /** The hub itself as it changes members of a site. */
  readonly membersOf: (siteId: string) => MembersContext;
  readonly log: Logger;
}

/** The other ways of powering machines off, and what plugs tell of them. */
export interface PowerMethods {
  /** @param signal once it is aborted nothing is begun any more. @throws Error with a sentence why it could not be done. */
  run(device: DirectoryDevice, action: PowerOffAction, signal: AbortSignal): Promise<void>;
  /** What a device draws now, in watts, and has used since the hub counts; null where nobody tells. */
  energyOf(deviceId: string): { readonly watts: number | null; readonly energyKwh: number | null };
  onWatts(listener: (device: DirectoryDevice) => void): void;
  close(): Promise<void>;
}

/** Call it before the link connects: plugs are heard from the first message on. */
export async function startPowerMethods(options: PowerMethodsOptions): Promise<PowerMethods> {
  const { database, directory, power, link, membersOf, log } = options;
  const listeners: ((device: DirectoryDevice) => void)[] = [];
  const meter = new EnergyMeter(await loadEnergy(database.fork()), database, log);
  directory.onChange((change) => {
    if (change.type === "device" && change.before && !change.after) meter.forget(change.before.id);
  });
  const plugs = new Plugs({
    directory,
    link,
    meter,
    onWord: (device, on, at) => power.plugSays(device, on, at),
    onWatts: (device) => {
      for (const listener of listeners) listener(device);
    },
    log,
  });
  const runner = new PowerMethodRunner({
    ...options,
    // the machine is on its way down, whatever becomes of this
    pinHostKey: (device, hostKey) =>
      void pinHostKey(membersOf(device.siteId), device, hostKey).catch((error: unknown) =>
        log.warn({ err: error, device: device.key }, "a host key could not be pinned"),
      ),
  });
  return {
    run: (device, action, signal) => runner.run(device, action, signal),
    energyOf: (deviceId) => ({ watts: plugs.wattsOf(deviceId), energyKwh: meter.kWhOf(deviceId) }),
    onWatts: (listener) => void listeners.push(listener),
    close: async () => {
      plugs.close();
      await meter.close();
    },
  };
}
