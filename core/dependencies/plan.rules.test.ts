import { describe, expect, test } from "vitest";
import type { PowerState } from "#contracts/power.ts";
import { type PlanDevice, type PlannedStep, planOfOff, planOfWake } from "./plan.rules.ts";

const NO_AGENT = { code: "NO_AGENT", reason: "No agent is there" } as const;
const ALL_OFFLINE = { code: "ALL_OFFLINE", reason: "All are offline" } as const;
const FORBIDDEN = { code: "FORBIDDEN", reason: "you may not wake it" } as const;

/** `pc>nas,dns:53` needs two others, the second with a service; `!` before a word is a state other than `off`, or a refusal. */
function world(...texts: readonly string[]) {
  const devices = new Map<string, PlanDevice>();
  for (const text of texts) {
    const [told = "", ...marks] = text.split("!");
    const [id = "", needs = ""] = told.split(">");
    const power = marks.find((mark) => ["on", "waking", "stopping", "unknown", "unreachable"].includes(mark)) ?? "off";
    const refusal = marks.includes("NO_AGENT")
      ? NO_AGENT
      : marks.includes("ALL_OFFLINE")
        ? ALL_OFFLINE
        : marks.includes("FORBIDDEN")
          ? FORBIDDEN
          : null;
    devices.set(id, {
      id,
      key: id,
      clusterId: "home",
      needs: needs === "" ? [] : needs.split(",").map(needOf),
      power: power as PowerState, // found among them
      refusal,
    });
  }
  const dependentsOf = (id: string) =>
    [...devices.values()].filter(({ needs }) => needs.some((need) => need.deviceId === id)).map((device) => device.id);
  return { deviceOf: (id: string) => devices.get(id), dependentsOf };
}

function needOf(text: string) {
  const [deviceId = "", port] = text.split(":");
  return {
    deviceId,
    ready: port === undefined ? { type: "on" as const } : { type: "tcp" as const, port: Number(port) },
  };
}

const AT_ONCE = { force: false, paceOf: () => ({ staggerMs: 0, atOnce: null }) };

/** `1 pc go <nas` : its wave, its verdict and what it comes after; `+` = nobody asked for it. */
function told(steps: readonly PlannedStep[]): string[] {
  return steps.map(({ device, asked, verdict, refusal, after, wave }) =>
    [
      wave,
      `${asked ? "" : "+"}${device.key}`,
      refusal?.code ?? verdict,
      ...(after.length > 0 ? [`<${after.join(",")}`] : []),
    ].join(" "),
  );
}

