import { describe, expect, test } from "vitest";
import { DeviceAddress, PacketAddress, Port } from "./address.ts";

describe("the address of a device", () => {
  test.each([
    ["192.168.1.5"],
    ["fe80::1"],
    ["2001:db8::ff"],
    ["nas"],
    ["nas.home.arpa"],
    ["nas.home.arpa."],
    ["my_printer.lan"],
    ["3com.example.org"],
    ["xn--bro-hoa.example"],
    ["a".repeat(63)],
  ])("may be %s", (address) => {
    expect(DeviceAddress.parse(address)).toBe(address);
  });

  test("loses spaces around it", () => {
    expect(DeviceAddress.parse(" nas.lan ")).toBe("nas.lan");
  });

  test.each([
    ["nothing", ""],
    ["an octet too large", "192.168.1.256"],
    ["three octets", "192.168.1"],
    ["a number", "42"],
    ["a port", "nas:80"],
    ["a scheme", "http://nas"],
    ["a path", "nas/x"],
    ["a space", "my nas"],
    ["an empty label", "nas..lan"],
    ["a dot in front", ".lan"],
    ["a label that begins with a hyphen", "-nas"],
    ["a label that ends with a hyphen", "nas-.lan"],
    ["a label of 64 characters", "a".repeat(64)],
    ["more than 253 characters", "a.".repeat(127) + "aa"],
    ["an address with a zone", "fe80::1%eth0"],
    ["a network", "192.168.1.0/24"],
    ["an option of a command", "-oProxyCommand=x"],
  ])("with %s is refused", (_what, address) => {
    expect(DeviceAddress.safeParse(address).success).toBe(false);
  });
});

describe("the address for a magic packet", () => {
  test.each([["192.168.1.255"], ["255.255.255.255"], ["ff02::1"]])("may be %s", (address) => {
    expect(PacketAddress.parse(address)).toBe(address);
  });

  test.each([["nas.lan"], [""], ["192.168.1.0/24"], ["1.2.3"]])("is no %j", (address) => {
    expect(PacketAddress.safeParse(address).success).toBe(false);
  });
});

describe("a port", () => {
  test.each([[1], [9], [65_535]])("may be %d", (port) => {
    expect(Port.parse(port)).toBe(port);
  });

  test.each([[0], [-1], [65_536], [9.5], ["9"], [Number.NaN], [null]])("is not %j", (port) => {
    expect(Port.safeParse(port).success).toBe(false);
  });
});
