import type { NetworkInterface } from "#contracts/agent.ts";
import type { Directory, DirectoryDevice } from "./directory.ts";

/** The network card that wakes a device, as the agent on the device last told of it. Null: no such agent, or none with this MAC address. */
export function ownCardOf(directory: Directory, device: DirectoryDevice): NetworkInterface | null {
  const interfaces = directory.ownAgentOf(device)?.interfaces ?? [];
  return interfaces.find(({ mac }) => mac === device.mac) ?? null;
}

/** Whether a device's network card will answer a magic packet; null = unknown. */
export function armedOf(directory: Directory, device: DirectoryDevice): boolean | null {
  return ownCardOf(directory, device)?.armed ?? null;
}