describe("the plan of a wake", () => {
  test.each<[string, string[], string[], string[]]>([
    ["of one that needs nothing", ["pc"], ["pc"], ["0 pc go"]],
    ["of one that is on", ["pc>nas!on", "nas"], ["pc"], ["0 pc already"]],
    ["brings what is needed before", ["pc>nas", "nas"], ["pc"], ["0 +nas go", "1 pc go <nas"]],
    ["asks for each once", ["a>nas", "b>nas", "nas"], ["a", "nas", "b"], ["0 nas go", "1 a go <nas", "1 b go <nas"]],
    ["goes along chains", ["pc>vm", "vm>nas", "nas"], ["pc"], ["0 +nas go", "1 +vm go <nas", "2 pc go <vm"]],
    ["does not wait for what is on", ["pc>nas", "nas!on"], ["pc"], ["0 +nas already", "0 pc go"]],
    ["waits for the service of what is on", ["pc>nas:2049", "nas!on"], ["pc"], ["0 +nas already", "0 pc go <nas"]],
    ["joins what is waking", ["pc>nas", "nas!waking"], ["pc"], ["0 +nas go", "1 pc go <nas"]],
    ["wakes what nobody has seen", ["pc>nas", "nas!unknown"], ["pc"], ["0 +nas go", "1 pc go <nas"]],
    [
      "stops where a need cannot be had",
      ["pc>vm", "vm>nas", "nas!NO_AGENT", "tv"],
      ["pc", "tv"],
      ["0 +nas NO_AGENT", "0 +vm NEED_FAILED", "0 pc NEED_FAILED", "0 tv go"],
    ],
    [
      "is refused where a need is not the asker's",
      ["pc>nas", "nas!FORBIDDEN"],
      ["pc"],
      ["0 +nas FORBIDDEN", "0 pc FORBIDDEN"],
    ],
    ["is not where that one is on", ["pc>nas", "nas!FORBIDDEN!on"], ["pc"], ["0 +nas already", "0 pc go"]],
    ["does not bring what a refused one needs", ["pc>nas!NO_AGENT", "nas"], ["pc"], ["0 pc NO_AGENT"]],
    [
      "counts on an agent that comes up with a need",
      ["pc>nas!ALL_OFFLINE", "nas"],
      ["pc"],
      ["0 +nas go", "1 pc go <nas"],
    ],
    ["ends where everybody needs everybody", ["a>b", "b>c", "c>a"], ["a"], ["0 +c go", "1 +b go <c", "2 a go <b"]],
    ["leaves out who is not there", ["pc>gone"], ["pc", "nobody"], ["0 pc go"]],
  ])("%s", (_what, devices, asked, expected) => {
    expect(told(planOfWake(asked, world(...devices).deviceOf, AT_ONCE))).toEqual(expected);
  });

  test("names what failed, along the chain", () => {
    const { deviceOf } = world("pc>vm", "vm>nas", "nas!NO_AGENT");
    const reasons = planOfWake(["pc"], deviceOf, AT_ONCE).map(({ refusal }) => refusal?.reason);
    expect(reasons.slice(1)).toEqual([
      'It needs "nas": No agent is there',
      'It needs "vm", which needs "nas": No agent is there',
    ]);
  });

  test("that is forced wakes what is on, and so what that needs", () => {
    const { deviceOf } = world("pc>nas!on", "nas");
    expect(told(planOfWake(["pc"], deviceOf, { ...AT_ONCE, force: true }))).toEqual(["0 +nas go", "1 pc go <nas"]);
  });

  test("starts those who were asked for one after the other, and what they need at once", () => {
    const { deviceOf } = world("a>nas", "b!on", "c", "nas");
    const paceOf = () => ({ staggerMs: 500, atOnce: 2 });
    const starts = planOfWake(["a", "b", "c"], deviceOf, { force: false, paceOf }).map((step) => [
      step.device.key,
      step.startsAfterMs,
    ]);
    expect(starts).toEqual([
      ["nas", 0],
      ["b", null],
      ["c", 0],
      ["a", 500],
    ]);
  });
});

describe("the plan of a power-off", () => {
  test.each<[string, string[], string[], string[]]>([
    ["of one that nobody needs", ["pc!on>nas", "nas!on"], ["pc"], ["0 pc go"]],
    ["of one that is off", ["nas", "pc>nas!on"], ["nas"], ["0 nas already"]],
    ["takes the ground from nobody", ["pc>nas!on", "nas!on"], ["nas"], ["0 nas NEEDED_BY"]],
    ["nor from one that comes up", ["pc>nas!waking", "nas!on"], ["nas"], ["0 nas NEEDED_BY"]],
    ["does so where that one is off", ["pc>nas", "nas!on"], ["nas"], ["0 nas go"]],
    ["waits for one that goes down already", ["pc>nas!stopping", "nas!on"], ["nas"], ["0 nas go <pc"]],
    [
      "begins with who needs most",
      ["nas!on", "vm>nas!on", "pc>vm!on"],
      ["nas", "vm", "pc"],
      ["0 pc go", "1 vm go <pc", "2 nas go <vm"],
    ],
    [
      "leaves on what one needs that cannot go",
      ["nas!on", "dns!on", "pc>nas!on!NO_AGENT"],
      ["nas", "dns", "pc"],
      ["0 pc NO_AGENT", "0 nas NEEDED_BY", "0 dns go"],
    ],
    ["ends where everybody needs everybody", ["a>b!on", "b>a!on"], ["a", "b"], ["0 b NEEDED_BY", "0 a NEEDED_BY"]],
  ])("%s", (_what, devices, asked, expected) => {
    const { deviceOf, dependentsOf } = world(...devices.map((text) => text.replace(/^(\w+)!on>(.*)$/, "$1>$2!on")));
    expect(told(planOfOff(asked, deviceOf, { ...AT_ONCE, dependentsOf }))).toEqual(expected);
  });

  test("names who needs it", () => {
    const { deviceOf, dependentsOf } = world("nas!on", "a>nas!on", "b>nas!on", "c>nas!on", "d>nas!on", "e>nas!on");
    const [step] = planOfOff(["nas"], deviceOf, { ...AT_ONCE, dependentsOf });
    expect(step?.refusal?.reason).toBe('"a", "b", "c" and 2 more are on and need it');
  });

  test("that is forced keeps the order and nothing else", () => {
    const { deviceOf, dependentsOf } = world("nas!on", "pc>nas!on", "tv>nas!on");
    const steps = planOfOff(["nas", "pc"], deviceOf, { ...AT_ONCE, force: true, dependentsOf });
    expect(told(steps)).toEqual(["0 pc go", "1 nas go <pc"]);
  });
});

