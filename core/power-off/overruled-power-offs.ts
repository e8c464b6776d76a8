import type { DirectoryDevice } from "../members/directory.ts";
import type { PowerStates } from "../power/power-states.ts";

interface Overruled {
  readonly device: DirectoryDevice;
  readonly untilMs: number;
}

/**
 * Devices that are to be woken although a power-off of them was on its way: until the agent there says that the machine
 * stays up, or it is seen off, that it is up proves nothing.
 */
export class OverruledPowerOffs {
  readonly #power: PowerStates;
  readonly #byDevice = new Map<string, Overruled>();

  constructor(power: PowerStates) {
    this.#power = power;
  }

  /** Whether the device may still go down. */
  has(deviceId: string): boolean {
    return this.#byDevice.has(deviceId);
  }

  forget(deviceId: string): void {
    this.#byDevice.delete(deviceId);
  }

  add(device: DirectoryDevice, untilMs: number): void {
    this.#byDevice.set(device.id, { device, untilMs });
  }

  /** Its agent takes it down all the same: it was called back too late. */
  goesDown(device: DirectoryDevice, untilMs: number, now: Date): void {
    this.add(device, untilMs);
    this.#power.goesDown(device, now);
    this.#power.setStopping(device, true, now);
  }

  staysUp(device: DirectoryDevice, now: Date): void {
    if (!this.#byDevice.delete(device.id)) return;
    this.#power.staysUp(device, now);
    this.#power.setStopping(device, false, now);
  }

  forgetOld(nowMs: number, now: Date): void {
    // its agent never said so, and it was not seen to go
    for (const { device, untilMs } of this.#byDevice.values()) if (nowMs >= untilMs) this.staysUp(device, now);
  }
}
