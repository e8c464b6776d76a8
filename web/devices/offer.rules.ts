import type { DeviceAnswer } from "#contracts/api/devices.ts";

/**
 * What a person can do now about the power of a device. `nothing` while it goes down, is disabled, or no agent could act; the
 * words beside it say which.
 */
export function offerOf({ power, enabled, availability }: DeviceAnswer): "wake" | "wake-anyway" | "cancel" | "nothing" {
  if (power === "waking") return "cancel";
  if (power === "stopping" || !enabled || availability === "offline") return "nothing";
  return power === "on" ? "wake-anyway" : "wake";
}
