import { BlockList, isIPv4 } from "node:net";

/** Where the machines of clouds (AWS, Google, Azure, Alibaba, Oracle) learn their secrets. */
const METADATA = [
  "169.254.169.254/32",
  "100.100.100.200/32",
  "168.63.129.16/32",
  "192.0.0.192/32",
  "fd00:ec2::254/128",
  "fd20:ce::254/128",
];

/** Addresses that mean the hub itself, its link, nobody, everybody, or such a service. */
const FORBIDDEN: readonly (readonly [what: string, ...networks: string[]])[] = [
  ["a loopback address", "127.0.0.0/8", "::1/128"],
  ["an unspecified address", "0.0.0.0/8", "::/128"],
  ["the address of a cloud's metadata service", ...METADATA],
  ["a link-local address", "169.254.0.0/16", "fe80::/10", "fec0::/10"],
  ["a multicast address", "224.0.0.0/4", "ff00::/8"],
  ["a reserved address", "192.0.0.0/24", "240.0.0.0/4"],
  // the IPv4 address behind these cannot be told from outside
  ["the address of a tunnel", "64:ff9b:1::/48", "2001::/32"],
];

const LISTS = FORBIDDEN.map(([what, ...networks]) => ({ what, list: listOf(networks) }));

/**
 * Why the hub does not call an IP address that somebody typed: "a loopback address"; undefined when it may.
 *
 * An IPv6 address that carries an IPv4 one (mapped, translated, compatible, NAT64, 6to4) is what that one is. Private
 * networks are allowed: in them stand the servers of a household.
 *
 * @see RFC 6890, RFC 6052, RFC 3056, RFC 4291 §2.5.5
 */
export function whyForbidden(address: string): string | undefined {
  const plain = address.split("%", 1)[0] ?? ""; // a link-local one may name its interface
  if (isIPv4(plain)) return LISTS.find(({ list }) => list.check(plain, "ipv4"))?.what;
  const embedded = embeddedIpv4(groupsOf(plain));
  return LISTS.find(({ list }) => list.check(plain, "ipv6"))?.what ?? (embedded && whyForbidden(embedded));
}

function listOf(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address = "", bits] = network.split("/");
    list.addSubnet(address, Number(bits), isIPv4(address) ? "ipv4" : "ipv6");
  }
  return list;
}

/** The eight groups of an IPv6 address, however it is written. */
function groupsOf(address: string): number[] {
  const canonical = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const [left = [], right = []] = canonical.split("::").map((half) => half.split(":").filter(Boolean));
  const zeros = Array.from({ length: 8 - left.length - right.length }, () => "0");
  return [...left, ...zeros, ...right].map((group) => Number.parseInt(group, 16));
}

function embeddedIpv4(groups: readonly number[]): string | undefined {
  const [first = 0, second = 0, third = 0] = groups;
  const prefix = groups
    .slice(0, 6)
    .map((group) => group.toString(16))
    .join(":");
  if (first === 0x20_02) return dotted(second, third); // 6to4
  if (["0:0:0:0:0:0", "0:0:0:0:0:ffff", "0:0:0:0:ffff:0", "64:ff9b:0:0:0:0"].includes(prefix))
    return dotted(groups[6] ?? 0, groups[7] ?? 0);
  return undefined;
}

function dotted(high: number, low: number): string {
  return [high >> 8, high & 255, low >> 8, low & 255].join(".");
}
