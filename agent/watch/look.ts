import { createSocket } from "node:dgram";
import { isIPv6 } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { WatchedDevice } from "#contracts/order.ts";
import type { Lan } from "./lan.ts";
import { isLocalName } from "./mdns.rules.ts";
import type { Names } from "./names.ts";
import { addressesOf, type Neighbour } from "./neighbours.rules.ts";
import { canSeeByArp, type NeighbourTable } from "./neighbour-table.ts";
import { canPing, ping } from "./ping.ts";
import { acceptsConnection } from "./tcp.ts";
import type { Turns } from "./turns.ts";
import { type Answer, type Finding, findingFrom, otherMachineAt, type Outcome } from "./verdict.rules.ts";

/** A machine that is asked for its MAC address answers within this long. */
const ARP_ANSWER_MS = 300;
/** The discard port, RFC 863: a datagram to it disturbs nobody. */
const DISCARD_PORT = 9;
const MAX_OTHER_ADDRESSES = 4;
/** Who is there answers the first question of the system, in milliseconds; one that comes up later is heard all the same. */
const UNKNOWN_SETTLES_MS = 1_000;
/** One that it knew the system first trusts for 5 s more, and then asks three times, a second apart. */
const KNOWN_SETTLES_MS = 9_500;
/** Whoever waits for a machine that was woken looks again each second. */
const URGENT_SETTLES_MS = 900;

export interface LookTools {
  readonly names: Names;
  readonly neighbours: NeighbourTable;
  readonly turns: Turns;
  /** Without it every look reads the table and asks by itself: as well for one device, too dear for a thousand. */
  readonly lan?: Lan;
}

/** What a look came to, where it saw the device, and who else answers where it should be. */
export type Look = { readonly takenBy: string | null } & (
  | { readonly type: "seen"; readonly finding: Finding }
  | { readonly type: Exclude<Outcome, "seen"> }
);

/** What was found at some addresses, and what the neighbour table says now. */
interface Found {
  readonly finding: Finding | undefined;
  readonly takenBy: string | null;
  readonly elsewhere: readonly string[];
}

/**
 * Looks once whether a device is up, by the means that it is to be watched by. Never rejects.
 *
 * First where it should be; then, since DHCP may have moved it, where the neighbour table has its MAC address; then, where
 * its name ends in `.local`, by asking everybody for it.
 */
export async function lookAt(
  device: WatchedDevice,
  tools: LookTools,
  options: { readonly urgent: boolean },
): Promise<Look> {
  const means = await meansFor(device, tools);
  if (!means.icmp && !means.arp && means.tcpPorts.length === 0) return { type: "blind", takenBy: null };
  const confirmed = confirmedNow(means, tools.lan);
  if (confirmed) return { type: "seen", finding: confirmed, takenBy: null };
  const places = device.address === null ? [] : await tools.names.addressesOf(device.address, options);
  const look = (addresses: readonly string[]) => lookAtAddresses(means, addresses, tools, options.urgent);

  const first = await look(places ?? []);
  const { takenBy } = first;
  if (first.finding) return { type: "seen", finding: first.finding, takenBy };
  const others = first.elsewhere.filter((address) => !places?.includes(address));
  const second = others.length > 0 ? await look(others.slice(0, MAX_OTHER_ADDRESSES)) : undefined;
  const finding = second?.finding ?? (await byName(device, tools.lan));
  if (finding) return { type: "seen", finding, takenBy };
  // DHCP may have moved it; what is found is news of the neighbour table, and nobody waits here for that
  if (device.arp && tools.lan?.neighbours.isFollowing) void tools.lan.search.for(places?.[0] ?? null, options);
  const isBlind = others.length === 0 && (device.address === null || places === undefined);
  return { type: isBlind ? "blind" : "unseen", takenBy };
}

/** What of a device's settings works on this machine. */
async function meansFor(device: WatchedDevice, { lan }: LookTools): Promise<WatchedDevice> {
  const arp = device.arp && (lan?.neighbours.isFollowing === true || (await canSeeByArp()));
  return { ...device, icmp: device.icmp && (await canPing()), arp };
}

/** Most looks end here, and cost nothing: the system has talked with the machine a moment ago. */
function confirmedNow(device: WatchedDevice, lan: Lan | undefined): Finding | undefined {
  if (!device.arp || !lan?.neighbours.isFollowing) return undefined;
  const entry = lan.neighbours.withMac(device.mac).find(({ state }) => state === "confirmed");
  return entry && { how: "arp", address: entry.address, mac: device.mac };
}

