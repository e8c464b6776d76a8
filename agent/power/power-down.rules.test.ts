import { describe, expect, test } from "vitest";
import { MacAddress } from "#contracts/mac-address.ts";
import {
  isCountedDown,
  objectionOf,
  warning,
  whyHeld,
  whyNotThisMachine,
  whyStranded,
  whyUnable,
} from "./power-down.rules.ts";

const OWN = MacAddress.parse("02:00:00:00:00:01");

test.for([
  ["one of its MAC addresses", false, true, undefined],
  ["another MAC address", false, false, "WRONG_MACHINE"],
  ["another MAC address when a person chose its agent", true, false, undefined],
] as const)("an order for %s is for this machine or not", ([, chosen, isOwn, code]) => {
  expect(whyNotThisMachine({ chosen, mac: OWN }, new Set(isOwn ? [OWN] : []))?.code).toBe(code);
});

test.for([
  ["can", { actions: ["sleep"], problem: null }, undefined],
  [
    "cannot do this",
    { actions: ["shutdown", "reboot"], problem: null },
    'This machine cannot do "sleep", only shutdown, reboot',
  ],
  ["can do nothing", { actions: [], problem: "It is a container" }, "It is a container"],
] as const)("a machine that %s is taken down accordingly", ([, ability, reason]) => {
  expect(whyUnable("sleep", ability)?.reason).toBe(reason);
});

describe("what holds a machine up", () => {
  test.for<[string, boolean, readonly string[], string | undefined]>([
    ["is nothing", false, [], undefined],
    ["does not when it is forced", true, ["a backup"], undefined],
    ["is named", false, ["a backup"], "It is held up by a backup"],
    ["is named up to three", false, ["a", "b", "c", "d", "e"], "It is held up by a; b; c and 2 more"],
    ["fits into a receipt", false, ["x".repeat(900)], `It is held up by ${"x".repeat(400)}`],
  ])("%s", ([, force, inhibitors, reason]) => {
    expect(whyHeld({ force }, inhibitors)?.reason).toBe(reason);
  });
});

describe("a machine would be stranded", () => {
  test.for([
    ["with a card that is not armed", { action: "shutdown", strand: false }, false, true],
    ["asleep with a card that is not armed", { action: "sleep", strand: false }, false, true],
    ["not with one that is", { action: "shutdown", strand: false }, true, false],
    ["not as far as is known", { action: "shutdown", strand: false }, null, false],
    ["not where that is wanted", { action: "shutdown", strand: true }, false, false],
    ["not by a reboot", { action: "reboot", strand: false }, false, false],
  ] as const)("%s", ([, order, armed, stranded]) => {
    expect(whyStranded(order, armed)?.code === "NOT_ARMED").toBe(stranded);
  });
});

test.for([
  [60, 2, true],
  [60, null, true],
  [60, 0, false],
  [0, 2, false],
] as const)("a countdown of %i s with %j people there: %s", ([countdownSeconds, users, counts]) => {
  expect(isCountedDown({ countdownSeconds }, users)).toBe(counts);
});

test("people read when it happens, and how to stop it", () => {
  expect(warning("sleep", 60)).toBe(
    "This machine goes to sleep in 60 seconds, as PowerBeacon was asked to. Not now? Run: powerbeacon-agent not-now",
  );
  expect(warning("reboot", 600)).toContain("restarts in 10 minutes");
});

test("every refusal has words", () => {
  expect(objectionOf("SUPERSEDED")).toEqual({ code: "SUPERSEDED", reason: "It was woken after that" });
  expect(objectionOf("REPEATED")).toEqual({ code: "REPEATED", reason: "REPEATED" });
});
