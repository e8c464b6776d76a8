import type { DirectoryDevice } from "../members/directory.ts";
import type { PowerStates } from "../power/power-states.ts";

interface Overruled {
  readonly device: DirectoryDevice;
  /** Its agent said that it takes the machine down. */
  readonly isAcknowledged: boolean;
  readonly untilMs: number;
}

/**
 * Devices that are to be woken although a power-off of them was on its way: until the agent there says that the machine
 * stays up, or it was gone, that it is up proves nothing.
 */
export class OverruledPowerOffs {
  readonly #power: PowerStates;
  readonly #byDevice = new Map<string, Overruled>();

  constructor(power: PowerStates) {
    this.#power = power;
  }

  has(deviceId: string): boolean {
    return this.#byDevice.has(deviceId);
  }

  add(device: DirectoryDevice, { isAcknowledged, untilMs }: Omit<Overruled, "device">, now: Date): void {
    this.#byDevice.set(device.id, { device, isAcknowledged, untilMs });
    if (!isAcknowledged) this.#power.goesDown(device, now);
  }

  /** Its agent says so although it was called back. */
  goesDown(device: DirectoryDevice, untilMs: number, now: Date): void {
    this.#byDevice.set(device.id, { device, isAcknowledged: true, untilMs });
    this.#power.goesDown(device, now);
  }

  staysUp(device: DirectoryDevice, now: Date): void {
    if (this.#byDevice.delete(device.id)) this.#power.staysUp(device, now);
  }

  forgetOld(nowMs: number, now: Date): void {
    for (const { device, isAcknowledged, untilMs } of this.#byDevice.values()) {
      if (nowMs < untilMs && this.#power.of(device.id).reachable !== false) continue;
      this.#byDevice.delete(device.id);
      // its agent has said nothing at all: the order never reached it, or was called back in time
      if (!isAcknowledged && nowMs >= untilMs) this.#power.staysUp(device, now);
    }
  }
}
