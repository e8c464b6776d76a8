import { describe, expect, test } from "vitest";
import { addressesOf, parseArpCommand, parseIpNeighbours, parseProcArp } from "./neighbours.rules.ts";

describe("the neighbour table", () => {
  test("is read from ip -json neigh, with its states", () => {
    const json = `[
      {"dst":"192.168.1.1","dev":"eth0","lladdr":"AA:BB:CC:DD:EE:01","router":null,"state":["REACHABLE"]},
      {"dst":"192.168.1.2","dev":"eth0","lladdr":"aa:bb:cc:dd:ee:02","state":["STALE"]},
      {"dst":"192.168.1.3","dev":"eth0","lladdr":"aa:bb:cc:dd:ee:03","state":["DELAY"]},
      {"dst":"192.168.1.4","dev":"eth0","state":["FAILED"]},
      {"dst":"fe80::1","dev":"eth0","lladdr":"aa:bb:cc:dd:ee:05","state":["PROBE"]},
      {"dst":"224.0.0.1","dev":"lo","lladdr":"00:00:00:00:00:00","state":["NOARP"]}]`;
    expect(parseIpNeighbours(json)).toEqual([
      { address: "192.168.1.1", mac: "aa:bb:cc:dd:ee:01", state: "confirmed" },
      { address: "192.168.1.2", mac: "aa:bb:cc:dd:ee:02", state: "stale" },
      { address: "192.168.1.3", mac: "aa:bb:cc:dd:ee:03", state: "live" },
      { address: "192.168.1.4", mac: null, state: "unanswered" },
      { address: "fe80::1", mac: "aa:bb:cc:dd:ee:05", state: "live" },
    ]);
  });

  test("is empty where ip prints nothing", () => {
    expect(parseIpNeighbours("")).toEqual([]);
    expect(parseIpNeighbours("[ ]\n")).toEqual([]);
  });

  test("is read from /proc/net/arp, which tells no states", () => {
    const text = [
      "IP address       HW type     Flags       HW address            Mask     Device",
      "192.168.1.1      0x1         0x2         aa:bb:cc:dd:ee:01     *        eth0",
      "192.168.1.4      0x1         0x0         00:00:00:00:00:00     *        eth0",
      "",
    ].join("\n");
    expect(parseProcArp(text)).toEqual([
      { address: "192.168.1.1", mac: "aa:bb:cc:dd:ee:01", state: "unknown" },
      { address: "192.168.1.4", mac: null, state: "unanswered" },
    ]);
  });

  test("is read from arp -a of macOS", () => {
    const text =
      "? (192.168.1.1) at 0:1b:2c:d:e:f on en0 ifscope [ethernet]\n? (192.168.1.4) at (incomplete) on en0 [ethernet]\n";
    expect(parseArpCommand(text)).toEqual([{ address: "192.168.1.1", mac: "00:1b:2c:0d:0e:0f", state: "unknown" }]);
  });

  test("is read from arp -a of Windows", () => {
    const text =
      "\r\nInterface: 192.168.1.5 --- 0x7\r\n  Internet Address      Physical Address      Type\r\n  192.168.1.1           00-1B-2C-0D-0E-0F     dynamic\r\n";
    expect(parseArpCommand(text)).toEqual([{ address: "192.168.1.1", mac: "00:1b:2c:0d:0e:0f", state: "unknown" }]);
  });

  test("tells where a MAC address is, the surest place first", () => {
    const mac = "aa:bb:cc:dd:ee:01";
    const neighbours = [
      { address: "192.168.1.7", mac, state: "stale" },
      { address: "192.168.1.8", mac, state: "confirmed" },
      { address: "192.168.1.9", mac: "aa:bb:cc:dd:ee:02", state: "confirmed" },
    ] as const;
    expect(addressesOf(mac, neighbours)).toEqual(["192.168.1.8", "192.168.1.7"]);
  });
});
