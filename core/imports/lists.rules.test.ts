import { describe, expect, test } from "vitest";
import { readDhcpd } from "./dhcpd.rules.ts";
import { readDnsmasq } from "./dnsmasq.rules.ts";
import { readEthers } from "./ethers.rules.ts";
import { type Reading, checked, isUsable } from "./found.rules.ts";

/** `line mac address name`, or `line ! what is wrong`. */
function summary({ found }: Reading): string[] {
  return found.map(checked).map((each) => {
    if (!isUsable(each)) return `${each.line} ! ${each.problem}`;
    const { mac, address } = each.fields;
    return `${each.line} ${mac} ${address ?? "-"} ${each.suggested.name}`;
  });
}

const NO_PAIR = "This is no MAC address with one name or IP address behind it.";
const NO_LEASE = "This is neither a lease of dnsmasq nor a dhcp-host line.";

describe("/etc/ethers", () => {
  test.each<[text: string, expected: string[]]>([
    ["", []],
    ["# remarks only\n\n", []],
    ["02:00:00:00:00:01 nas", ["1 02:00:00:00:00:01 nas nas"]],
    ["\uFEFF02:00:00:00:00:01\t192.168.1.20 # below the desk\r\n", ["1 02:00:00:00:00:01 192.168.1.20 192.168.1.20"]],
    ["8:0:20:1:A:3 old-sun", ["1 08:00:20:01:0a:03 old-sun old-sun"]],
    ["02-00-00-00-00-01 nas.lan", ["1 02:00:00:00:00:01 nas.lan nas.lan"]],
    ["# first\n02:00:00:00:00:01", [`2 ! ${NO_PAIR}`]],
    ["02:00:00:00:00:01 nas nas2", [`1 ! ${NO_PAIR}`]],
    ["02:00:00:00:00 nas", ["1 ! Its MAC address “02:00:00:00:00” is not a MAC address such as aa:bb:cc:dd:ee:ff."]],
    ["02:00:00:00:00:01 bad/name", ["1 ! Its address “bad/name” is neither an IP address nor a host name."]],
    [
      "zz nas/",
      ["1 ! Its MAC address “zz” is not a MAC address such as aa:bb:cc:dd:ee:ff. And 1 more of it is wrong."],
    ],
  ])("%j", (text, expected) => expect(summary(readEthers(text))).toEqual(expected));
});

describe("dnsmasq", () => {
  test.each<[text: string, expected: string[]]>([
    ["1795255200 02:00:00:00:00:01 192.168.1.20 nas 01:02:00:00:00:00:01", ["1 02:00:00:00:00:01 192.168.1.20 nas"]],
    ["0 02:00:00:00:00:01 192.168.1.20 * *", ["1 02:00:00:00:00:01 192.168.1.20 192.168.1.20"]],
    ["0 01-02:00:00:00:00:01 192.168.1.20 nas *", ["1 02:00:00:00:00:01 192.168.1.20 nas"]],
    [
      "0 02:00:00:00:00:01 192.168.1.20 nas *\nduid 00:01:00:01\n0 17 fd00::20 nas 00:01",
      ["1 02:00:00:00:00:01 192.168.1.20 nas"],
    ],
    ["domain-needed\ninterface = eth0\n# dhcp-host=02:00:00:00:00:01,nas", []],
    ["dhcp-host=02:00:00:00:00:01,nas,192.168.1.20,12h", ["1 02:00:00:00:00:01 192.168.1.20 nas"]],
    ["--dhcp-host = set:red,02:00:00:00:00:01,id:*,nas,infinite", ["1 02:00:00:00:00:01 nas nas"]],
    ["dhcp-host=02:00:00:00:00:01,[fd00::20],nas", ["1 02:00:00:00:00:01 fd00::20 nas"]],
    [
      "dhcp-host=02:00:00:00:00:01,02:00:00:00:00:02,192.168.1.20,laptop",
      ["1 02:00:00:00:00:01 192.168.1.20 laptop", "1 02:00:00:00:00:02 192.168.1.20 laptop"],
    ],
    ["dhcp-host=02:00:00:00:00:01,ignore", []],
    ["dhcp-host=id:client,nas", ["1 ! This dhcp-host line names no MAC address."]],
    [
      "dhcp-host=02:00:00:*:*:*,red",
      ["1 ! Its MAC address “02:00:00:*:*:*” is not a MAC address such as aa:bb:cc:dd:ee:ff."],
    ],
    ["what is this", [`1 ! ${NO_LEASE}`]],
    ["1795255200 02:00:00:00:00:01 nas", [`1 ! ${NO_LEASE}`]],
  ])("%j", (text, expected) => expect(summary(readDnsmasq(text))).toEqual(expected));

  test("says from where on its leases are of IPv6", () => {
    expect(readDnsmasq("duid 00:01\n0 17 fd00::20 nas 00:01").notes).toEqual([
      "From line 1 on stand leases of IPv6, which name no MAC address.",
    ]);
  });
});

