import { describe, expect, test } from "vitest";
import type { LocalAddress } from "./networks.rules.ts";
import { type Route, type RoutedTarget, routesTo } from "./routes.rules.ts";

function own(name: string, cidr: string, changes: Partial<LocalAddress> = {}): LocalAddress {
  const [address = "", prefix] = cidr.split("/");
  const family = address.includes(":") ? 6 : 4;
  return {
    interface: name,
    family,
    address,
    prefix: Number(prefix),
    mac: "aa:bb:cc:dd:ee:ff",
    internal: false,
    zone: name,
    ...changes,
  };
}

const loopback = own("lo", "127.0.0.1/8", { internal: true, mac: null });
const lan = own("eth0", "192.168.1.5/24");
const wifi = own("wlan0", "192.168.1.6/24");
const docker = own("docker0", "172.17.0.1/16");
const wireguard = own("wg0", "10.8.0.2/24", { mac: null });

/** `from → to on interface`, to read well in a table. */
function paths(routes: readonly Route[]): string[] {
  return routes.map((route) => `${route.from ?? "any"} → ${route.to} on ${route.interface ?? "any"}`);
}

describe("without addresses a target is broadcast", () => {
  test.for<[string, LocalAddress[], string[]]>([
    [
      "to the directed and the limited broadcast address, from the LAN's own address",
      [loopback, lan],
      ["192.168.1.5 → 192.168.1.255 on eth0", "192.168.1.5 → 255.255.255.255 on eth0"],
    ],
    [
      "from every interface, bridges of containers included",
      [lan, docker],
      [
        "192.168.1.5 → 192.168.1.255 on eth0",
        "172.17.0.1 → 172.17.255.255 on docker0",
        "192.168.1.5 → 255.255.255.255 on eth0",
        "172.17.0.1 → 255.255.255.255 on docker0",
      ],
    ],
    ["not into a VPN, which carries no Ethernet frames", [wireguard], []],
    [
      "not from an interface whose only network has one or two hosts",
      [own("ppp0", "10.0.0.1/32"), own("p2p", "10.0.0.4/31")],
      [],
    ],
    [
      "once to 255.255.255.255 from an interface with several addresses",
      [lan, own("eth0", "10.0.0.5/8"), own("eth0", "192.168.1.200/32")],
      [
        "192.168.1.5 → 192.168.1.255 on eth0",
        "10.0.0.5 → 10.255.255.255 on eth0",
        "192.168.1.5 → 255.255.255.255 on eth0",
      ],
    ],
    [
      "to all nodes of each link that has IPv6",
      [own("eth0", "fe80::1/64"), own("eth0", "fd00::2/64")],
      ["any → ff02::1 on eth0"],
    ],
  ])("%s", ([, local, expected]) => {
    expect(paths(routesTo({ addresses: [], ports: [9] }, local))).toEqual(expected);
  });
});

describe("with addresses a target's packets go there only", () => {
  test.for<[string, string, LocalAddress[], string[]]>([
    [
      "from the interface whose network holds the address",
      "192.168.1.255",
      [loopback, docker, lan],
      ["192.168.1.5 → 192.168.1.255 on eth0"],
    ],
    [
      "from each of them where several do",
      "192.168.1.255",
      [lan, wifi],
      ["192.168.1.5 → 192.168.1.255 on eth0", "192.168.1.6 → 192.168.1.255 on wlan0"],
    ],
    ["on loopback as well", "127.255.255.255", [loopback, lan], ["127.0.0.1 → 127.255.255.255 on lo"]],
    ["as the system chooses where none does", "203.0.113.9", [lan], ["any → 203.0.113.9 on any"]],
    ["as the system chooses for a far IPv6 address", "2001:db8::1", [lan], ["any → 2001:db8::1 on any"]],
    [
      "from every interface for 255.255.255.255",
      "255.255.255.255",
      [lan, docker],
      ["192.168.1.5 → 255.255.255.255 on eth0", "172.17.0.1 → 255.255.255.255 on docker0"],
    ],
    ["on every link for link-local multicast", "ff02::1", [own("eth0", "fe80::1/64")], ["any → ff02::1 on eth0"]],
  ])("%s", ([, address, local, expected]) => {
    expect(paths(routesTo({ addresses: [address], ports: [9] }, local))).toEqual(expected);
  });
});

describe("an order that names kinds of destination or interfaces", () => {
  const target = { addresses: [], ports: [9], unicast: "192.168.1.30" };
  const ipv6 = own("eth0", "fe80::1/64");

  test.for<[string, Partial<RoutedTarget>, LocalAddress[], string[]]>([
    [
      "is sent to these alone, in its order",
      { reach: ["limited", "directed"] },
      [lan, ipv6],
      ["192.168.1.5 → 255.255.255.255 on eth0", "192.168.1.5 → 192.168.1.255 on eth0"],
    ],
    [
      "is sent to the device's own address from its network",
      { reach: ["unicast"] },
      [lan, docker],
      ["192.168.1.5 → 192.168.1.30 on eth0"],
    ],
    [
      "is sent there as the system chooses from another network",
      { reach: ["unicast"] },
      [docker],
      ["any → 192.168.1.30 on any"],
    ],
    ["is sent nowhere where the address is not known", { reach: ["unicast"], unicast: null }, [lan], []],
    [
      "leaves by these interfaces alone",
      { reach: ["directed"], interfaces: ["eth0"] },
      [lan, docker],
      ["192.168.1.5 → 192.168.1.255 on eth0"],
    ],
    [
      "leaves by all where those are gone",
      { reach: ["directed"], interfaces: ["eth7"] },
      [lan],
      ["192.168.1.5 → 192.168.1.255 on eth0"],
    ],
    [
      "goes where the device says, all the same",
      { addresses: ["172.17.0.9"], reach: ["unicast"] },
      [lan, docker],
      ["172.17.0.1 → 172.17.0.9 on docker0"],
    ],
  ])("%s", ([, changes, local, expected]) => {
    expect(paths(routesTo({ ...target, ...changes }, local))).toEqual(expected);
  });
});

test("each port gets its own packet", () => {
  expect(routesTo({ addresses: ["192.168.1.255"], ports: [9, 7] }, [lan]).map(({ port }) => port)).toEqual([9, 7]);
});

test("a target has at most 256 destinations", () => {
  const many = Array.from({ length: 300 }, (_, index) => own(`eth${index}`, `10.${index % 250}.0.1/24`));
  expect(routesTo({ addresses: [], ports: [9, 7] }, many)).toHaveLength(256);
});
