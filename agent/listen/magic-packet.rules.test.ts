import { describe, expect, test } from "vitest";
import { MacAddress, SecureOnPassword } from "#contracts/mac-address.ts";
import { magicPacket } from "../wake/magic-packet.ts";
import { wokenBy } from "./magic-packet.rules.ts";

const MAC = MacAddress.parse("fe:ff:ff:ff:ff:ff");
const NAS = MacAddress.parse("02:00:00:00:00:01");
const packet = magicPacket(NAS, null);
const ff = (count: number) => Buffer.alloc(count, 0xff);

describe("a payload wakes", () => {
  test.each([
    ["the machine whose address it repeats", packet, NAS],
    ["it with a SecureOn password as well", magicPacket(NAS, SecureOnPassword.parse("01:02:03:04:05:06")), NAS],
    ["it wherever the packet stands", Buffer.concat([Buffer.from("wake up: "), packet, Buffer.from("!")]), NAS],
    ["it after more 0xFF than needed", Buffer.concat([ff(7), packet]), NAS],
    ["a machine whose address ends in 0xFF", magicPacket(MAC, null), MAC],
    ["nobody when it is cut off", packet.subarray(0, 101), null],
    ["nobody when one repetition differs", Buffer.concat([packet.subarray(0, 96), Buffer.alloc(6, 1)]), null],
    ["nobody with the null address", Buffer.concat([ff(6), Buffer.alloc(96)]), null],
    ["nobody with the broadcast address", ff(200), null],
    ["nobody with the address of a group", Buffer.concat([ff(6), Buffer.alloc(96, 0x01)]), null],
    ["nobody when it is empty", Buffer.alloc(0), null],
    ["nobody when it is longer than a frame", Buffer.concat([packet, Buffer.alloc(1_500)]), null],
  ])("%s", (_what, payload, woken) => {
    expect(wokenBy(payload)).toBe(woken);
  });

  test("nobody with a whole frame of 0xFF, which takes no longer to see than any other", () => {
    const frame = ff(1_500);
    for (let count = 0; count < 10_000; count++) if (wokenBy(frame) !== null) throw new Error("it wakes somebody");
    expect(wokenBy(Buffer.concat([ff(1_398), packet]))).toBe(NAS);
  });
});
