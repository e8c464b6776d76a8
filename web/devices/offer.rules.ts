import type { DeviceAnswer } from "#contracts/api/devices.ts";
import { mayCancel } from "../words/power-off.ts";

/** What somebody may do with a device. */
export interface MayDo {
  readonly mayWake: boolean;
  readonly mayPower: boolean;
}

export type Offer = "wake" | "wake-anyway" | "cancel" | "power-off" | "cancel-power-off" | "nothing";

/**
 * What a person can do now about the power of a device. `nothing` while it goes down, is disabled, or no agent could act; the
 * words beside it say which.
 */
export function offerOf(device: DeviceAnswer, { mayWake, mayPower }: MayDo): Offer {
  const { power, enabled, availability, powerOff, canPowerOff } = device;
  if (powerOff) return mayPower && mayCancel(powerOff) ? "cancel-power-off" : "nothing";
  if (power === "waking") return mayWake ? "cancel" : "nothing";
  if (power === "stopping") return "nothing";
  if (power === "on" && canPowerOff && mayPower) return "power-off";
  if (!mayWake || !enabled || availability === "offline") return "nothing";
  return power === "on" ? "wake-anyway" : "wake";
}

/** Whether what is on may be sent magic packets all the same, beside a button that does something else. */
export function isWokenAnyway(device: DeviceAnswer, mayDo: MayDo): boolean {
  const { enabled, availability } = device;
  return mayDo.mayWake && enabled && availability === "online" && offerOf(device, mayDo) === "power-off";
}
