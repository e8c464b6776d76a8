import { z } from "zod";

const HOST_NAME = /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?)*\.?$/i;
const ONLY_DIGITS_AND_DOTS = /^[\d.]+$/;

/** Where a device may answer: an IPv4 address, an IPv6 address or a host name. */
export const DeviceAddress = z
  .string()
  .trim()
  .max(253)
  .refine(
    (address) => isIpAddress(address) || (HOST_NAME.test(address) && !ONLY_DIGITS_AND_DOTS.test(address)),
    "is neither an IP address nor a host name",
  );
export type DeviceAddress = z.infer<typeof DeviceAddress>;

/** Where a magic packet goes: an IPv4 or IPv6 address, mostly a broadcast address such as `192.168.1.255`. */
export const PacketAddress = z.string().trim().max(45).refine(isIpAddress, "is not an IPv4 or IPv6 address");

/** A UDP or TCP port. */
export const Port = z.int().min(1).max(65_535);

function isIpAddress(address: string): boolean {
  return z.union([z.ipv4(), z.ipv6()]).safeParse(address).success;
}
