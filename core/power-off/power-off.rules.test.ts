import { describe, expect, test } from "vitest";
import { RefusalReason } from "#contracts/agent.ts";
import type { PowerOffAction } from "#contracts/power-action.ts";
import { ERROR_STATUS } from "../kernel/errors.ts";
import { type Ability, type WayDown, abilityOf } from "./power-ability.rules.ts";
import { type PowerOffPlanInput, endOfGrace, planPowerOff, refusalOf } from "./power-off.rules.ts";

const by = (way: WayDown["way"], ...actions: PowerOffAction[]): Ability => ({
  ways: actions.map((action) => ({ action, way, ready: true })),
  why: null,
});
const absent: Ability = { ways: [{ action: "shutdown", way: "agent", ready: false }], why: "nas-agent is offline" };
const nobody: Ability = { ways: [], why: "No agent runs on this machine" };

const plain: PowerOffPlanInput = {
  enabled: true,
  power: "on",
  isBeingWoken: false,
  action: "shutdown",
  force: false,
  ability: by("agent", "shutdown", "reboot"),
  armed: null,
  wakers: [{ key: "pi", online: true }],
  running: null,
  neededBy: null,
  leases: { count: 0, by: [] },
};
const leases = { count: 2, by: ["ann", "ha"] };
const away = [{ key: "pi", online: false }];
const ssh = { ability: by("ssh", "shutdown") };

describe("a request to power a device off", () => {
  test.each<[string, Partial<PowerOffPlanInput>, object]>([
    ["by its own agent", {}, { type: "run", way: "agent" }],
    ["by another way", ssh, { type: "run", way: "ssh" }],
    ["while it is not known whether it is on", { power: "unknown" }, { type: "run" }],
    ["while nobody can look", { power: "unreachable" }, { type: "run" }],
    ["that is disabled", { enabled: false, force: true }, { code: "DEVICE_DISABLED" }],
    ["that is off", { power: "off" }, { type: "already-off" }],
    ["that is off and insists", { power: "off", force: true }, { type: "already-off" }],
    ["that is off, by nobody", { power: "off", ability: nobody }, { type: "already-off" }],
    ["that nobody can take down", { ability: nobody }, { code: "NOT_SUPPORTED", reason: nobody.why }],
    [
      "in a way that it cannot",
      { action: "sleep" },
      { code: "NOT_SUPPORTED", reason: 'Nobody can do "sleep" on this machine, only shutdown, reboot' },
    ],
    ["whose agent is away", { ability: absent, force: true }, { code: "AGENT_OFFLINE", reason: absent.why }],
    ["that goes down already", { running: { action: "shutdown", by: "ben" } }, { type: "join" }],
    [
      "that goes down in another way",
      { running: { action: "sleep", by: "ben" }, force: true },
      { code: "CONFLICT", reason: "ben has asked for another power-off, sleep, which is under way" },
    ],
    ["that is being woken", { isBeingWoken: true, power: "waking" }, { code: "CONFLICT" }],
    ["that is being woken and seen off", { isBeingWoken: true, power: "off" }, { code: "CONFLICT" }],
    ["that is being woken, and insists", { isBeingWoken: true, power: "waking", force: true }, { type: "run" }],
    ["that others need", { neededBy: '"web" needs it' }, { code: "NEEDED_BY", reason: '"web" needs it' }],
    ["that others need, and insists", { neededBy: '"web" needs it', force: true }, { type: "run" }],
    ["that is held on", { leases }, { code: "LEASED", reason: "It is held on by ann, ha" }],
    ["that is held on, and insists", { leases, force: true }, { type: "run" }],
    ["that nobody could wake", { wakers: [] }, { code: "STRANDED" }],
    ["whose agents are away", { wakers: away }, { code: "STRANDED" }],
    ["that nobody could wake, and insists", { wakers: [], force: true }, { type: "run" }],
    ["that comes back by itself", { wakers: [], action: "reboot" }, { type: "run" }],
    ["whose card is not armed, by another way", { ...ssh, armed: false }, { code: "STRANDED" }],
    ["whose card is armed, by another way", { ...ssh, armed: true }, { type: "run" }],
    ["whose card its agent arms before", { armed: false }, { type: "run", way: "agent" }],
  ])("%s", (_what, input, plan) => {
    expect(planPowerOff({ ...plain, ...input })).toMatchObject(plan);
  });
});

