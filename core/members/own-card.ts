import type { NetworkInterface } from "#contracts/agent.ts";
import type { Directory, DirectoryDevice } from "./directory.ts";

/**
 * The network card that wakes a device, as the agent on the device last told of it, with the addresses of whatever shares its
 * MAC address: a bridge or a virtual switch stands above many a card. Null: no such agent, or none with this MAC address.
 */
export function ownCardOf(directory: Directory, device: DirectoryDevice): NetworkInterface | null {
  const interfaces = directory.ownAgentOf(device)?.interfaces ?? [];
  const same = interfaces.filter(({ mac }) => mac === device.mac);
  const card = same.find(({ kind }) => kind === "ethernet") ?? same.find(({ kind }) => kind === "wifi") ?? same[0];
  return card ? { ...card, addresses: same.flatMap(({ addresses }) => addresses) } : null;
}

/** Whether a device's network card will answer a magic packet; null = unknown. */
export function armedOf(directory: Directory, device: DirectoryDevice): boolean | null {
  return ownCardOf(directory, device)?.armed ?? null;
}
