import { isIPv4 } from "node:net";
import type { PacketReach, WakeTarget } from "#contracts/order.ts";
import { broadcastAddress, isInNetwork, type LocalAddress } from "./networks.rules.ts";

const LIMITED_BROADCAST = "255.255.255.255";
/** All nodes on the link, RFC 4291 §2.7.1. IPv6 has no broadcast. */
const ALL_NODES = "ff02::1";
/** As many as a receipt can tell of one target. */
const MAX_ROUTES = 256;

/** One way that a magic packet takes: from which of this machine's addresses, to where. */
export interface Route {
  /** The own address that it is sent from, which decides the interface; null = the system's choice. */
  readonly from: string | null;
  readonly family: 4 | 6;
  readonly to: string;
  /** The interface of a link-local destination, for `to%zone`. */
  readonly zone: string | null;
  readonly port: number;
  readonly interface: string | null;
}

type Path = Omit<Route, "port">;
export type RoutedTarget = Pick<WakeTarget, "addresses" | "ports" | "reach" | "unicast" | "interfaces">;

/** What a burst goes to unless its order says so. */
const BROADCASTS: PacketReach[] = ["directed", "limited", "all-nodes"];

/**
 * Every way to a target: each path on each port, at most 256.
 *
 * Without addresses it is broadcast on every Ethernet that this machine is on: the directed broadcast address of each
 * real IPv4 network and 255.255.255.255 once per interface, sent from that interface, and `ff02::1` where there is IPv6.
 * An order may ask for some of these kinds alone, for some interfaces alone, and for the device's own address besides.
 */
export function routesTo(target: RoutedTarget, local: readonly LocalAddress[]): Route[] {
  const paths =
    target.addresses.length > 0
      ? target.addresses.flatMap((address) => pathsToAddress(address, local))
      : pathsByReach(target, chosenOf(target, local));
  return paths.flatMap((path) => target.ports.map((port) => ({ ...path, port }))).slice(0, MAX_ROUTES);
}

/** Whether a way leads to the device alone and not to everybody on its network. */
export function isUnicast({ to }: Route, { addresses, unicast }: RoutedTarget): boolean {
  return addresses.length === 0 && to === unicast;
}

/** The interfaces that the order names; all, where none of them is here any more. */
function chosenOf({ interfaces }: RoutedTarget, local: readonly LocalAddress[]): readonly LocalAddress[] {
  const chosen = interfaces ? local.filter((own) => interfaces.includes(own.interface)) : local;
  return chosen.length > 0 ? chosen : local;
}

function pathsByReach({ reach = BROADCASTS, unicast }: RoutedTarget, local: readonly LocalAddress[]): Path[] {
  return reach.flatMap((kind) => {
    switch (kind) {
      case "directed":
        return directedBroadcasts(local);
      case "limited":
        return limitedBroadcasts(local);
      case "all-nodes":
        return allNodes(local);
      case "unicast":
        return unicast ? pathsToAddress(unicast, local) : [];
    }
  });
}

function directedBroadcasts(local: readonly LocalAddress[]): Path[] {
  return local.filter(isOnEthernet).flatMap((own) => {
    const broadcast = broadcastAddress(own.address, own.prefix);
    return broadcast === null ? [] : [pathFrom(own, broadcast)];
  });
}

function limitedBroadcasts(local: readonly LocalAddress[]): Path[] {
  const able = local.filter((own) => isOnEthernet(own) && broadcastAddress(own.address, own.prefix) !== null);
  return oncePerInterface(able).map((own) => pathFrom(own, LIMITED_BROADCAST));
}

function allNodes(local: readonly LocalAddress[], group = ALL_NODES): Path[] {
  const able = local.filter((own) => isOnEthernet(own) && own.family === 6);
  return oncePerInterface(able).map((own) => ({
    from: null, // the zone decides the interface
    family: 6,
    to: group,
    zone: own.zone,
    interface: own.interface,
  }));
}

/** From each interface whose network holds the address; where none does, the system knows a route or says why not. */
function pathsToAddress(address: string, local: readonly LocalAddress[]): Path[] {
  if (address === LIMITED_BROADCAST) return limitedBroadcasts(local);
  if (/^ff[0-9a-f]2:/i.test(address)) return allNodes(local, address); // link-local multicast, meaningless without an interface
  const near = oncePerInterface(local.filter((own) => isInNetwork(address, own)));
  if (near.length > 0) return near.map((own) => pathFrom(own, address));
  return [{ from: null, family: isIPv4(address) ? 4 : 6, to: address, zone: null, interface: null }];
}

/** A card is woken by Ethernet frames: loopback, tunnels and point-to-point links (no MAC address) cannot carry one. */
export function isOnEthernet(own: LocalAddress): boolean {
  return !own.internal && own.mac !== null;
}

function oncePerInterface(local: readonly LocalAddress[]): LocalAddress[] {
  return [...new Map(local.toReversed().map((own) => [own.interface, own])).values()].toReversed();
}

function pathFrom(own: LocalAddress, to: string): Path {
  const zone = own.family === 6 && /^fe[89ab]/i.test(to) ? own.zone : null;
  return { from: own.address, family: own.family, to, zone, interface: own.interface };
}
