import { describe, expect, test } from "vitest";
import type { Neighbour } from "./neighbours.rules.ts";
import {
  type Answer,
  type Outcome,
  findingFrom,
  firstLookInMs,
  nextLookInMs,
  nextVerdict,
  otherMachineAt,
  UNKNOWN,
  type Verdict,
} from "./verdict.rules.ts";

const OWN = "02:00:00:00:00:01";
const OTHER = "02:00:00:00:00:99";
const ADDRESS = "192.168.1.9";

function entry(mac: string | null, state: Neighbour["state"]): Neighbour {
  return { address: ADDRESS, mac, state };
}

describe("an address", () => {
  test.for<[string, Answer["how"], Neighbour[], { how: string; mac: string | null } | undefined]>([
    ["that answers a ping proves it, where there is no neighbour entry", "icmp", [], { how: "icmp", mac: null }],
    [
      "that answers a ping proves it, where the MAC address fits",
      "icmp",
      [entry(OWN, "live")],
      { how: "icmp", mac: OWN },
    ],
    ["that accepts a connection proves it", "tcp", [entry(OWN, "confirmed")], { how: "tcp", mac: OWN }],
    ["that another machine answers from proves nothing", "icmp", [entry(OTHER, "confirmed")], undefined],
    ["that another machine answers from proves nothing by TCP either", "tcp", [entry(OTHER, "live")], undefined],
    ["with another MAC address of unknown age proves nothing", "icmp", [entry(OTHER, "unknown")], undefined],
    [
      "with another MAC address from long ago does not contradict",
      "icmp",
      [entry(OTHER, "stale")],
      { how: "icmp", mac: null },
    ],
    [
      "whose MAC address was just confirmed proves it without an answer",
      null,
      [entry(OWN, "confirmed")],
      { how: "arp", mac: OWN },
    ],
    ["whose MAC address is only remembered proves nothing", null, [entry(OWN, "stale")], undefined],
    ["whose MAC address is being asked for proves nothing", null, [entry(OWN, "live")], undefined],
    ["whose MAC address is of unknown age proves nothing", null, [entry(OWN, "unknown")], undefined],
    ["that nobody answers from proves nothing", null, [entry(null, "unanswered")], undefined],
    [
      "that is known on two networks is judged by the one that fits",
      "icmp",
      [entry(OTHER, "live"), entry(OWN, "live")],
      { how: "icmp", mac: OWN },
    ],
  ])("%s", ([, how, neighbours, expected]) => {
    const finding = findingFrom({ mac: OWN, arp: true }, { address: ADDRESS, how }, neighbours);
    expect(finding).toEqual(expected && { ...expected, address: ADDRESS });
  });

  test("that was just confirmed proves nothing for a device that is not watched by ARP", () => {
    const answer = { address: ADDRESS, how: null };
    expect(findingFrom({ mac: OWN, arp: false }, answer, [entry(OWN, "confirmed")])).toBeUndefined();
  });
});

describe("another machine at an address", () => {
  test.for<[string, Answer["how"], Neighbour[], string | null]>([
    ["is who the system has just heard there", null, [entry(OTHER, "confirmed")], OTHER],
    ["is who answered a ping there", "icmp", [entry(OTHER, "live")], OTHER],
    ["is nobody who was there long ago", "icmp", [entry(OTHER, "stale")], null],
    ["is nobody where there was no answer", null, [entry(OTHER, "live")], null],
    ["is not the machine itself", "icmp", [entry(OTHER, "confirmed"), entry(OWN, "confirmed")], null],
    ["is nobody where nobody answers", null, [entry(null, "unanswered")], null],
  ])("%s", ([, how, neighbours, expected]) => {
    expect(otherMachineAt({ mac: OWN }, { address: ADDRESS, how }, neighbours)).toBe(expected);
  });
});

