import type { Logger } from "pino";
import type { Presence } from "./agents/presence.ts";
import type { Database } from "./kernel/database.ts";
import type { HubSigner } from "./kernel/hub-key.ts";
import type { Link } from "./kernel/link.ts";
import type { Directory } from "./members/directory.ts";
import type { PowerStates } from "./power/power-states.ts";
import { type LastPowerOffs, endInterruptedPowerOffs, restoreLastPowerOffs } from "./power-off/last-power-offs.ts";
import { type PowerOffJournal, startPowerOffJournal } from "./power-off/power-off-journal.ts";
import { powerOffResults } from "./power-off/power-off-results.ts";
import { PowerOffService, type PowerOffServiceOptions } from "./power-off/power-off.service.ts";
import type { WakeService } from "./wake/wake.service.ts";

/** Powering machines off, with its history. */
export interface PoweringOff {
  readonly powerOffs: PowerOffService;
  readonly lastPowerOffs: LastPowerOffs;
  readonly journal: PowerOffJournal;
  /** A wake overrules the power-off of its device, and a power-off knows which devices are being woken. */
  follow(wakes: WakeService): void;
  /** Tells how the power-offs ended that a stopped hub left open, and begins. Call it when there is a connection to the broker. */
  start(): void;
  close(): Promise<void>;
}

export interface PoweringOffParts extends Pick<
  PowerOffServiceOptions,
  "methods" | "whyNotDown" | "leasesOf" | "hasToWait"
> {
  readonly database: Database;
  readonly directory: Directory;
  readonly presence: Presence;
  readonly power: PowerStates;
  readonly link: Link;
  readonly signer: HubSigner;
  readonly log: Logger;
}

export async function openPoweringOff(parts: PoweringOffParts, startedAt: Date): Promise<PoweringOff> {
  const { database, directory, link, log } = parts;
  let wakes: WakeService | undefined;
  const interrupted = await endInterruptedPowerOffs(database.fork(), startedAt);
  const lastPowerOffs = await restoreLastPowerOffs(database.fork());
  const journal = startPowerOffJournal(database, log);
  const results = powerOffResults(link, log);
  const powerOffs = new PowerOffService({
    ...parts,
    wakes: {
      isRunning: (deviceId) => wakes?.runningOf(deviceId) !== undefined,
      cancel: (deviceId, by) => {
        const wake = wakes?.runningOf(deviceId);
        if (wake) wakes?.cancel(wake.id, by);
      },
    },
  });
  powerOffs.onStage(results.stage);
  powerOffs.onStage((powerOff) => (powerOff.isOver && lastPowerOffs.note(powerOff), journal.add(powerOff)));
  directory.onChange(({ type, before, after }) => {
    if (type === "device" && before && !after) lastPowerOffs.forget(before.id);
  });
  return {
    powerOffs,
    lastPowerOffs,
    journal,
    follow: (service) => {
      wakes = service;
      service.onAsked((deviceId, by) => powerOffs.overrule(deviceId, by));
    },
    start: () => {
      for (const powerOff of interrupted) {
        const device = directory.devices.byId(powerOff.deviceId);
        if (device) results.interrupted(powerOff, device);
      }
      powerOffs.start();
    },
    close: async () => {
      powerOffs.close();
      await journal.close();
    },
  };
}
