import type { NetworkInterfaceInfo } from "node:os";
import { expect, test } from "vitest";
import { pageAddress } from "./page-address.rules.ts";

const at = (address: string, internal = false) =>
  ({ address, family: address.includes(":") ? "IPv6" : "IPv4", internal }) as NetworkInterfaceInfo;

const home = { lo: [at("127.0.0.1", true), at("::1", true)], eth0: [at("fe80::1"), at("2001:db8::5"), at("10.0.0.5")] };
const six = { lo: home.lo, eth0: [at("fe80::1"), at("2001:db8::5")] };
const none = { lo: home.lo, eth0: [at("fe80::1"), at("169.254.3.4")] };

test.each([
  ["the public address", "https://power.example.org", "0.0.0.0", 8080, home, "https://power.example.org"],
  ["the public address with a path", "https://example.org/power/", "127.0.0.1", 0, none, "https://example.org/power"],
  ["the machine's first address", null, "0.0.0.0", 8080, home, "http://10.0.0.5:8080"],
  ["the machine's first address, of IPv6", null, "::", 8080, six, "http://[2001:db8::5]:8080"],
  ["the one address that the hub listens on", null, "10.0.0.9", 80, home, "http://10.0.0.9:80"],
  ["nothing where there is only loopback", null, "0.0.0.0", 8080, none, null],
  ["nothing where the hub listens on loopback", null, "127.0.0.1", 8080, home, null],
  ["nothing where the port is not known", null, "0.0.0.0", 0, home, null],
])("people find the page at %s", (_what, publicUrl, host, port, interfaces, expected) => {
  expect(pageAddress({ publicUrl, host, port }, interfaces)).toBe(expected);
});