/** Xorshift: chance that is the same at each run. */
function chance(seed: number): () => number {
  let state = seed || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

/** Devices that need only those before them, so there is no circle; some are on, and some cannot be had. */
function randomWorld(next: () => number) {
  const texts = Array.from({ length: 2 + Math.floor(next() * 40) }, (_, n) => {
    const needs = Array.from({ length: n }, (_unused, before) => `d${before}`).filter(() => next() < 0.15);
    const mark = next() < 0.3 ? "!on" : next() < 0.1 ? "!NO_AGENT" : "";
    return `d${n}${needs.length > 0 ? `>${needs.join(",")}` : ""}${mark}`;
  });
  const asked = texts
    .map((_, n) => `d${n}`)
    .filter(() => next() < 0.4)
    .toSorted(() => next() - 0.5);
  return { asked, ...world(...texts) };
}

describe("whatever needs whatever", () => {
  test("in a wake every step comes after what it needs, and all that is asked for gets an answer", () => {
    for (let seed = 1; seed <= 300; seed++) {
      const { asked, deviceOf } = randomWorld(chance(seed));
      const steps = planOfWake(asked, deviceOf, AT_ONCE);
      const place = new Map(steps.map(({ device }, index) => [device.id, index]));
      expect(new Set(steps.filter((step) => step.asked).map(({ device }) => device.id))).toEqual(new Set(asked));
      expect(place.size).toBe(steps.length);
      const isOut = (id: string) => steps[place.get(id) ?? -1]?.verdict === "refused";
      const spoiled = steps.filter(({ refusal }) => refusal?.code === "NEED_FAILED");
      expect(spoiled.filter(({ device }) => !device.needs.some(({ deviceId }) => isOut(deviceId)))).toEqual([]);
      const wrong = steps.flatMap(({ device, verdict, after }, index) =>
        verdict !== "go"
          ? []
          : device.needs.flatMap(({ deviceId }) => {
              const before = steps[place.get(deviceId) ?? -1];
              const isFine =
                before?.verdict === "already" ||
                (before?.verdict === "go" && (place.get(deviceId) ?? index) < index && after.includes(deviceId));
              return isFine ? [] : [`${seed}: ${device.id} needs ${deviceId}`];
            }),
      );
      expect(wrong).toEqual([]);
    }
  });

  test("in a power-off nothing goes before who needs it, and nothing that is needed goes", () => {
    for (let seed = 1; seed <= 300; seed++) {
      const { asked, deviceOf, dependentsOf } = randomWorld(chance(seed));
      const steps = planOfOff(asked, deviceOf, { ...AT_ONCE, dependentsOf });
      const place = new Map(steps.map(({ device }, index) => [device.id, index]));
      const stays = (id: string) => deviceOf(id)?.power === "on" && steps[place.get(id) ?? -1]?.verdict !== "go";
      const held = steps.filter(({ refusal }) => refusal?.code === "NEEDED_BY");
      expect(held.filter(({ device }) => !dependentsOf(device.id).some(stays))).toEqual([]);
      const wrong = steps.flatMap(({ device, verdict }, index) =>
        verdict !== "go"
          ? []
          : dependentsOf(device.id).flatMap((id) => {
              const before = steps[place.get(id) ?? -1];
              const isFine =
                deviceOf(id)?.power !== "on" || (before?.verdict === "go" && (place.get(id) ?? index) < index);
              return isFine ? [] : [`${seed}: ${id} needs ${device.id}`];
            }),
      );
      expect(wrong).toEqual([]);
    }
  });

  test("a thousand devices in a chain and on one ground are planned at once", () => {
    const texts = Array.from({ length: 1_000 }, (_, n) => `d${n}>nas${n > 0 ? `,d${n - 1}` : ""}`);
    const { deviceOf } = world("nas", ...texts);
    const steps = planOfWake(
      texts.map((_, n) => `d${n}`),
      deviceOf,
      AT_ONCE,
    );
    expect(steps).toHaveLength(1_001);
    expect(steps.at(-1)).toMatchObject({ wave: 1_000, device: { key: "d999" } });
  });
});
