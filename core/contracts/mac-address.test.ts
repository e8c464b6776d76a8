import { describe, expect, test } from "vitest";
import { MacAddress, SecureOnPassword } from "./mac-address.ts";

describe("a MAC address", () => {
  test.each([
    ["aa:bb:cc:dd:ee:f0"],
    ["AA:BB:CC:DD:EE:F0"],
    ["aa-bb-cc-dd-ee-f0"],
    ["AABB.CCDD.EEF0"],
    ["aabbccddeef0"],
    ["  aa:bb:cc:dd:ee:f0\n"],
  ])("written as %j is kept in its canonical form", (notation) => {
    expect(MacAddress.parse(notation)).toBe("aa:bb:cc:dd:ee:f0");
  });

  test.each([
    ["five octets", "aa:bb:cc:dd:ee"],
    ["seven octets", "aa:bb:cc:dd:ee:f0:01"],
    ["two separators at once", "aa:bb-cc:dd-ee:f0"],
    ["dots between octets", "aa.bb.cc.dd.ee.f0"],
    ["colons between pairs of octets", "aabb:ccdd:eef0"],
    ["an octet of one digit", "a:bb:cc:dd:ee:f0"],
    ["letters beyond f", "ag:bb:cc:dd:ee:f0"],
    ["a separator at the end", "aa:bb:cc:dd:ee:f0:"],
    ["digits of another script", "aa:bb:cc:dd:ee:٠٠"],
  ])("with %s is refused", (_what, notation) => {
    expect(MacAddress.safeParse(notation).error?.issues[0]?.message).toBe(
      "is not a MAC address such as aa:bb:cc:dd:ee:ff",
    );
  });

  test.each([
    ["  ", "is empty"],
    ["00-00-00-00-00-00", "is the null MAC address"],
    ["ff:ff:ff:ff:ff:ff", "is a multicast or broadcast MAC address, no network card has it"],
    ["01:00:5e:00:00:01", "is a multicast or broadcast MAC address, no network card has it"],
    ["3333.0000.0001", "is a multicast or broadcast MAC address, no network card has it"],
  ])("that no network card has, %s, is refused with why", (notation, reason) => {
    expect(MacAddress.safeParse(notation).error?.issues[0]?.message).toBe(reason);
  });

  test.each([[null], [undefined], [0xaabbccddee], [["aa:bb:cc:dd:ee:f0"]]])("is text, not %j", (value) => {
    expect(MacAddress.safeParse(value).success).toBe(false);
  });

  test("may be locally administered", () => {
    expect(MacAddress.parse("02:00:00:00:00:01")).toBe("02:00:00:00:00:01");
  });
});

describe("a SecureOn password", () => {
  test("has the notation of a MAC address and any value", () => {
    expect(SecureOnPassword.parse("00-00-00-00-00-00")).toBe("00:00:00:00:00:00");
    expect(SecureOnPassword.parse("FFFFFFFFFFFF")).toBe("ff:ff:ff:ff:ff:ff");
  });

  test("of another form is refused", () => {
    expect(SecureOnPassword.safeParse("secret").error?.issues[0]?.message).toBe(
      "is not a SecureOn password such as 01:02:03:04:05:06",
    );
  });
});
