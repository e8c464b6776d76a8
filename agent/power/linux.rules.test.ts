import { describe, expect, test } from "vitest";
import { linuxAbility, type LinuxFacts, parseCan, parseCards, parseInhibitors, parseSessions } from "./linux.rules.ts";

describe("what logind answers", () => {
  test.for([
    ['s "yes"\n', "able"],
    ['s "inhibited"\n', "able"],
    ['s "inhibitor-blocked"\n', "able"],
    ['s "challenge"\n', "forbidden"],
    ['s "challenge-inhibitor-blocked"\n', "forbidden"],
    ['s "no"\n', "forbidden"],
    ['s "na"\n', "unable"],
    [undefined, "unable"],
  ] as const)("%j: %s", ([printed, meaning]) => {
    expect(parseCan(printed)).toBe(meaning);
  });
});

const ABLE = { shutdown: "able", sleep: "able", hibernate: "able", reboot: "able" } as const;
const FORBIDDEN = { shutdown: "forbidden", sleep: "forbidden", hibernate: "unable", reboot: "forbidden" } as const;
const UNABLE = { shutdown: "unable", sleep: "unable", hibernate: "unable", reboot: "unable" } as const;

describe("what a Linux can do", () => {
  const facts: LinuxFacts = { user: "pb", logind: undefined, isRoot: true, sleepStates: "", hasPowerOff: false };
  const all = ["shutdown", "sleep", "hibernate", "reboot"];
  test.for<[string, Partial<LinuxFacts>, readonly string[], RegExp | null]>([
    ["all that logind allows", { logind: ABLE, isRoot: false }, all, null],
    [
      "no sleep without a swap to hibernate to",
      { logind: { ...ABLE, hibernate: "unable" } },
      ["shutdown", "sleep", "reboot"],
      null,
    ],
    [
      "nothing where polkit asks for a password",
      { logind: FORBIDDEN, isRoot: false },
      [],
      /^The user pb, .* polkit rule$/,
    ],
    [
      "nothing where logind knows of nothing",
      { logind: UNABLE },
      [],
      /^logind says that this machine cannot be powered off$/,
    ],
    [
      "as root without logind, what the kernel and the init system can",
      { sleepStates: "freeze mem disk\n", hasPowerOff: true },
      all,
      null,
    ],
    ["no sleep where the kernel knows none", { sleepStates: "\n", hasPowerOff: true }, ["shutdown", "reboot"], null],
    ["nothing without logind and without root", { isRoot: false, hasPowerOff: true }, [], /does not run as root/],
    ["nothing where there is nothing to do it with", {}, [], /neither logind nor a command/],
  ])("%s", ([, changes, actions, problem]) => {
    const able = linuxAbility({ ...facts, ...changes });
    expect(able.actions).toEqual(actions);
    expect(able.problem ?? "none").toMatch(problem ?? /^none$/);
  });
});

// busctl --json=short call org.freedesktop.login1 /org/freedesktop/login1 org.freedesktop.login1.Manager ListInhibitors
const INHIBITORS = JSON.stringify({
  type: "a(ssssuu)",
  data: [
    [
      ["sleep", "ModemManager", "ModemManager needs to reset devices", "delay", 0, 812],
      ["shutdown:sleep", "dnf", "Upgrading packages", "block", 0, 4711],
      ["sleep", "rsync", "", "block-weak", 1000, 4712],
      ["handle-power-key:handle-lid-switch", "gnome", "handles the keys", "block", 1000, 1200],
    ],
  ],
});

describe("who asks logind to stay up", () => {
  test.for([
    ["for a shutdown", INHIBITORS, "shutdown", ["dnf: Upgrading packages"]],
    ["for a reboot", INHIBITORS, "reboot", ["dnf: Upgrading packages"]],
    ["for sleep", INHIBITORS, "sleep", ["dnf: Upgrading packages", "rsync"]],
    ["for hibernation", INHIBITORS, "hibernate", ["dnf: Upgrading packages", "rsync"]],
    ["as nobody does", '{"type":"a(ssssuu)","data":[[]]}', "shutdown", []],
    ["where it cannot be told", "busctl: unrecognized option '--json=short'", "shutdown", []],
    ["where nothing answers", undefined, "shutdown", []],
  ] as const)("%s", ([, printed, action, held]) => {
    expect(parseInhibitors(printed, action)).toEqual(held);
  });
});

const row = (...fields: unknown[]) => fields;
const sessions = (...rows: unknown[]) => JSON.stringify({ type: "a(susso)", data: [rows] });
const PATH = "/org/freedesktop/login1/session/_32";

describe("who is logged in", () => {
  test.for([
    [
      "one person twice and another",
      sessions(row("2", 1000, "ann", "seat0", PATH), row("5", 1000, "ann", "", PATH), row("7", 0, "root", "", PATH)),
      [1000, 0],
    ],
    ["nobody before the log-in screen", sessions(row("c1", 120, "gdm", "seat0", PATH)), []],
    [
      "nobody who only has services (ListSessionsEx)",
      sessions(row("3", 1000, "ann", "", 900, "manager", "", false, 0, PATH)),
      [],
    ],
    [
      "somebody at a terminal (ListSessionsEx)",
      sessions(row("2", 1000, "ann", "seat0", 901, "user", "tty2", false, 0, PATH)),
      [1000],
    ],
    ["nobody", sessions(), []],
    ["unknown", undefined, undefined],
    ["unknown, where an error was printed", "Call failed: Unknown method", undefined],
  ] as const)("%s", ([, printed, uids]) => {
    expect(parseSessions(printed)?.map(({ uid }) => uid)).toEqual(uids);
  });
});

test("the network cards are those with a MAC address; a bridge has no device of its own", () => {
  const printed = "br0 02:00:00:00:00:01 \neth0 02:00:00:00:00:01 device\nlo 00:00:00:00:00:00 \ntun0  \n";
  expect(parseCards(printed)).toEqual([
    { interface: "br0", mac: "02:00:00:00:00:01", isDevice: false },
    { interface: "eth0", mac: "02:00:00:00:00:01", isDevice: true },
  ]);
});