const lease = (address: string, starts: string, more = "") =>
  `lease ${address} {\n  starts ${starts};\n  hardware ethernet 02:00:00:00:00:01;\n  ${more}\n}\n`;

describe("dhcpd", () => {
  test.each<[name: string, text: string, expected: string[]]>([
    ["nothing", "", []],
    [
      "a lease with all that dhcpd writes",
      `# The format of this file is documented in the dhcpd.leases(5) manual page.
server-duid "\\000\\001{}";

lease 192.168.1.20 {
  starts 6 2026/11/21 10:00:00;
  ends 6 2026/11/21 22:00:00;
  cltt 6 2026/11/21 10:00:00;
  binding state active;
  next binding state free;
  hardware ethernet 02:00:00:00:00:01;
  uid "\\001\\002};";
  client-hostname "my \\"nas\\" \\052";
}`,
      ['4 02:00:00:00:00:01 192.168.1.20 my "nas" *'],
    ],
    [
      "of two leases the newer, wherever it stands",
      lease("192.168.1.21", "6 2026/11/21 11:00:00") + lease("192.168.1.20", "6 2026/11/21 10:00:00"),
      ["1 02:00:00:00:00:01 192.168.1.21 192.168.1.21"],
    ],
    [
      "of two that began together the later",
      lease("192.168.1.20", "6 2026/11/21 10:00:00") + lease("192.168.1.21", "6 2026/11/21 10:00:00"),
      ["6 02:00:00:00:00:01 192.168.1.21 192.168.1.21"],
    ],
    [
      "seconds of the epoch with a remark behind them",
      lease("192.168.1.20", "epoch 1795255201; # Sat Nov 21") + lease("192.168.1.21", "epoch 1795255200"),
      ["1 02:00:00:00:00:01 192.168.1.20 192.168.1.20"],
    ],
    ["an abandoned lease", "lease 192.168.1.20 { starts 6 2026/11/21 10:00:00; binding state abandoned; }", []],
    ["hardware that is no Ethernet", "lease 192.168.1.20 { hardware token-ring 02:00:00:00:00:01; }", []],
    [
      "hosts of the configuration, before leases of theirs",
      `${lease("192.168.1.99", "6 2026/11/21 10:00:00")}subnet 192.168.1.0 netmask 255.255.255.0 {
  group { host nas { hardware ethernet 2:0:0:0:0:1; fixed-address 192.168.1.20, 192.168.2.20; } }
}`,
      ["7 02:00:00:00:00:01 192.168.1.20 nas"],
    ],
    ["a host that was deleted", "host nas { dynamic; deleted; hardware ethernet 02:00:00:00:00:01; }", []],
    ["braces that nobody closes or opens", "} } lease 192.168.1.20 { { { hardware ethernet", []],
  ])("%s", (_name, text, expected) => expect(summary(readDhcpd(text))).toEqual(expected));

  test("says that there is nothing in a text of something else", () => {
    expect(readDhcpd("hello").notes).toHaveLength(1);
  });
});
