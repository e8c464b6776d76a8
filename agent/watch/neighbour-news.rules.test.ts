import { describe, expect, test } from "vitest";
import { type Meaning, meaningOf } from "./neighbour-news.rules.ts";
import { type Neighbour, parseMonitorLine } from "./neighbours.rules.ts";

const OWN = "02:00:00:00:00:01";
const OTHER = "02:00:00:00:00:99";
const ADDRESS = "192.168.1.9";

const entry = (mac: string | null, state: Neighbour["state"]): Neighbour => ({ address: ADDRESS, mac, state });
const nobody = entry(null, "unanswered");

describe("a line of the monitor", () => {
  test.for<[string, string, ReturnType<typeof parseMonitorLine>]>([
    [
      "tells of an answer",
      `${ADDRESS} dev eth0 lladdr ${OWN} REACHABLE `,
      { address: ADDRESS, device: "eth0", entry: entry(OWN, "confirmed") },
    ],
    [
      "tells that nobody answered",
      `${ADDRESS} dev eth0 FAILED`,
      { address: ADDRESS, device: "eth0", entry: entry(null, "unanswered") },
    ],
    [
      "tells of a router",
      `fe80::1 dev eth0 lladdr 02:AA:00:00:00:01 router STALE`,
      { address: "fe80::1", device: "eth0", entry: { address: "fe80::1", mac: "02:aa:00:00:00:01", state: "stale" } },
    ],
    [
      "tells that an entry is gone",
      `Deleted ${ADDRESS} dev eth0 lladdr ${OWN} REACHABLE`,
      { address: ADDRESS, device: "eth0", entry: null },
    ],
    [
      "tells nothing of an entry that somebody pinned",
      `${ADDRESS} dev eth0 lladdr ${OWN} NOARP`,
      { address: ADDRESS, device: "eth0", entry: null },
    ],
    ["may be of no use", "Timestamp: Sat Nov 21 21:34:41 2026 751790 usec", undefined],
    ["may be empty", "", undefined],
  ])("%s", ([, line, expected]) => {
    expect(parseMonitorLine(line)).toEqual(expected);
  });
});

describe("a change of the neighbour table", () => {
  test.for<[string, Neighbour | undefined, Neighbour | undefined, { arp?: boolean; isUp?: boolean }, Meaning]>([
    ["to an answer means that it is here", nobody, entry(OWN, "confirmed"), {}, "here"],
    ["to its first ARP after nobody had answered means that it is here", nobody, entry(OWN, "stale"), {}, "here"],
    ["to its first ARP of all means that it is here", undefined, entry(OWN, "stale"), {}, "here"],
    ["to its ARP from another's address means that it is here", entry(OTHER, "stale"), entry(OWN, "stale"), {}, "here"],
    ["to an answer is worth a look where ARP is no evidence", nobody, entry(OWN, "confirmed"), { arp: false }, "look"],
    ["of an answer that has grown old proves nothing", entry(OWN, "confirmed"), entry(OWN, "stale"), {}, "nothing"],
    [
      "of an answer that has grown old puts one that is up in doubt",
      entry(OWN, "confirmed"),
      entry(OWN, "stale"),
      { isUp: true },
      "in-doubt",
    ],
    ["to no answer is worth a look at one that is up", entry(OWN, "live"), nobody, { isUp: true }, "look"],
    ["to no answer is nothing new of one that is off", nobody, nobody, {}, "nothing"],
    ["to another machine is worth a look", nobody, entry(OTHER, "confirmed"), {}, "look"],
    [
      "of another machine that is known is nothing new",
      entry(OTHER, "confirmed"),
      entry(OTHER, "confirmed"),
      {},
      "nothing",
    ],
    ["that is cleared away is nothing", entry(OWN, "stale"), undefined, { isUp: true }, "nothing"],
  ])("%s", ([, before, after, machine, expected]) => {
    const change = { address: ADDRESS, before, after };
    expect(meaningOf(change, { mac: OWN, arp: true, isUp: false, isAwaited: false, ...machine })).toBe(expected);
  });
});

test("a machine that somebody waits for is asked for again as soon as the system has given up", () => {
  const change = { address: ADDRESS, before: nobody, after: nobody };
  const machine = { mac: OWN, arp: true, isUp: false };
  expect(meaningOf(change, { ...machine, isAwaited: true })).toBe("in-doubt");
  expect(meaningOf(change, { ...machine, isAwaited: false })).toBe("nothing");
});
