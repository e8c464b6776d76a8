import type { PowerOffAction } from "#contracts/power-action.ts";
import { Key } from "#contracts/key.ts";
import { type Actor, mayWake } from "#contracts/permissions.ts";
import type { Directory, DirectoryDevice } from "../members/directory.ts";
import type { DevicePart } from "./outcome.rules.ts";
import type { KnownSchedule } from "./schedules.ts";
import { devicesOf, mayStill } from "./targets.rules.ts";

/** What became of a device, and by which id its end is told of; null where it is over. */
export interface ActedPart extends DevicePart {
  readonly follow: string | null;
}

export interface ScheduleAsker {
  readonly schedule: KnownSchedule;
  /** Whether it may wake what the devices that were asked for need. */
  readonly mayWake: (device: DirectoryDevice) => boolean;
}

/** The ways on which everybody wakes and powers off, as a schedule takes them. */
export interface ScheduleActions {
  wake(devices: readonly DirectoryDevice[], asker: ScheduleAsker): readonly ActedPart[];
  powerOff(
    devices: readonly DirectoryDevice[],
    action: PowerOffAction | "off",
    asker: ScheduleAsker,
  ): readonly ActedPart[];
  /** Calls the listener when a wake or a power-off is over. */
  onOver(listener: (id: string, stage: string, reason: string | null) => void): void;
}

/** So many devices stand in the row of a run. */
const MAX_DEVICES = 1_000;

/** Does what a schedule is for, as far as its owner may and the devices take part. */
export function actOn(
  schedule: KnownSchedule,
  { directory, actions, owner }: { directory: Directory; actions: ScheduleActions; owner: Actor | null | undefined },
): ActedPart[] {
  const devices = devicesOf(schedule, directory);
  const willing: DirectoryDevice[] = [];
  const left: ActedPart[] = [];
  for (const device of devices) {
    if (!device.enabled) left.push(leftOut(device, "DEVICE_DISABLED", "The device is disabled"));
    else if (!mayStill(owner, schedule, device, directory))
      left.push(leftOut(device, "FORBIDDEN", "Its owner may not do this any more"));
    else willing.push(device);
  }
  const { action } = schedule;
  const asker = {
    schedule,
    mayWake: (device: DirectoryDevice) =>
      owner === null || (owner !== undefined && mayWake(owner, device, directory.clusterOf(device))),
  };
  const acted =
    willing.length === 0
      ? []
      : action === "wake"
        ? actions.wake(willing, asker)
        : actions.powerOff(willing, action, asker);
  return [...acted, ...left].slice(0, MAX_DEVICES);
}

function leftOut({ key }: DirectoryDevice, code: string, reason: string): ActedPart {
  return { device: Key.parse(key), stage: "refused", code, reason, follow: null };
}
