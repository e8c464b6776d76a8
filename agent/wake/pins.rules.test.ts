import { describe, expect, test } from "vitest";
import { Key } from "#contracts/key.ts";
import { MacAddress } from "#contracts/mac-address.ts";
import type { WakeTarget } from "#contracts/order.ts";
import type { LocalAddress } from "./networks.rules.ts";
import { allowedPins, mayAdministerNetwork, parseEntries, pinsFor } from "./pins.rules.ts";

const mac = MacAddress.parse("02:00:00:00:00:01");
const lan: LocalAddress = {
  interface: "eth0",
  family: 4,
  address: "192.168.1.5",
  prefix: 24,
  mac: "02:00:00:00:00:99",
  internal: false,
  zone: "eth0",
};
const pin = { address: "192.168.1.30", mac, interface: "eth0" };

describe("a neighbour entry is asked for", () => {
  const target: WakeTarget = {
    device: Key.parse("nas"),
    mac,
    secureOn: null,
    agents: [],
    addresses: [],
    ports: [9, 7],
    reach: ["directed", "unicast"],
    unicast: "192.168.1.30",
  };

  test.each([
    ["once, whatever the ports", [target], [lan], [pin]],
    [
      "on each interface of its network",
      [target],
      [lan, { ...lan, interface: "wlan0" }],
      [pin, { ...pin, interface: "wlan0" }],
    ],
    [
      "not on the interfaces that are not meant",
      [{ ...target, interfaces: ["eth0"] }],
      [lan, { ...lan, interface: "wlan0" }],
      [pin],
    ],
    ["not where another network holds the address", [{ ...target, unicast: "10.0.0.1" }], [lan], []],
    ["not for a burst that goes to everybody", [{ ...target, reach: ["directed" as const] }], [lan], []],
    ["not where the device says where packets go", [{ ...target, addresses: ["192.168.1.255"] }], [lan], []],
    [
      "not on loopback, which has one entry for everything",
      [target],
      [{ ...lan, interface: "lo", internal: true, mac: null }],
      [],
    ],
    ["not in a tunnel", [target], [{ ...lan, interface: "wg0", mac: null }], []],
    ["not for this machine's own address", [{ ...target, unicast: "192.168.1.5" }], [lan], []],
    ["not on an interface whose name is none", [target], [{ ...lan, interface: "eth0\nlink del eth0" }], []],
  ])("%s", (_what, targets, local, pins) => {
    expect(pinsFor(targets, local)).toEqual(pins);
  });
});

describe("a neighbour entry may be pinned", () => {
  const entry = (state: string, changes = {}) => ({
    dst: pin.address,
    dev: "eth0",
    lladdr: mac,
    state: [state],
    ...changes,
  });

  test.each([
    ["where there is none", [], true],
    ["over one that nobody answered for", [entry("FAILED", { lladdr: undefined })], true],
    ["over its own old one", [entry("STALE")], true],
    ["not over that of another machine, however old", [entry("STALE", { lladdr: "02:00:00:00:00:77" })], false],
    ["beside that of another interface", [entry("REACHABLE", { dev: "eth1" })], true],
    ["not over a machine that answers there now", [entry("REACHABLE", { lladdr: "02:00:00:00:00:77" })], false],
    ["not over one that is just being asked", [entry("PROBE")], false],
    ["not over one that a person set", [entry("PERMANENT")], false],
  ])("%s", (_what, entries, allowed) => {
    expect(allowedPins([pin], parseEntries(JSON.stringify(entries)))).toEqual(allowed ? [pin] : []);
  });
});

describe("the right to pin", () => {
  const status = (effective: string, ambient: string) => `Name:\tnode\nCapEff:\t${effective}\nCapAmb:\t${ambient}\n`;
  const [all, none, admin] = ["000001ffffffffff", "0000000000000000", "0000000000001000"];

  test.each([
    ["is root's", status(all, none), true, true],
    ["is not root's in a container without it", status("00000000a80425fb", none), true, false],
    ["is a service's that hands it on", status(admin, admin), false, true],
    ["is not enough where `ip` does not inherit it", status(admin, none), false, false],
    ["is not there where nothing is told", "", true, false],
  ])("%s", (_what, text, isRoot, may) => {
    expect(mayAdministerNetwork(text, isRoot)).toBe(may);
  });
});
