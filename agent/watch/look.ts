import { createSocket } from "node:dgram";
import { isIPv6 } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { WatchedDevice } from "#contracts/order.ts";
import type { Names } from "./names.ts";
import { addressesOf, type Neighbour } from "./neighbours.rules.ts";
import { canSeeByArp, type NeighbourTable } from "./neighbour-table.ts";
import { canPing, ping } from "./ping.ts";
import { acceptsConnection } from "./tcp.ts";
import type { Turns } from "./turns.ts";
import { type Answer, type Finding, findingFrom, type Outcome } from "./verdict.rules.ts";

/** A machine that is asked for its MAC address answers within this long. */
const ARP_ANSWER_MS = 300;
/** The discard port, RFC 863: a datagram to it disturbs nobody. */
const DISCARD_PORT = 9;
const MAX_OTHER_ADDRESSES = 4;

export interface LookTools {
  readonly names: Names;
  readonly neighbours: NeighbourTable;
  readonly turns: Turns;
}

/** What a look came to, and where it saw the device. */
export type Look = { readonly type: "seen"; readonly finding: Finding } | { readonly type: Exclude<Outcome, "seen"> };

/**
 * Looks once whether a device is up, by the means that it is to be watched by. Never rejects.
 *
 * First where it should be; then, since DHCP may have moved it, where the neighbour table has its MAC address.
 */
export async function lookAt(
  device: WatchedDevice,
  tools: LookTools,
  options: { readonly urgent: boolean },
): Promise<Look> {
  const means = await meansFor(device);
  if (!means.icmp && !means.arp && means.tcpPorts.length === 0) return { type: "blind" };
  const places = device.address === null ? [] : await tools.names.addressesOf(device.address, options);
  const look = (addresses: readonly string[]) => lookAtAddresses(means, addresses, tools, options.urgent);

  const first = await look(places ?? []);
  if (first.finding) return { type: "seen", finding: first.finding };
  const others = addressesOf(device.mac, first.neighbours).filter((address) => !places?.includes(address));
  if (others.length === 0) return { type: device.address === null || places === undefined ? "blind" : "unseen" };
  const second = await look(others.slice(0, MAX_OTHER_ADDRESSES));
  return second.finding ? { type: "seen", finding: second.finding } : { type: "unseen" };
}

/** What of a device's settings works on this machine. */
async function meansFor(device: WatchedDevice): Promise<WatchedDevice> {
  return { ...device, icmp: device.icmp && (await canPing()), arp: device.arp && (await canSeeByArp()) };
}

async function lookAtAddresses(
  device: WatchedDevice,
  addresses: readonly string[],
  { neighbours, turns }: LookTools,
  urgent: boolean,
): Promise<{ finding: Finding | undefined; neighbours: readonly Neighbour[] }> {
  const answers = await Promise.all(addresses.map((address) => probe(device, address, turns, urgent)));
  const table = await neighbours.read(); // after the probes: they make the system ask for MAC addresses
  const findings = answers.flatMap((answer) => findingFrom(device, answer, table) ?? []);
  return { finding: findings[0], neighbours: table };
}

/** Asks one address by all means at once; the first answer ends the others. */
async function probe(device: WatchedDevice, address: string, turns: Turns, urgent: boolean): Promise<Answer> {
  const ending = new AbortController();
  const { signal } = ending;
  const ask = async (how: "icmp" | "tcp", answers: () => Promise<boolean>) => {
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
