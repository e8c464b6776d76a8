import type { WakeReceipt, ReceiptTarget, RefusalReason } from "#contracts/agent.ts";
import type { Key } from "#contracts/key.ts";
import { MAX_PACKET_BYTES } from "#contracts/limits.ts";
import type { WakeOrder, WakeTarget } from "#contracts/order.ts";

/** Leaves room for the topic and the properties of the packet. */
const MAX_RECEIPT_BYTES = MAX_PACKET_BYTES - 8 * 1024;

/** The targets of an order that this agent sends for: those that name it, and those that name nobody. */
export function targetsFor(agent: Key, order: WakeOrder): WakeTarget[] {
  return order.targets.filter(({ agents }) => agents.length === 0 || agents.includes(agent));
}

/** The receipt's line for a target of an order that was not obeyed. */
export function refusedTarget(target: WakeTarget, reason: RefusalReason): ReceiptTarget {
  return { device: target.device, outcome: "refused", reason, packets: 0, destinations: [] };
}

/**
 * A receipt that fits into one packet.
 *
 * Many targets with many destinations each do not: then each target tells of fewer destinations, failed ones first.
 * Outcomes and packet counts stay whole.
 */
export function fittingReceipt(receipt: WakeReceipt, maxBytes = MAX_RECEIPT_BYTES): WakeReceipt {
  const most = Math.max(0, ...receipt.targets.map(({ destinations }) => destinations.length));
  for (let keep = most; keep > 0; keep = Math.floor(keep / 2)) {
    const shortened = keep === most ? receipt : withDestinations(receipt, keep);
    if (Buffer.byteLength(JSON.stringify(shortened)) <= maxBytes) return shortened;
  }
  return withDestinations(receipt, 0);
}

function withDestinations(receipt: WakeReceipt, keep: number): WakeReceipt {
  return {
    ...receipt,
    targets: receipt.targets.map((target) => {
      const failed = target.destinations.filter(({ error }) => error !== null);
      const sent = target.destinations.filter(({ error }) => error === null);
      return { ...target, destinations: [...failed, ...sent].slice(0, keep) };
    }),
  };
}