describe("a verdict", () => {
  test.for<[string, Outcome[], Verdict["state"]]>([
    ["is open before the first look", [], "unknown"],
    ["is up at the first evidence", ["seen"], "up"],
    ["stays open after two looks without evidence", ["unseen", "unseen"], "unknown"],
    ["is down after three looks without evidence", ["unseen", "unseen", "unseen"], "down"],
    ["survives two lost pings", ["seen", "unseen", "unseen"], "up"],
    ["turns down at the third lost ping", ["seen", "unseen", "unseen", "unseen"], "down"],
    ["counts only losses in a row", ["seen", "unseen", "unseen", "seen", "unseen", "unseen"], "up"],
    ["turns up again at once", ["unseen", "unseen", "unseen", "seen"], "up"],
    ["stays open while there is nothing to look at", ["blind", "blind", "blind", "blind"], "unknown"],
    ["turns down when a device that was up cannot be found any more", ["seen", "blind", "blind", "blind"], "down"],
    ["stays down when there is nothing to look at", ["unseen", "unseen", "unseen", "blind"], "down"],
  ])("%s", ([, looks, state]) => {
    expect(looks.reduce(nextVerdict, UNKNOWN).state).toBe(state);
  });
});

describe("the next look", () => {
  test.for<[string, Outcome[], boolean, number]>([
    ["comes after the interval when all is clear", ["seen"], false, 10_000],
    ["comes after the interval for a device that is down", ["unseen", "unseen", "unseen"], false, 10_000],
    ["comes soon while there is no verdict", ["unseen"], false, 1_000],
    ["comes soon when a device that was up did not answer", ["seen", "unseen"], false, 3_000],
    ["comes within a second after a wake", ["unseen", "unseen", "unseen"], true, 1_000],
    ["comes soon when the first had nothing to look at", ["blind", "blind"], false, 1_000],
    ["comes after the interval when three had nothing to look at", ["blind", "blind", "blind"], false, 10_000],
    [
      "comes within a second after a wake, though there was nothing to look at",
      ["blind", "blind", "blind"],
      true,
      1_000,
    ],
    ["comes soon when there is something to look at again", ["blind", "blind", "blind", "unseen"], false, 1_000],
  ])("%s", ([, looks, isAwaited, expected]) => {
    expect(nextLookInMs(looks.reduce(nextVerdict, UNKNOWN), 10_000, isAwaited, 0.5)).toBe(expected);
  });

  test("comes later and later for what stays off, down to a quarter as often, and at least every two minutes", () => {
    const pauses = (outcome: Outcome, intervalMs: number) => {
      let verdict: Verdict = UNKNOWN;
      return Array.from({ length: 9 }, () => {
        verdict = nextVerdict(verdict, outcome);
        return nextLookInMs(verdict, intervalMs, false, 0.5);
      }).slice(2);
    };
    expect(pauses("unseen", 10_000)).toEqual([10_000, 15_000, 22_500, 33_750, 40_000, 40_000, 40_000]);
    expect(pauses("blind", 10_000)).toEqual(pauses("unseen", 10_000));
    expect(pauses("unseen", 60_000).at(-1)).toBe(120_000);
    expect(pauses("unseen", 3_600_000).at(-1)).toBe(3_600_000);
  });

  test("comes at its usual time again once the device was seen", () => {
    const quiet = Array.from({ length: 9 }, (): Outcome => "unseen").reduce(nextVerdict, UNKNOWN);
    expect(nextLookInMs(nextVerdict(quiet, "seen"), 10_000, false, 0.5)).toBe(10_000);
    expect(nextLookInMs(quiet, 10_000, true, 0.5)).toBe(1_000);
  });

  test("is never later than the interval asks for, give or take a tenth", () => {
    const seen = nextVerdict(UNKNOWN, "seen");
    expect(nextLookInMs(seen, 1_000, false, 0.999)).toBeLessThan(1_100);
    expect(nextLookInMs(nextVerdict(seen, "unseen"), 1_000, false, 0)).toBe(1_000);
  });
});

test("the first looks at many devices are spread, at one device it comes at once", () => {
  expect(firstLookInMs(1, 10_000, 0.999)).toBeLessThan(20);
  expect(firstLookInMs(1_000, 10_000, 0.999)).toBeGreaterThan(9_000);
  expect(firstLookInMs(1_000, 10_000, 0.999)).toBeLessThan(10_000);
});
