import { z } from "zod";

const CANONICAL = /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/;
const USUAL_NOTATIONS =
  /^(?:[0-9a-f]{12}|[0-9a-f]{2}([:-])(?:[0-9a-f]{2}\1){4}[0-9a-f]{2}|(?:[0-9a-f]{4}\.){2}[0-9a-f]{4})$/i;

/**
 * A MAC address (EUI-48) in its canonical form `aa:bb:cc:dd:ee:ff`.
 *
 * Accepts the usual notations: `AA-BB-CC-DD-EE-FF`, `aabb.ccdd.eeff`, `aabbccddeeff`.
 * Refuses the null address and multicast addresses (the group bit of the first octet): no network card has one of these.
 */
export const MacAddress = z
  .string()
  .trim()
  .min(1, { error: "is empty", abort: true })
  .regex(USUAL_NOTATIONS, "is not a MAC address such as aa:bb:cc:dd:ee:ff")
  .overwrite(canonical)
  .refine((mac) => mac !== "00:00:00:00:00:00", "is the null MAC address")
  .refine((mac) => !isMulticast(mac), "is a multicast or broadcast MAC address, no network card has it")
  .brand("MacAddress");
export type MacAddress = z.infer<typeof MacAddress>;

/** A SecureOn password: six octets in the notation of a MAC address, any value. */
export const SecureOnPassword = z
  .string()
  .trim()
  .regex(USUAL_NOTATIONS, "is not a SecureOn password such as 01:02:03:04:05:06")
  .overwrite(canonical)
  .brand("SecureOnPassword");
export type SecureOnPassword = z.infer<typeof SecureOnPassword>;

function canonical(notation: string): string {
  const lower = notation.toLowerCase();
  if (CANONICAL.test(lower)) return lower;
  return lower.replaceAll(/[^0-9a-f]/g, "").replaceAll(/(..)(?!$)/g, "$1:");
}

function isMulticast(mac: string): boolean {
  return (Number.parseInt(mac.slice(0, 2), 16) & 1) === 1;
}
