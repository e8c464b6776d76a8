import type { NetworkInterfaceInfo } from "node:os";
import { describe, expect, test } from "vitest";
import { broadcastAddress, isInNetwork, localAddresses } from "./networks.rules.ts";

describe("the directed broadcast address", () => {
  test.for([
    ["192.168.1.5", 24, "192.168.1.255"],
    ["192.168.1.5", 25, "192.168.1.127"],
    ["192.168.1.200", 25, "192.168.1.255"],
    ["10.20.30.40", 8, "10.255.255.255"],
    ["172.17.0.1", 16, "172.17.255.255"],
    ["10.1.2.3", 22, "10.1.3.255"],
    ["10.1.2.1", 30, "10.1.2.3"],
    ["200.1.2.3", 0, "255.255.255.255"],
    ["127.0.0.1", 8, "127.255.255.255"],
    ["10.1.2.0", 31, null],
    ["10.1.2.3", 32, null],
    ["fd00::2", 64, null],
  ] as const)("of %s/%i is %s", ([address, prefix, broadcast]) => {
    expect(broadcastAddress(address, prefix)).toBe(broadcast);
  });
});

describe("an address is in the network", () => {
  test.for([
    ["192.168.1.255", "192.168.1.5", 24, true],
    ["192.168.2.1", "192.168.1.5", 24, false],
    ["127.255.255.255", "127.0.0.1", 8, true],
    ["fd00::9", "fd00::2", 64, true],
    ["fd01::9", "fd00::2", 64, false],
    ["192.168.1.1", "fd00::2", 64, false],
  ] as const)("%s of %s/%i: %s", ([address, own, prefix, isIn]) => {
    const family = own.includes(":") ? 6 : 4;
    const local = {
      interface: "eth0",
      family,
      address: own,
      prefix,
      mac: null,
      internal: false,
      zone: "eth0",
    } as const;
    expect(isInNetwork(address, local)).toBe(isIn);
  });
});

describe("what the system tells of its interfaces", () => {
  const info: NetworkInterfaceInfo = {
    address: "192.168.1.5",
    netmask: "255.255.255.0",
    family: "IPv4",
    mac: "aa:bb:cc:dd:ee:ff",
    internal: false,
    cidr: "192.168.1.5/24",
  };

  test("is flattened, with several addresses of one interface kept apart", () => {
    const second = { ...info, address: "10.0.0.5", cidr: "10.0.0.5/8" };
    expect(localAddresses({ eth0: [info, second] }, "linux")).toMatchObject([
      { interface: "eth0", family: 4, address: "192.168.1.5", prefix: 24, mac: "aa:bb:cc:dd:ee:ff", zone: "eth0" },
      { interface: "eth0", family: 4, address: "10.0.0.5", prefix: 8 },
    ]);
  });

  test("has no MAC address where there is no Ethernet below", () => {
    const tunnel = { ...info, mac: "00:00:00:00:00:00" };
    expect(localAddresses({ wg0: [tunnel] }, "linux")[0]?.mac).toBeNull();
  });

  test("is left out where the netmask is not valid", () => {
    expect(localAddresses({ eth0: [{ ...info, cidr: null }] }, "linux")).toEqual([]);
  });

  test("names the zone of an IPv6 address by number on Windows", () => {
    const linkLocal: NetworkInterfaceInfo = {
      ...info,
      family: "IPv6",
      address: "fe80::1",
      cidr: "fe80::1/64",
      scopeid: 7,
    };
    expect(localAddresses({ Ethernet: [linkLocal] }, "win32")[0]?.zone).toBe("7");
    expect(localAddresses({ eth0: [linkLocal] }, "linux")[0]?.zone).toBe("eth0");
  });
});
