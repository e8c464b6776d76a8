import { z } from "zod";

/**
 * What the neighbour table (ARP for IPv4, NDP for IPv6) knows of one address.
 *
 * `confirmed`: the machine answered a moment ago. `live`: the entry is in use. `stale`: it may be long out of date.
 * `unanswered`: somebody asked and nobody answered. `unknown`: this system does not tell the state.
 */
export interface Neighbour {
  readonly address: string;
  readonly mac: string | null;
  readonly state: "confirmed" | "live" | "stale" | "unanswered" | "unknown";
}

/** Neighbour unreachability detection, RFC 4861 §7.3.2, as Linux names the states. */
const STATES: Readonly<Record<string, Neighbour["state"]>> = {
  REACHABLE: "confirmed",
  DELAY: "live",
  PROBE: "live",
  PERMANENT: "live",
  STALE: "stale",
  INCOMPLETE: "unanswered",
  FAILED: "unanswered",
};

const IpNeighbours = z.array(
  z.object({
    dst: z.string(),
    dev: z.string().optional(),
    lladdr: z.string().optional(),
    state: z.array(z.string()).default([]),
  }),
);

/** Reads `ip -json neigh` (iproute2). @throws when the text is something else. */
export function parseIpNeighbours(json: string): Neighbour[] {
  return parseIpTable(json).map(({ entry }) => entry);
}

/** An entry and the interface that it belongs to: two networks may use the same addresses. */
export interface TableEntry {
  readonly device: string;
  readonly entry: Neighbour;
}

/** The same, and where each entry belongs. @throws when the text is something else. */
export function parseIpTable(json: string): TableEntry[] {
  return IpNeighbours.parse(JSON.parse(json.trim() || "[]")).flatMap(({ dst, dev, lladdr, state }) => {
    const known = STATES[state[0] ?? ""];
    if (!known) return []; // NOARP: loopback, tunnels, and entries that somebody pinned
    return [{ device: dev ?? "", entry: { address: dst, mac: lladdr?.toLowerCase() ?? null, state: known } }];
  });
}

/** A change of the table; `entry` is null where it is gone, or tells nothing any more. */
export interface TableChange {
  readonly address: string;
  readonly device: string;
  readonly entry: Neighbour | null;
}

const MONITOR_LINE = /^(Deleted )?([0-9a-f.:]+) dev (\S+)(?: lladdr ([0-9a-f:]{17}))?.* ([A-Z]+)$/i;

/** Reads a line of `ip monitor neigh`; undefined where it tells of something else. */
export function parseMonitorLine(line: string): TableChange | undefined {
  const [, deleted, address, device, mac, name = ""] = MONITOR_LINE.exec(line.trimEnd()) ?? [];
  if (!address || !device) return undefined;
  const state = STATES[name];
  if (deleted !== undefined || !state) return { address, device, entry: null };
  return { address, device, entry: { address, mac: mac?.toLowerCase() ?? null, state } };
}

/** Reads `/proc/net/arp`: IPv4 only, and without states beyond complete (flag 2) or not. */
export function parseProcArp(text: string): Neighbour[] {
  return text
    .split("\n")
    .slice(1)
    .flatMap((line): Neighbour[] => {
      const [address, , flags, mac] = line.split(/\s+/);
      if (!address || !mac || flags === undefined) return [];
      const complete = (Number.parseInt(flags, 16) & 2) !== 0;
      return [{ address, mac: complete ? mac.toLowerCase() : null, state: complete ? "unknown" : "unanswered" }];
    });
}

const ARP_LINE = /(\d+\.\d+\.\d+\.\d+)\)?\s+(?:at\s+)?([0-9a-f]{1,2}(?:[:-][0-9a-f]{1,2}){5})\b/i;

/** Reads `arp -a` of macOS (`? (192.168.1.1) at 0:11:22:…`) and Windows (`192.168.1.1  00-11-22-…`), neither of which tells states. */
export function parseArpCommand(text: string): Neighbour[] {
  return text.split("\n").flatMap((line): Neighbour[] => {
    const [, address, mac] = ARP_LINE.exec(line) ?? [];
    if (!address || !mac) return [];
    const octets = mac.split(/[:-]/).map((octet) => octet.toLowerCase().padStart(2, "0"));
    return [{ address, mac: octets.join(":"), state: "unknown" }];
  });
}

/** Where a MAC address was last seen, best known first. */
export function addressesOf(mac: string, neighbours: readonly Neighbour[]): string[] {
  const order: Neighbour["state"][] = ["confirmed", "live", "unknown", "stale"];
  return neighbours
    .filter((neighbour) => neighbour.mac === mac && neighbour.state !== "unanswered")
    .sort((one, other) => order.indexOf(one.state) - order.indexOf(other.state))
    .map(({ address }) => address);
}
