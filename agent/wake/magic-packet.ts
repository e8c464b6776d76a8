import type { MacAddress, SecureOnPassword } from "#contracts/mac-address.ts";

const SYNCHRONISATION = Buffer.alloc(6, 0xff);
const REPETITIONS = 16;

/**
 * The payload that wakes the network card with this MAC address.
 *
 * 102 bytes: six 0xFF, then the address sixteen times; 108 with a SecureOn password.
 * It names no port or target: the sender broadcasts it over UDP, by custom to port 9.
 * Cannot fail: `MacAddress` is already valid.
 *
 * @param secureOn SecureOn password, for cards that ask for one.
 * @see AMD, "Magic Packet Technology", publication 20213 rev. A, 1995
 */
export function magicPacket(mac: MacAddress, secureOn: SecureOnPassword | null): Buffer {
  const repeated = Array<Buffer>(REPETITIONS).fill(octets(mac));
  return Buffer.concat([SYNCHRONISATION, ...repeated, secureOn === null ? Buffer.alloc(0) : octets(secureOn)]);
}

function octets(notation: string): Buffer {
  return Buffer.from(notation.replaceAll(":", ""), "hex");
}
