import { describe, expect, test } from "vitest";
import { type RefusalReason } from "#contracts/agent.ts";
import { MacAddress } from "#contracts/mac-address.ts";
import {
  type Circumstances,
  doubtsClock,
  isSuperseded,
  NewestWakes,
  type OrderClaims,
  refusalOf,
  SeenOrders,
} from "./orders.rules.ts";

const NOW_MS = 1_790_000_100_000;
const NOW = NOW_MS / 1000;
const TOPIC = "cluster/home/wake";

function order(changes: Partial<OrderClaims> = {}): OrderClaims {
  return { id: "one", aud: TOPIC, iat: NOW - 1, exp: NOW + 29, ...changes };
}

function circumstances(changes: Partial<Circumstances> = {}): Circumstances {
  return { topic: TOPIC, hubNowMs: NOW_MS, toldAtMs: NOW_MS - 60_000, seen: new SeenOrders(), ...changes };
}

describe("an order with a good signature", () => {
  test.for<[string, Partial<OrderClaims>, Partial<Circumstances>, string | undefined]>([
    ["is obeyed", {}, {}, undefined],
    ["is obeyed up to 2 s before its time", { iat: NOW + 1.9 }, {}, undefined],
    ["is refused before its time", { iat: NOW + 2.1, exp: NOW + 32 }, {}, "NOT_YET_VALID"],
    ["is refused when it has expired", { exp: NOW }, {}, "EXPIRED"],
    ["is refused when it is too old, whatever it says itself", { iat: NOW - 31, exp: NOW + 900 }, {}, "EXPIRED"],
    ["is refused when it is older than what the hub told of its time", {}, { toldAtMs: NOW_MS - 999 }, "EXPIRED"],
    ["is obeyed when it was issued with that answer", {}, { toldAtMs: NOW_MS - 1_000 }, undefined],
    ["is refused while the hub's time is unknown", {}, { hubNowMs: undefined }, "CLOCK_UNKNOWN"],
    ["is refused on another topic than its own", { aud: "cluster/office/wake" }, {}, "WRONG_AUDIENCE"],
    ["is refused on another topic first of all", { aud: "", exp: 0 }, { hubNowMs: undefined }, "WRONG_AUDIENCE"],
  ])("%s", ([, claims, when, refusal]) => {
    expect(refusalOf(order(claims), circumstances(when))).toBe(refusal);
  });

  test("is obeyed once", () => {
    const when = circumstances();
    expect([refusalOf(order(), when), refusalOf(order(), when)]).toEqual([undefined, "REPEATED"]);
  });

  test("can be obeyed after a copy of it was refused", () => {
    const when = circumstances();
    refusalOf(order(), { ...when, topic: "cluster/office/wake" });
    expect(refusalOf(order(), when)).toBeUndefined();
  });
});

describe("a refusal casts doubt on the hub's time as it is known", () => {
  test.for<[RefusalReason | undefined, boolean]>([
    ["NOT_YET_VALID", true],
    ["EXPIRED", true],
    ["CLOCK_UNKNOWN", true],
    ["WRONG_AUDIENCE", false],
    ["REPEATED", false],
    ["BUSY", false],
    [undefined, false],
  ])("%s: %s", ([refusal, expected]) => {
    expect(doubtsClock(refusal)).toBe(expected);
  });
});

describe("the memory for orders", () => {
  test("takes no more than it can hold, rather than forget one that could be repeated", () => {
    const when = circumstances({ seen: new SeenOrders(1) });
    refusalOf(order({ id: "one" }), when);
    expect(refusalOf(order({ id: "two" }), when)).toBe("BUSY");
    expect(refusalOf(order({ id: "one" }), when)).toBe("REPEATED");
  });

  test("has room again once the orders in it have expired", () => {
    const when = circumstances({ seen: new SeenOrders(1) });
    refusalOf(order({ id: "one" }), when);
    const later = { ...when, hubNowMs: NOW_MS + 40_000 };
    expect(refusalOf(order({ id: "two", iat: NOW + 39, exp: NOW + 69 }), later)).toBeUndefined();
  });
});

const OWN = MacAddress.parse("02:00:00:00:00:01");
const OTHER = MacAddress.parse("02:00:00:00:00:02");

describe("a power order of a second ago", () => {
  test.for<[string, number | undefined, boolean]>([
    ["stands when nobody woke the machine", undefined, false],
    ["stands when the machine was woken before", NOW_MS - 1_001, false],
    ["is superseded when it was woken since", NOW_MS - 999, true],
    ["is superseded when both were issued in one millisecond", NOW_MS - 1_000, true],
    ["is superseded when it was woken up to 2 s ahead", NOW_MS + 2_000, true],
    ["stands when that wake is of a time that the hub took back", NOW_MS + 3_600_000, false],
  ])("%s", ([, wokenAtMs, superseded]) => {
    expect(isSuperseded({ iat: NOW - 1 }, wokenAtMs, NOW_MS)).toBe(superseded);
  });
});

describe("the newest order to wake a machine", () => {
  test("is the newest however they come", () => {
    const wakes = new NewestWakes();
    for (const issuedAtMs of [NOW_MS - 10, NOW_MS, NOW_MS - 5]) wakes.note(OWN, issuedAtMs, NOW_MS);
    expect([wakes.of(OWN), wakes.of(OTHER)]).toEqual([NOW_MS, undefined]);
  });

  test("is not one of a time that the hub took back", () => {
    const wakes = new NewestWakes();
    wakes.note(OWN, NOW_MS + 3_600_000, NOW_MS + 3_600_000);
    wakes.note(OWN, NOW_MS, NOW_MS);
    expect(wakes.of(OWN)).toBe(NOW_MS);
  });

  test("is forgotten first for the machine that was woken first", () => {
    const wakes = new NewestWakes(1);
    wakes.note(OWN, NOW_MS);
    wakes.note(OTHER, NOW_MS);
    expect([wakes.of(OWN), wakes.of(OTHER)]).toEqual([undefined, NOW_MS]);
  });
});