async function lookAtAddresses(
  device: WatchedDevice,
  addresses: readonly string[],
  tools: LookTools,
  urgent: boolean,
): Promise<Found> {
  const { lan, neighbours } = tools;
  const onLan = lan && device.arp ? addresses.filter((address) => lan.knows(address)) : [];
  if (lan && onLan.length > 0) {
    await Promise.all(onLan.map((address) => settled(device, address, lan, urgent)));
    const found = foundAt(device, onLan, lan);
    if (found.finding) return found;
  }
  const open = addresses.filter((address) => !lan || !onLan.includes(address) || mayStillAnswer(device, address, lan));
  const answers = await Promise.all(open.map((address) => probe(device, address, tools, urgent)));
  // after the probes: they make the system ask for MAC addresses
  const table = lan?.neighbours.isFollowing ? tableOf(lan, device, addresses) : await neighbours.read();
  const unasked = onLan.filter((address) => !open.includes(address)).map((address) => ({ address, how: null }));
  const all = [...answers, ...unasked];
  return {
    finding: all.flatMap((answer) => findingFrom(device, answer, table) ?? [])[0],
    takenBy: all.map((answer) => otherMachineAt(device, answer, table)).find((mac) => mac !== null) ?? null,
    elsewhere: addressesOf(device.mac, table),
  };
}

/** Has the system find out who is at this address, which costs one datagram. */
async function settled(device: WatchedDevice, address: string, lan: Lan, urgent: boolean): Promise<void> {
  const isKnown = lan.neighbours.at(address).some(({ mac }) => mac === device.mac);
  const answer = lan.neighbours.answer(
    address,
    urgent ? URGENT_SETTLES_MS : isKnown ? KNOWN_SETTLES_MS : UNKNOWN_SETTLES_MS,
  );
  lan.nudger.nudge(address);
  await answer;
}

function foundAt(device: WatchedDevice, addresses: readonly string[], lan: Lan): Found {
  const table = tableOf(lan, device, addresses);
  const answers = addresses.map((address) => ({ address, how: null }));
  const finding = answers.flatMap((answer) => findingFrom(device, answer, table) ?? [])[0];
  return { finding, takenBy: null, elsewhere: [] };
}

/** An address that the system knows, or that it did not get to ask for, may answer something else than ARP; one that nobody has cannot. */
function mayStillAnswer(device: WatchedDevice, address: string, lan: Lan): boolean {
  return lan.neighbours.at(address).some(({ mac }) => mac === device.mac);
}

function tableOf(lan: Lan, device: WatchedDevice, addresses: readonly string[]): Neighbour[] {
  return [
    ...new Set([...addresses.flatMap((address) => lan.neighbours.at(address)), ...lan.neighbours.withMac(device.mac)]),
  ];
}

/** Asks one address by all means at once; the first answer ends the others. */
async function probe(device: WatchedDevice, address: string, tools: LookTools, urgent: boolean): Promise<Answer> {
  const { turns, lan } = tools;
  const ending = new AbortController();
  const { signal } = ending;
  const ask = async (how: "icmp" | "tcp", answers: () => Promise<boolean>) => {
    if (how === "icmp" && !urgent) await lan?.pings.turn();
    const answered = await turns.run(async () => !signal.aborted && (await answers()), { urgent });
    if (!answered) throw new Error(`no answer by ${how}`);
    return how;
  };
  const questions = [
    ...(device.icmp ? [ask("icmp", () => ping(address, signal))] : []),
    ...device.tcpPorts.map((port) => ask("tcp", () => acceptsConnection(address, port, signal))),
  ];
  if (questions.length === 0) await askForMac(address);
  const how = await Promise.any(questions).catch(() => null); // nobody answered
  ending.abort();
  return { address, how };
}

/** Makes the system look up the address in its neighbour table anew, by sending something there. */
async function askForMac(address: string): Promise<void> {
  const socket = createSocket(isIPv6(address) ? "udp6" : "udp4");
  socket.on("error", () => {}); // no route: then nothing will be in the table either
  socket.send(Buffer.alloc(1), DISCARD_PORT, address, () => socket.close());
  await sleep(ARP_ANSWER_MS);
}

/** The machine itself says that it has this name; a sleep proxy that speaks for it has another address. */
async function byName(device: WatchedDevice, lan: Lan | undefined): Promise<Finding | undefined> {
  if (!lan || device.address === null || !isLocalName(device.address)) return undefined;
  const answer = await lan.mdns.ask(device.address);
  if (!answer?.addresses.includes(answer.from)) return undefined;
  const { from } = answer;
  return findingFrom(device, { address: from, how: "mdns" }, lan.neighbours.at(from));
}
