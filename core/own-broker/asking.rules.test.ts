import { expect, test } from "vitest";
import type { MqttPermission } from "#contracts/principal.ts";
import { verbsFor } from "./asking.rules.ts";

const ALL: readonly MqttPermission[] = ["read", "wake", "power", "discovery"];

test.each([
  [[], true, []],
  [["read"], true, ["inventory", "plan", "doctor", "health"]],
  [["wake"], true, ["wake", "lease", "release"]],
  [["power"], true, []],
  [["wake", "power"], true, ["wake", "power", "lease", "release"]],
  [["discovery"], true, ["send-discovery"]],
  [ALL, true, ["inventory", "wake", "power", "lease", "release", "plan", "doctor", "send-discovery", "health"]],
  [["read", "wake", "power"], false, []],
  [ALL, false, ["send-discovery"]],
] as const)("with the permissions %j, of everything: %s, an integration may ask for %j", (permissions, all, verbs) => {
  expect(verbsFor(new Set<MqttPermission>(permissions), all)).toEqual(verbs);
});
