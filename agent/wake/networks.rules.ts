import { BlockList, isIPv4 } from "node:net";
import type { NetworkInterfaceInfo } from "node:os";

const NULL_MAC = "00:00:00:00:00:00";

/** One address of one of this machine's interfaces. */
export interface LocalAddress {
  readonly interface: string;
  readonly family: 4 | 6;
  readonly address: string;
  /** Length of the network prefix in bits. */
  readonly prefix: number;
  /** null where there is no Ethernet below: tunnels, point-to-point links, loopback. */
  readonly mac: string | null;
  readonly internal: boolean;
  /** What stands after `%` in a link-local IPv6 address: the interface's name, on Windows its index. */
  readonly zone: string;
}

/** Flattens what `os.networkInterfaces()` tells. Addresses without a valid netmask are left out. */
export function localAddresses(
  interfaces: NodeJS.Dict<readonly NetworkInterfaceInfo[]>,
  platform: NodeJS.Platform,
): LocalAddress[] {
  return Object.entries(interfaces).flatMap(([name, infos = []]) =>
    infos.flatMap((info): LocalAddress[] => {
      if (info.cidr === null) return [];
      return [
        {
          interface: name,
          family: info.family === "IPv4" ? 4 : 6,
          address: info.address,
          prefix: Number(info.cidr.slice(info.cidr.lastIndexOf("/") + 1)),
          mac: info.mac === NULL_MAC ? null : info.mac,
          internal: info.internal,
          zone: platform === "win32" && info.family === "IPv6" ? String(info.scopeid) : name,
        },
      ];
    }),
  );
}

/**
 * The directed broadcast address of an IPv4 network: all host bits set (RFC 919).
 *
 * null where there is none: a /31 joins two routers (RFC 3021), a /32 is a single host, IPv6 knows no broadcast.
 */
export function broadcastAddress(address: string, prefix: number): string | null {
  if (!isIPv4(address) || prefix > 30) return null;
  const hostBits = prefix === 0 ? 0xffffffff : 2 ** (32 - prefix) - 1;
  const network = address.split(".").reduce((sum, octet) => sum * 256 + Number(octet), 0);
  const broadcast = (network | hostBits) >>> 0;
  return [24, 16, 8, 0].map((shift) => (broadcast >>> shift) & 0xff).join(".");
}

/** Whether an address lies in the network of one of this machine's addresses. */
export function isInNetwork(address: string, local: LocalAddress): boolean {
  const family = isIPv4(address) ? 4 : 6;
  if (family !== local.family) return false;
  const network = new BlockList();
  network.addSubnet(local.address, local.prefix, family === 4 ? "ipv4" : "ipv6");
  return network.check(address, family === 4 ? "ipv4" : "ipv6");
}
