import { expect, test } from "vitest";
import { scriptedRun } from "../fixtures/scripted-run.ts";
import { macosAbility, parseAssertions, parseWho, parseWomp } from "./macos.rules.ts";
import { MacosPower } from "./macos.ts";

const CAPABILITIES = "Capabilities for AC Power:\n displaysleep\n disksleep\n sleep\n womp\n powernap\n";

test.for([
  ["as root", CAPABILITIES, true, ["shutdown", "sleep", "reboot"], null],
  ["as another user", CAPABILITIES, false, ["sleep"], null],
  ["as root without sleep", "Capabilities for AC Power:\n displaysleep\n", true, ["shutdown", "reboot"], null],
  [
    "as another user where pmset says nothing",
    undefined,
    false,
    [],
    "The agent there does not run as root, so it may not shut down",
  ],
] as const)("what a Mac can do %s", ([, printed, isRoot, actions, problem]) => {
  expect(macosAbility(printed, isRoot)).toEqual({ actions, problem });
});

const ASSERTIONS = `2025-11-02 13:20:57 -0600
Assertion status system-wide:
   PreventSystemSleep             0
   PreventUserIdleSystemSleep     1
Listed by owning process:
   pid 98217(caffeinate): [0x00045477000194b3] 00:00:03 PreventUserIdleSystemSleep named: "caffeinate command-line tool"
	Details: caffeinate asserting for 1600 secs
   pid 145(WindowServer): [0x00044f2f00099212] 00:00:00 UserIsActive named: "com.apple.iohideventsystem.queue.tickle"
   pid 80(powerd): [0x00044f2f00019216] 00:22:34 PreventUserIdleSystemSleep named: "Powerd - Prevent sleep while display is on"
   pid 411(backupd): [0x00044f2f0001aaaa] 00:02:34 PreventSystemSleep named: "Time Machine backup in progress"
`;

test("programs that work hold a Mac up, a display that is on does not", () => {
  expect(parseAssertions(ASSERTIONS)).toEqual([
    "caffeinate: caffeinate command-line tool",
    "backupd: Time Machine backup in progress",
  ]);
  expect(parseAssertions(undefined)).toEqual([]);
});

test("people on a Mac count once each", () => {
  expect(
    parseWho("ann      console  Nov 21 09:00\nann      ttys000  Nov 21 09:01\nben      ttys001  Nov 21 10:00\n"),
  ).toBe(2);
  expect([parseWho(""), parseWho(undefined)]).toEqual([0, null]);
});

test.for([
  [" womp                 1\n", true],
  [" womp                 0\n", false],
  [" sleep                1\n", null],
  [undefined, null],
] as const)("a Mac that says %j is armed: %s", ([printed, armed]) => {
  expect(parseWomp(printed)).toBe(armed);
});

test("a Mac that does not wake on a magic packet is set to", async () => {
  const state = { womp: "0" };
  const power = new MacosPower(async (_file, args) => {
    if (args.join(" ") === "-a womp 1") state.womp = "1";
    return ` womp ${state.womp}\n`;
  });
  expect(await power.arm()).toBe(true);
});

test.for([
  ["shutdown", "shutdown -h now"],
  ["reboot", "shutdown -r now"],
  ["sleep", "pmset sleepnow"],
] as const)("a Mac goes down by %s with %s", async ([action, command]) => {
  const { run, ran } = scriptedRun({ shutdown: "", pmset: "" });
  await new MacosPower(run).goDown(action);
  expect(ran).toEqual([command]);
});
