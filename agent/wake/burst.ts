import { setTimeout as sleep } from "node:timers/promises";
import type { PacketDestination, ReceiptTarget } from "#contracts/agent.ts";
import type { WakeOrder, WakeTarget } from "#contracts/order.ts";
import { magicPacket } from "./magic-packet.ts";
import type { LocalAddress } from "./networks.rules.ts";
import type { Pacer } from "./pacer.ts";
import type { PacketSender } from "./packet-sender.ts";
import { isUnicast, type Route, routesTo } from "./routes.rules.ts";

export interface BurstParts {
  readonly sender: PacketSender;
  readonly pacer: Pacer;
  readonly local: readonly LocalAddress[];
  /** Packets to a device's own address wait for this; it never fails. */
  readonly pinned?: Promise<unknown> | undefined;
}

interface Destination {
  readonly route: Route;
  sent: number;
  error: string | null;
}

/**
 * Sends a target its magic packets: `burst.packets` rounds to every destination, `burst.spacingMs` apart.
 *
 * Destinations do not wait for each other, and one that fails stops no other. `packets` counts what really left.
 */
export async function sendBurst(
  target: WakeTarget,
  burst: WakeOrder["burst"],
  parts: BurstParts,
): Promise<ReceiptTarget> {
  const packet = magicPacket(target.mac, target.secureOn);
  const destinations = routesTo(target, parts.local).map((route): Destination => ({ route, sent: 0, error: null }));
  const direct = destinations.filter(({ route }) => isUnicast(route, target));
  const broadcasts = direct.length === 0 ? destinations : destinations.filter((one) => !direct.includes(one));
  await Promise.all([
    sendRounds(packet, broadcasts, burst, parts),
    direct.length > 0 && sendWhenPinned(packet, direct, burst, parts),
  ]);
  const packets = destinations.reduce((sum, { sent }) => sum + sent, 0);
  return {
    device: target.device,
    outcome: packets > 0 ? "sent" : "failed",
    reason: packets > 0 ? null : failure(destinations[0]?.error),
    packets,
    destinations: destinations.map(({ route, sent, error }) => receiptOf(route, sent > 0 ? null : error)),
  };
}

async function sendWhenPinned(
  packet: Buffer,
  destinations: readonly Destination[],
  burst: WakeOrder["burst"],
  parts: BurstParts,
): Promise<void> {
  await parts.pinned;
  await sendRounds(packet, destinations, burst, parts);
}

async function sendRounds(
  packet: Buffer,
  destinations: readonly Destination[],
  burst: WakeOrder["burst"],
  { sender, pacer }: BurstParts,
): Promise<void> {
  for (let round = 0; round < burst.packets && destinations.length > 0; round += 1) {
    if (round > 0 && burst.spacingMs > 0) await sleep(burst.spacingMs);
    const turn = pacer.turn();
    if (turn) await turn;
    await Promise.all(
      destinations.map(async (destination) => {
        destination.error = await sender.send(packet, destination.route);
        if (destination.error === null) destination.sent += 1;
      }),
    );
  }
}

function receiptOf(route: Route, error: string | null): PacketDestination {
  return { address: route.to, port: route.port, interface: route.interface, error };
}

function failure(error: string | null | undefined): string {
  return error === undefined
    ? "This agent has no network interface that can broadcast"
    : `No packet could be sent: ${error ?? "unknown reason"}`;
}
