import { networkInterfaces } from "node:os";
import { describe, expect, test } from "vitest";
import { scriptedRun } from "../fixtures/scripted-run.ts";
import { LinuxPower } from "./linux.ts";
import { runHere } from "./run.ts";
import { thisMachine } from "./this-machine.ts";

const ASK = "busctl --system call org.freedesktop.login1 /org/freedesktop/login1 org.freedesktop.login1.Manager";
const LOGIND = {
  [`${ASK} CanPowerOff`]: 's "yes"\n',
  [`${ASK} CanSuspend`]: 's "yes"\n',
  [`${ASK} CanHibernate`]: 's "na"\n',
  [`${ASK} CanReboot`]: 's "yes"\n',
};
const CARDS = {
  "sh -c for i in /sys/class/net/*":
    "br0 02:00:00:00:00:01 \neth0 02:00:00:00:00:01 device\nwlan0 02:00:00:00:00:02 device\n",
};

describe("a Linux with logind", () => {
  test("can do what logind says", async () => {
    const power = new LinuxPower(scriptedRun(LOGIND).run);
    expect(await power.able()).toEqual({ actions: ["shutdown", "sleep", "reboot"], problem: null });
  });

  test.for([
    ["shutdown", false, "systemctl --no-ask-password poweroff"],
    ["sleep", false, "systemctl --no-ask-password suspend"],
    ["hibernate", true, "systemctl --no-ask-password --ignore-inhibitors hibernate"],
    ["reboot", true, "systemctl --no-ask-password --ignore-inhibitors reboot"],
  ] as const)("goes down by %s (forced: %s) with %s", async ([action, force, command]) => {
    const { run, ran } = scriptedRun({ ...LOGIND, [`${ASK} CanHibernate`]: 's "yes"', systemctl: "" });
    await new LinuxPower(run).goDown(action, { force });
    expect(ran.at(-1)).toBe(command);
  });

  test("says in systemctl's words why it does not go down", async () => {
    const words = "Call to PowerOff failed: Interactive authentication required.";
    const { run } = scriptedRun({ ...LOGIND, systemctl: new Error(words) });
    await expect(new LinuxPower(run).goDown("shutdown", { force: false })).rejects.toThrow(words);
  });

  test("counts its people once each, with an older logind, too", async () => {
    const answer = '{"type":"a(susso)","data":[[["2",1000,"ann","seat0","/x"],["3",1000,"ann","","/y"]]]}';
    const { run } = scriptedRun({ [ASK.replace("call", "--json=short call") + " ListSessions"]: answer });
    expect(await new LinuxPower(run).users()).toBe(1);
  });
});

describe("a Linux without logind", () => {
  test.for([
    ["shutdown", "poweroff"],
    ["reboot", "reboot"],
    ["sleep", "sh -c echo mem > /sys/power/state"],
    ["hibernate", "sh -c echo disk > /sys/power/state"],
  ] as const)("goes down by %s with %s", async ([action, command]) => {
    const { run, ran } = scriptedRun({ poweroff: "", reboot: "", sh: "" });
    await new LinuxPower(run).goDown(action, { force: false });
    expect(ran.at(-1)).toBe(command);
  });

  test("cannot say who is logged in or what holds it up", async () => {
    const power = new LinuxPower(scriptedRun({}).run);
    expect([await power.users(), await power.inhibitors("shutdown")]).toEqual([null, []]);
    await power.tell("Nobody hears this");
  });
});

describe("the network card of a Linux", () => {
  const MAC = "02:00:00:00:00:01";
  const OFF = "Supports Wake-on: pumbg\n\tWake-on: d\n";
  const ON = "Supports Wake-on: pumbg\n\tWake-on: g\n";

  /** A card that is set as ethtool sets it, where it can be. */
  function card(before: string, after: string) {
    const state = { now: before };
    const ran: string[] = [];
    const run = async (file: string, args: readonly string[]) => {
      const line = [file, ...args].join(" ");
      if (line.startsWith("sh -c for i in")) return CARDS["sh -c for i in /sys/class/net/*"];
      ran.push(line);
      if (line === "ethtool -s eth0 wol g") state.now = after;
      return state.now;
    };
    return { power: new LinuxPower(run), ran };
  }

  test("is left alone when it is armed", async () => {
    const { power, ran } = card(ON, ON);
    expect(await power.arm(MAC)).toBe(true);
    expect(ran).toEqual(["ethtool eth0"]);
  });

  test("is armed when it is not, and not the bridge that has its MAC address", async () => {
    const { power, ran } = card(OFF, ON);
    expect(await power.arm(MAC)).toBe(true);
    expect(ran).toEqual(["ethtool eth0", "ethtool -s eth0 wol g", "ethtool eth0"]);
  });

  test("is not armed where ethtool could not arm it", async () => {
    expect(await card(OFF, OFF).power.arm(MAC)).toBe(false);
  });

  test.for([
    ["enabled\n", true],
    ["disabled\n", false],
    ["\n", null],
  ] as const)("is, where ethtool does not say, as the kernel has it: %j", async ([wakeup, armed]) => {
    const { run } = scriptedRun({ ...CARDS, "cat /sys/class/net/eth0/device/power/wakeup": wakeup });
    expect(await new LinuxPower(run).arm(MAC)).toBe(armed);
  });

  test("is unknown where it knows no such thing, without ethtool, and for a MAC address that is not there", async () => {
    expect(await card("Link detected: yes\n", "").power.arm(MAC)).toBeNull();
    expect(await new LinuxPower(scriptedRun(CARDS).run).arm(MAC)).toBeNull();
    expect(await card(ON, ON).power.arm("02:00:00:00:00:77")).toBeNull();
  });
});

test("the machine that this runs on has the MAC addresses that its system says", async () => {
  const own = Object.values(networkInterfaces()).flatMap((all) => all ?? []);
  const shown = own.filter(({ internal }) => !internal).map(({ mac }) => mac);
  const macs = await (await thisMachine()).ownMacs();
  expect(shown.filter((mac) => !macs.has(mac))).toEqual([]);
});

test("a command that fails tells so in its own words, one that hangs is ended", async () => {
  await expect(runHere("sh", ["-c", "echo not allowed >&2; exit 1"])).rejects.toThrow("not allowed");
  await expect(runHere("sleep", ["60"], { withinMs: 100 })).rejects.toThrow("sleep did not end within 0.1 s");
  expect(await runHere("sh", ["-c", "echo $LC_ALL"])).toBe("C\n");
});
