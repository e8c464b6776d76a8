import type { z } from "zod";
import type { DroppedLink } from "#contracts/api/common.ts";
import type { DeviceAnswer, DeviceChange, DeviceCreate } from "#contracts/api/devices.ts";
import type { WakeAccepted, WakeAnswer, WakeList } from "#contracts/api/wakes.ts";
import { call } from "./call.ts";

export async function createDevice(input: z.input<typeof DeviceCreate>): Promise<DeviceAnswer> {
  return await call("POST", "/devices", input);
}

/** @returns the links between devices and agents that the change took away. */
export async function changeDevice(id: string, change: z.input<typeof DeviceChange>): Promise<DroppedLink[]> {
  const { droppedLinks } = await call<{ droppedLinks: DroppedLink[] }>("PATCH", `/devices/${id}`, change);
  return droppedLinks;
}

export async function deleteDevice(id: string): Promise<void> {
  await call("DELETE", `/devices/${id}`);
}

export async function wakeDevice(id: string, { force = false } = {}): Promise<WakeAccepted> {
  return await call("POST", `/devices/${id}/wake`, { force });
}

/** The newest wakes first. */
export async function wakesOf(id: string, limit: number): Promise<WakeAnswer[]> {
  const { items } = await call<z.infer<typeof WakeList>>("GET", `/devices/${id}/wakes?limit=${limit}`);
  return items;
}

export async function cancelWake(wakeId: string): Promise<void> {
  await call("DELETE", `/wakes/${wakeId}`);
}
