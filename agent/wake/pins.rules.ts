import { z } from "zod";
import type { WakeTarget } from "#contracts/order.ts";
import type { LocalAddress } from "./networks.rules.ts";
import { isUnicast, routesTo } from "./routes.rules.ts";

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

/** The entries that these targets ask for: one for each interface whose network holds the device's address. */
export function pinsFor(targets: readonly WakeTarget[], local: readonly LocalAddress[]): Pin[] {
  return targets.flatMap((target) => {
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

/** Those that may be pinned: never over an entry that is in use, for whichever machine has that address now. */
export function allowedPins(pins: readonly Pin[], entries: readonly Entry[]): Pin[] {
  return pins.filter(
    (pin) =>
      !entries.some(
        ({ dst, dev, state }) => dst === pin.address && dev === pin.interface && state.some((one) => KEPT.has(one)),
      ),
  );
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
