import { arch, hostname, networkInterfaces, platform } from "node:os";
import type { AgentCapability, Inventory, NetworkInterface, OperatingSystem } from "#contracts/agent.ts";
import { VERSION } from "./version.ts";
import { broadcastAddress, type LocalAddress, localAddresses } from "./wake/networks.rules.ts";
import { canSeeByArp } from "./watch/neighbour-table.ts";
import { canPing } from "./watch/ping.ts";

const OPERATING_SYSTEMS: Partial<Record<NodeJS.Platform, OperatingSystem>> = {
  linux: "linux",
  win32: "windows",
  darwin: "macos",
};

const PER_INTERFACE = 32;
const MAX_INTERFACES = 64;

/** What this machine is and can do, as it stands now. */
export async function takeInventory(): Promise<Inventory> {
  return {
    hostname: hostname().slice(0, 253),
    os: OPERATING_SYSTEMS[platform()] ?? "other",
    arch: arch(),
    version: VERSION,
    interfaces: describeInterfaces(localAddresses(networkInterfaces(), platform())),
    capabilities: await capabilities(),
    machine: null,
  };
}

/** The interfaces that lead off this machine, each with its addresses and directed broadcast addresses. */
export function describeInterfaces(local: readonly LocalAddress[]): NetworkInterface[] {
  const byName = Map.groupBy(
    local.filter(({ internal }) => !internal),
    (own) => own.interface,
  );
  return [...byName]
    .map(([name, own]) => ({
      name: name.slice(0, 64),
      mac: own[0]?.mac ?? null,
      addresses: own.map(({ address, prefix }) => `${address}/${prefix}`).slice(0, PER_INTERFACE),
      broadcast: own.flatMap(({ address, prefix }) => broadcastAddress(address, prefix) ?? []).slice(0, PER_INTERFACE),
      kind: null,
      link: null,
      armed: null,
      secureOn: null,
    }))
    .slice(0, MAX_INTERFACES);
}

async function capabilities(): Promise<AgentCapability[]> {
  const [icmp, arp] = await Promise.all([canPing(), canSeeByArp()]);
  return ["wake", ...(icmp ? (["icmp"] as const) : []), ...(arp ? (["arp"] as const) : []), "tcp"];
}
