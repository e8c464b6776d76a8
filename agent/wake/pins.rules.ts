import { z } from "zod";
import type { WakeTarget } from "#contracts/order.ts";
import type { LocalAddress } from "./networks.rules.ts";
import { isOnEthernet, isUnicast, routesTo } from "./routes.rules.ts";

/**
 * Which neighbour entries (ARP for IPv4, NDP for IPv6) to pin while magic packets go to a device's own address.
 *
 * A machine that is off answers no question for its address, so without an entry the system has no frame to send.
 */
export interface Pin {
  readonly address: string;
  readonly mac: string;
  readonly interface: string;
}

/**
 * The entries that these targets ask for: one for each Ethernet whose network holds the device's address.
 *
 * Never on loopback, a tunnel or a point-to-point link: there Linux has one entry for all addresses, and a MAC address in it ends
 * all traffic of that interface. Never for an address of this machine.
 */
export function pinsFor(targets: readonly WakeTarget[], allLocal: readonly LocalAddress[]): Pin[] {
  const local = allLocal.filter(isOnEthernet);
  return targets.flatMap((target) => {
    if (allLocal.some(({ address }) => address === target.unicast)) return [];
    if (!target.unicast || target.addresses.length > 0 || !target.reach?.includes("unicast")) return [];
    const { mac, unicast, interfaces } = target;
    const only = { addresses: [], ports: [9], reach: ["unicast" as const], unicast, ...(interfaces && { interfaces }) };
    const routes = routesTo(only, local).filter((route) => isUnicast(route, target));
    return routes.flatMap((route) =>
      route.interface === null || !isName(route.interface)
        ? []
        : [{ address: unicast, mac, interface: route.interface }],
    );
  });
}

/** As Linux allows it; a name that could be read as another command of a batch is none. */
function isName(name: string): boolean {
  return /^[^\s/"'\\#]{1,15}$/.test(name);
}

const Entries = z.array(
  z.object({ dst: z.string(), dev: z.string(), lladdr: z.string().optional(), state: z.array(z.string()).default([]) }),
);
export type Entry = z.infer<typeof Entries>[number];

/** Reads `ip -json neigh` (iproute2). @throws when the text is something else. */
export function parseEntries(json: string): Entry[] {
  return Entries.parse(JSON.parse(json.trim() || "[]"));
}

/** Entries that the system has just confirmed, is confirming, or that somebody set by hand. */
const KEPT = new Set(["REACHABLE", "DELAY", "PROBE", "PERMANENT", "NOARP"]);

/**
 * Those that may be pinned: never over an entry that is in use, and never over that of another machine, however old. So nobody
 * who may name a device's address turns traffic for another machine, such as the router, to a MAC address of their choice.
 */
export function allowedPins(pins: readonly Pin[], entries: readonly Entry[]): Pin[] {
  const speaksAgainst = (pin: Pin) => (entry: Entry) =>
    entry.dst === pin.address &&
    entry.dev === pin.interface &&
    (entry.state.some((one) => KEPT.has(one)) ||
      (entry.lladdr !== undefined && entry.lladdr.toLowerCase() !== pin.mac));
  return pins.filter((pin) => !entries.some(speaksAgainst(pin)));
}

/** Linux, capabilities(7): bit 12 of a mask. */
const NET_ADMIN = 1n << 12n;

/**
 * Whether a process with this `/proc/self/status` may change neighbour entries by calling `ip`: what it may itself is not
 * enough, the program that it calls must inherit it.
 */
export function mayAdministerNetwork(status: string, isRoot: boolean): boolean {
  const has = (name: string) => {
    const [, mask] = new RegExp(`^${name}:\\s*([0-9a-f]+)$`, "m").exec(status) ?? [];
    return mask !== undefined && (BigInt(`0x${mask}`) & NET_ADMIN) !== 0n;
  };
  return has("CapEff") && (isRoot || has("CapAmb"));
}