const machine = { powerActions: ["shutdown", "sleep"] as PowerOffAction[], powerProblem: null };
const agent = { key: "nas", online: true, capabilities: ["power"], machine };
const plug = {
  type: "mqtt" as const,
  topic: "cmnd/plug/POWER",
  payloads: { shutdown: "OFF" },
  stateTopic: null,
  statePath: null,
  stateOn: "ON",
  stateOff: "OFF",
  wattsTopic: null,
  wattsPath: null,
  standbyWatts: null,
};

test.each<[string, Parameters<typeof abilityOf>[0], string[], RegExp]>([
  ["its agent", { agent, method: null }, ["shutdown agent", "sleep agent"], /^$/],
  ["its agent before the plug", { agent, method: plug }, ["shutdown agent", "sleep agent"], /^$/],
  ["the plug alone", { agent: undefined, method: plug }, ["shutdown mqtt"], /^$/],
  [
    "the plug while the agent is away",
    { agent: { ...agent, online: false }, method: plug },
    ["shutdown mqtt", "sleep agent (not now)"],
    /^$/,
  ],
  [
    "nobody while the agent is away",
    { agent: { ...agent, online: false }, method: null },
    ["shutdown agent (not now)", "sleep agent (not now)"],
    /nas, is offline/,
  ],
  ["nobody", { agent: undefined, method: null }, [], /install an agent on it, or set SSH/],
  [
    "nobody, as its agent says",
    { agent: { ...agent, machine: { powerActions: [], powerProblem: "it runs in a container" } }, method: null },
    [],
    /nas, cannot take it down: it runs in a container/,
  ],
  ["nobody: the agent is old", { agent: { ...agent, machine: null }, method: null }, [], /too old/],
  [
    "nobody: the agent does no power orders",
    { agent: { ...agent, capabilities: ["wake"] }, method: null },
    [],
    /cannot take it down/,
  ],
])("who takes a machine down: %s", (_what, input, ways, why) => {
  const ability = abilityOf(input);
  expect(ability.ways.map(({ action, way, ready }) => `${action} ${way}${ready ? "" : " (not now)"}`)).toEqual(ways);
  expect(ability.why ?? "").toMatch(why);
});

test.each([
  ["off", false, { stage: "off" }],
  ["on", true, { stage: "still-on" }],
  ["on", null, { stage: "failed", code: "NOT_SEEN" }],
  ["unreachable", null, { stage: "failed", code: "NOT_SEEN" }],
  ["unknown", null, { stage: "failed", code: "NOT_SEEN" }],
] as const)("a machine that is %s after its grace time, reachable: %s", (power, reachable, end) => {
  expect(endOfGrace(power, reachable)).toMatchObject(end);
});

test("every reason of an agent has a code of its own meaning, but for an order that came twice", () => {
  const codes = RefusalReason.options.map((reason) => [reason, refusalOf(reason, null)?.code] as const);
  for (const [reason, code] of codes)
    expect(code === undefined ? reason : code in ERROR_STATUS).toBe(code ? true : "REPEATED");
  expect(Object.fromEntries(codes)).toMatchObject({
    INHIBITED: "INHIBITED",
    NOT_ARMED: "STRANDED",
    NOT_ABLE: "NOT_SUPPORTED",
    EXPIRED: "AGENT_REFUSED",
  });
  expect(refusalOf("INHIBITED", "a backup runs")?.reason).toBe("a backup runs");
});
