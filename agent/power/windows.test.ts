import { describe, expect, test } from "vitest";
import { scriptedRun } from "../fixtures/scripted-run.ts";
import { armScript, parseArmed, parseQueryUser, parseRequests, windowsActions } from "./windows.rules.ts";
import { WindowsPower } from "./windows.ts";

const DESKTOP = `The following sleep states are available on this system:\r
    Standby (S3)\r
    Hibernate\r
    Hybrid Sleep\r
    Fast Startup\r
\r
The following sleep states are not available on this system:\r
    Standby (S1)\r
        The system firmware does not support this standby state.\r
`;
const GERMAN_SERVER = `Die folgenden Standbymodusfunktionen sind auf diesem System nicht verfügbar:\r
    Standby (S1)\r
        Die Systemfirmware unterstützt diesen Standbystatus nicht.\r
`;
const MODERN = `The following sleep states are available on this system:\r
    Standby (S0 Low Power Idle) Network Connected\r
\r
The following sleep states are not available on this system:\r
    Standby (S3)\r
\tThis standby state is disabled when S0 low power idle is supported.\r
`;
const REGISTRY = `
HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Control\\Power
    HibernateEnabled    REG_DWORD    0x1
`;

describe("what a Windows can do", () => {
  test.for([
    ["a desktop that hibernates", DESKTOP, REGISTRY, ["shutdown", "sleep", "hibernate", "reboot"]],
    [
      "a desktop whose hibernation is switched off",
      DESKTOP,
      REGISTRY.replace("0x1", "0x0"),
      ["shutdown", "sleep", "reboot"],
    ],
    ["a tablet with modern standby", MODERN, undefined, ["shutdown", "sleep", "reboot"]],
    ["where powercfg says nothing", undefined, undefined, ["shutdown", "reboot"]],
  ] as const)("%s", ([, states, registry, actions]) => {
    expect(windowsActions(states, registry)).toEqual(actions);
  });

  test("a server in German that has no state to sleep in", () => {
    expect(windowsActions(GERMAN_SERVER, undefined)).toEqual(["shutdown", "reboot"]);
  });
});

const REQUESTS = `DISPLAY:\r
[PROCESS] \\Device\\HarddiskVolume3\\Program Files\\Browser\\browser.exe\r
Video Wake Lock\r
\r
SYSTEM:\r
[PROCESS] \\Device\\HarddiskVolume3\\Program Files\\Backup\\backup.exe\r
Copies the disk\r
[DRIVER] Realtek High Definition Audio (HDAUDIO\\FUNC_01)\r
An audio stream is currently in use.\r
\r
AWAYMODE:\r
None.\r
\r
EXECUTION:\r
Keine.\r
\r
PERFBOOST:\r
[PROCESS] \\Device\\x\\game.exe\r
`;

test("programs that work hold a Windows up, those that only show something do not", () => {
  expect(parseRequests(REQUESTS)).toEqual([
    "backup.exe: Copies the disk",
    "Realtek High Definition Audio: An audio stream is currently in use.",
  ]);
  expect([parseRequests(undefined), parseRequests("Access is denied")]).toEqual([[], []]);
});

test("people on a Windows count once each; Windows Home cannot say", () => {
  const printed = ` USERNAME   SESSIONNAME  ID  STATE\r\n>ann        console       1  Active\r\n ben        rdp-tcp#0     2  Active\r\n ann        rdp-tcp#1     3  Disc\r\n`;
  expect(parseQueryUser(printed)).toBe(2);
  expect(parseQueryUser(undefined)).toBeNull();
});

test.for([
  ["Enabled\r\n", true],
  ["Disabled\r\n", false],
  ["Unsupported\r\n", false],
  ["", null],
  [undefined, null],
] as const)("the network card of a Windows that says %j is armed: %s", ([printed, armed]) => {
  expect(parseArmed(printed)).toBe(armed);
});

test("the network card is found by its MAC address in the notation of Windows", () => {
  expect(armScript("02:00:00:00:ab:01")).toContain("MacAddress -eq '02-00-00-00-AB-01'");
});

test.for([
  ["shutdown", false, "shutdown.exe /s /t 0"],
  ["shutdown", true, "shutdown.exe /s /t 0 /f"],
  ["reboot", false, "shutdown.exe /r /t 0"],
  ["hibernate", false, "shutdown.exe /h"],
  ["sleep", false, "powershell.exe -NoProfile -NonInteractive -Command Add-Type"],
] as const)("a Windows goes down by %s (forced: %s) with %s", async ([action, force, command]) => {
  const { run, ran } = scriptedRun({ "shutdown.exe": "", "powershell.exe": "" });
  await new WindowsPower(run).goDown(action, { force });
  expect(ran[0]?.slice(0, command.length)).toBe(command);
  expect(ran).toHaveLength(1);
});
