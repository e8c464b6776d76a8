import { describe, expect, test } from "vitest";
import type { Need } from "#contracts/needs.ts";
import { findCircle, needsOfAll } from "./needs.rules.ts";

const need = (deviceId: string): Need => ({ deviceId, ready: { type: "on" } });

/** `home:pc>nas,switch` is a device of the cluster `home` that needs two others. */
function world(devices: readonly string[], clusters: Readonly<Record<string, readonly string[]>> = {}) {
  const rows = devices.map((text) => {
    const [, clusterId = "", id = "", , needs = ""] = /^(\w+):(\w+)(>(.*))?$/.exec(text) ?? [];
    return { id, clusterId, needs: needs === "" ? [] : needs.split(",").map(need) };
  });
  const all = needsOfAll(
    rows,
    Object.entries(clusters).map(([id, needs]) => ({ id, needs: needs.map(need) })),
  );
  return { all, told: Object.fromEntries([...all].map(([id, needs]) => [id, needs.map((one) => one.deviceId)])) };
}

describe("what a device needs", () => {
  test.each<[string, string[], Record<string, string[]>, object]>([
    ["nothing", ["a:pc"], {}, {}],
    ["its own", ["a:pc>nas", "a:nas"], {}, { pc: ["nas"] }],
    ["its cluster's, in whatever cluster that is", ["a:pc", "b:nas"], { a: ["nas"] }, { pc: ["nas"] }],
    ["both, each once", ["a:pc>nas", "b:nas", "b:dns"], { a: ["dns", "nas"] }, { pc: ["nas", "dns"] }],
    ["its cluster's, but not itself", ["a:pc", "a:nas"], { a: ["nas"] }, { pc: ["nas"] }],
    [
      "first its own",
      ["a:pc", "a:nas>hub", "a:hub>ups", "a:ups"],
      { a: ["nas"] },
      { pc: ["nas"], nas: ["hub"], hub: ["ups"] },
    ],
    ["what is there", ["a:pc>gone"], { a: ["gone"] }, {}],
  ])("is %s", (_what, devices, clusters, expected) => {
    expect(world(devices, clusters).told).toEqual(expected);
  });
});

describe("a circle", () => {
  test.each<[string, string[], Record<string, string[]>, string[] | undefined]>([
    ["of nobody", ["a:pc>nas,dns", "a:nas>dns", "a:dns"], {}, undefined],
    ["of two", ["a:pc>nas", "a:nas>pc"], {}, ["pc", "nas"]],
    ["of three, with one before it", ["a:x>a1", "a:a1>b1", "a:b1>c1", "a:c1>a1"], {}, ["a1", "b1", "c1"]],
    ["across clusters", ["a:pc", "b:nas"], { a: ["nas"], b: ["pc"] }, ["pc", "nas"]],
    ["of a cluster and its own member is none", ["a:pc", "a:nas>hub", "a:hub"], { a: ["nas"] }, undefined],
    ["by a device's own need of a member", ["b:nas>pc", "a:pc"], { a: ["nas"] }, undefined],
  ])("%s", (_what, devices, clusters, expected) => {
    expect(findCircle(world(devices, clusters).all)).toEqual(expected);
  });

  test("is looked for along chains of any length", () => {
    const chain = Array.from({ length: 20_000 }, (_, n) => [`d${n}`, [need(`d${n + 1}`)]] as const);
    expect(findCircle(new Map(chain))).toBeUndefined();
    expect(findCircle(new Map([...chain, ["d20000", [need("d0")]]]))).toHaveLength(20_001);
  });
});
