import { expect, test } from "vitest";
import { MacAddress, SecureOnPassword } from "#contracts/mac-address.ts";
import { magicPacket } from "./magic-packet.ts";

const MAC = MacAddress.parse("AA-BB-CC-DD-EE-FF");

test("a magic packet is six 0xFF and the MAC address sixteen times", () => {
  expect(magicPacket(MAC, null).toString("hex")).toBe("ff".repeat(6) + "aabbccddeeff".repeat(16));
});

test("a SecureOn password follows the addresses", () => {
  const packet = magicPacket(MAC, SecureOnPassword.parse("00:00:00:00:00:01"));
  expect(packet).toHaveLength(108);
  expect(packet.subarray(102).toString("hex")).toBe("000000000001");
});
