import { MacAddress } from "#contracts/mac-address.ts";

const SYNCHRONISATION = Buffer.alloc(6, 0xff);
const REPETITIONS = 16;
const ADDRESS_BYTES = 6;
/** The most that one Ethernet frame carries; a larger datagram is no magic packet that a network card would take. */
const LONGEST_BYTES = 1_500;

/**
 * Whom a UDP payload wakes; null when it is no magic packet.
 *
 * As a network card looks for it: six 0xFF and sixteen times the same address, anywhere in the payload. What follows, such as a
 * SecureOn password, is of no concern. Addresses of groups, such as the broadcast address, belong to no machine.
 *
 * @see AMD, "Magic Packet Technology", publication 20213 rev. A, 1995
 */
export function wokenBy(payload: Buffer): MacAddress | null {
  if (payload.length > LONGEST_BYTES) return null;
  const last = payload.length - REPETITIONS * ADDRESS_BYTES;
  let first = 0;
  for (let at = payload.indexOf(SYNCHRONISATION); at !== -1; at = payload.indexOf(SYNCHRONISATION, first)) {
    // no address begins with 0xFF: that would be a group's. So a run of them is looked at once, where it ends
    for (first = at + SYNCHRONISATION.length; payload[first] === 0xff;) first++;
    if (first > last) return null;
    if (!isRepeated(payload, first)) continue;
    const mac = MacAddress.safeParse(payload.toString("hex", first, first + ADDRESS_BYTES));
    if (mac.success) return mac.data;
  }
  return null;
}

function isRepeated(payload: Buffer, first: number): boolean {
  // each octet equals the one an address further on
  const end = first + REPETITIONS * ADDRESS_BYTES;
  return payload.subarray(first, end - ADDRESS_BYTES).equals(payload.subarray(first + ADDRESS_BYTES, end));
}
