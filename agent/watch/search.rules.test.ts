import { describe, expect, test } from "vitest";
import type { LocalAddress } from "../wake/networks.rules.ts";
import { addressesToSearch, isSearchDue } from "./search.rules.ts";

const at = (address: string, prefix: number, more: Partial<LocalAddress> = {}): LocalAddress => ({
  interface: "eth0",
  family: 4,
  address,
  prefix,
  mac: "02:00:00:00:00:01",
  internal: false,
  zone: "eth0",
  ...more,
});

describe("a machine that has moved is looked for", () => {
  test.each([
    [
      "in all of a small network, but not at this machine's own address",
      [at("10.0.0.5", 29)],
      null,
      "10.0.0.1",
      "10.0.0.6",
      5,
    ],
    ["in all of a /24", [at("192.168.1.5", 24)], "192.168.1.9", "192.168.1.1", "192.168.1.254", 253],
    ["in the part of a large network where it was", [at("10.1.0.5", 16)], "10.1.7.9", "10.1.7.1", "10.1.7.254", 254],
    [
      "in the part where this machine is, where nobody knows",
      [at("10.1.0.5", 16)],
      null,
      "10.1.0.1",
      "10.1.0.254",
      253,
    ],
    ["there too when it was in another network", [at("10.1.0.5", 16)], "172.16.0.9", "10.1.0.1", "10.1.0.254", 253],
  ])("%s", (_where, local, near, first, last, count) => {
    const found = addressesToSearch(local, near);
    expect([found.at(0), found.at(-1), found.length]).toEqual([first, last, count]);
  });

  test.each([
    ["loopback", at("127.0.0.1", 8, { internal: true })],
    ["tunnels", at("10.8.0.1", 24, { mac: null })],
    ["networks of two", at("10.8.0.1", 31)],
    ["IPv6, which is too large to be searched", at("fd00::1", 64, { family: 6 })],
  ])("not in %s", (_what, local) => {
    expect(addressesToSearch([local], null)).toEqual([]);
  });

  test.each([
    [Number.POSITIVE_INFINITY, false, true],
    [9_000, true, false],
    [11_000, true, true],
    [11_000, false, false],
    [301_000, false, true],
  ])("after %s ms, in a hurry: %s → %s", (sinceMs, urgent, due) => {
    expect(isSearchDue(sinceMs, { urgent })).toBe(due);
  });
});
