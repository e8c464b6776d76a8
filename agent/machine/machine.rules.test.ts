import { describe, expect, test } from "vitest";
import { type ContainerMarks, type SeenInterface, containerOf } from "./container.rules.ts";
import { parseEthtool } from "./ethtool.rules.ts";
import { parseHardwarePorts, parseIfconfig, parseWomp } from "./macos.rules.ts";
import { isVirtualModel } from "./virtual-machine.rules.ts";
import { parseWindows } from "./windows.rules.ts";

const ethtool = (...waking: string[]) => `Settings for enp3s0:
\tSupported ports: [ TP ]
\tSupported link modes:   10baseT/Half 10baseT/Full
\t                        1000baseT/Full
\tSpeed: 1000Mb/s
\tDuplex: Full
\tAuto-negotiation: on
\tMDI-X: off (auto)
${waking.map((line) => `\t${line}\n`).join("")}        Current message level: 0x00000007 (7)
                               drv probe link
\tLink detected: yes
`;

describe("what ethtool says of a card", () => {
  test.each([
    ["set to magic packets", ["Supports Wake-on: pumbg", "Wake-on: g"], true, false],
    ["set to more than that", ["Supports Wake-on: pumbg", "Wake-on: ubg"], true, false],
    ["set to magic packets with a password", ["Supports Wake-on: pumbgs", "Wake-on: s"], true, true],
    ["set to nothing", ["Supports Wake-on: pumbg", "Wake-on: d"], false, false],
    ["set to other packets", ["Supports Wake-on: pumbg", "Wake-on: pu"], false, false],
    ["that cannot wake", ["Supports Wake-on: d", "Wake-on: d"], false, false],
    ["to somebody who is not root", [], null, null],
  ])("%s", (_what, lines, armed, secureOn) => {
    expect(parseEthtool(ethtool(...lines))).toEqual({ armed, secureOn, link: true });
  });

  test("without a cable", () => {
    expect(parseEthtool("Settings for eth0:\n\tLink detected: no\n").link).toBe(false);
    expect(parseEthtool("Settings for eth0:\n\tLink detected: no (No cable)\n").link).toBe(false);
  });

  test("that is not there", () => {
    const told = parseEthtool("Settings for nope0:\nNo data available\n");
    expect(told).toEqual({ armed: null, secureOn: null, link: null });
  });
});

describe("a machine is a virtual one", () => {
  test.each([
    ["QEMU Standard PC (Q35 + ICH9, 2009)", true],
    ["VMware, Inc. VMware Virtual Platform", true],
    ["innotek GmbH VirtualBox", true],
    ["Microsoft Corporation Virtual Machine", true],
    ["Xen HVM domU", true],
    ["Parallels International GmbH. Parallels ARM Virtual Machine", true],
    ["Apple Inc. Apple Virtualization Generic Platform", true],
    ["linux,dummy-virt", true],
    ["Microsoft Corporation Surface Pro 7", false],
    ["LENOVO 20XW00CTGE", false],
    ["Dell Inc. OptiPlex 7090", false],
    ["Raspberry Pi 4 Model B Rev 1.4", false],
  ])("by the name %s: %s", (model, expected) => {
    expect(isVirtualModel(model)).toBe(expected);
  });
});

describe("a process runs", () => {
  const NO_MARKS: ContainerMarks = { hasMarkFile: false, cgroup: "0::/init.scope", variable: null };
  const docker = { ...NO_MARKS, hasMarkFile: true };
  const veth: SeenInterface = { name: "eth0", isPhysical: false, deviceType: null };
  const lo: SeenInterface = { ...veth, name: "lo" };
  const card: SeenInterface = { ...veth, name: "enp3s0", isPhysical: true };

  test.each<[string, ContainerMarks, SeenInterface[], ReturnType<typeof containerOf>]>([
    ["on a machine", NO_MARKS, [lo, card], null],
    ["in Docker's bridge", docker, [lo, veth], "bridge"],
    ["in Docker without a network", docker, [lo], "bridge"],
    [
      "in Docker with the host's network",
      docker,
      [lo, card, { ...veth, name: "docker0", deviceType: "bridge" }],
      "host-network",
    ],
    [
      "in Docker with the network of a host that is a container of LXC",
      docker,
      [lo, veth, { ...veth, name: "docker0" }],
      "host-network",
    ],
    ["in Docker with a macvlan", docker, [lo, { ...veth, deviceType: "macvlan" }], "host-network"],
    ["in Podman", { ...NO_MARKS, variable: "podman" }, [lo, veth], "bridge"],
    ["in Kubernetes", { ...NO_MARKS, cgroup: "11:memory:/kubepods/burstable/pod1/abc" }, [lo, veth], "bridge"],
    [
      "in Docker with the first version of cgroups",
      { ...NO_MARKS, cgroup: "4:cpu:/docker/0123" },
      [lo, veth],
      "bridge",
    ],
    ["in a container of LXC, which is a machine of its own", { ...NO_MARKS, variable: "lxc" }, [lo, veth], null],
    ["beside a host's Docker", NO_MARKS, [lo, card, { ...veth, name: "docker0" }], null],
  ])("%s", (_where, marks, interfaces, expected) => {
    expect(containerOf(marks, interfaces)).toBe(expected);
  });
});

const INTEL = {
  name: "Ethernet",
  description: "Intel(R) Ethernet Connection (7) I219-V",
  mac: "3C-EC-EF-11-22-33",
  status: "Up",
  medium: 14,
  virtual: false,
  magic: "Enabled",
};
const WINDOWS = {
  adapters: [INTEL],
  armed: ["HID Keyboard Device (001)", "Intel(R) Ethernet Connection (7) I219-V", ""],
  fastStartup: 1,
  hibernation: 1,
  model: "Dell Inc. OptiPlex 7090",
};
const windows = (change: object = {}) => parseWindows(JSON.stringify({ ...WINDOWS, ...change }));

describe("what PowerShell says", () => {
  test("of an armed card", () => {
    const card = {
      name: "Ethernet",
      mac: "3c:ec:ef:11:22:33",
      kind: "ethernet",
      link: true,
      armed: true,
      secureOn: null,
    };
    expect(windows()?.cards).toEqual([card]);
  });

  test.each([
    ["one that may not wake the machine", {}, ["HID Keyboard Device (001)"], { armed: false }],
    ["where nothing may", {}, ["NONE"], { armed: false }],
    ["where powercfg says nothing", {}, [], { armed: null }],
    ["one that does not know magic packets", { magic: "Unsupported" }, WINDOWS.armed, { armed: false }],
    ["one that is not to answer them", { magic: "Disabled" }, WINDOWS.armed, { armed: false }],
    ["one of two of a kind", {}, [`${INTEL.description} (002)`], { armed: true }],
    ["to somebody who is no administrator", { magic: null }, WINDOWS.armed, { armed: true }],
    ["one without a cable", { status: "Disconnected" }, WINDOWS.armed, { link: false }],
    ["one that is switched off", { status: "Disabled" }, WINDOWS.armed, { link: null }],
    ["a Wi-Fi card", { medium: 9 }, WINDOWS.armed, { kind: "wifi" }],
    ["a virtual switch", { medium: 0, virtual: true, magic: null }, WINDOWS.armed, { kind: "virtual", armed: null }],
    ["a Bluetooth card", { medium: 10, mac: "" }, WINDOWS.armed, { kind: "other", mac: null }],
  ])("of %s", (_what, adapter, armed, expected) => {
    expect(windows({ adapters: [{ ...INTEL, ...adapter }], armed })?.cards[0]).toMatchObject(expected);
  });

  test.each([
    ["on", 1, 1, true],
    ["off", 0, 1, false],
    ["without hibernation, which it needs", 1, 0, false],
    ["not told", null, null, null],
  ])("of fast start-up: %s", (_what, fastStartup, hibernation, expected) => {
    expect(windows({ fastStartup, hibernation })?.machine.fastStartup).toBe(expected);
  });

  test("of a virtual machine", () => {
    expect(windows({ model: "Microsoft Corporation Virtual Machine" })?.machine.virtual).toBe(true);
    expect(windows()?.machine.virtual).toBe(false);
    expect(windows({ model: " " })?.machine.virtual).toBeNull();
  });

  test.each(["", "Get-NetAdapter : not recognized", "[]", '{"adapters":[{"name":3}]}', '{"armed":"x"}'])(
    "that is something else: %j",
    (text) => {
      expect(parseWindows(text)).toBeUndefined();
    },
  );

  test("of which most is missing", () => {
    const machine = { container: null, virtual: null, fastStartup: null };
    expect(parseWindows("{}")).toEqual({ cards: [], machine });
  });
});

describe("what a Mac says", () => {
  const PORTS = `
Hardware Port: Ethernet
Device: en0
Ethernet Address: a8:20:66:11:22:33

Hardware Port: Wi-Fi
Device: en1
Ethernet Address: a8:20:66:44:55:66

Hardware Port: Thunderbolt Bridge
Device: bridge0
Ethernet Address: 82:0a:60:00:00:01

Hardware Port: USB 10/100/1000 LAN
Device: en7
Ethernet Address: 00:e0:4c:68:00:01

VLAN Configurations
===================
`;

  test("of its cards", () => {
    expect(parseHardwarePorts(PORTS)).toEqual([
      { name: "en0", mac: "a8:20:66:11:22:33", kind: "ethernet" },
      { name: "en1", mac: "a8:20:66:44:55:66", kind: "wifi" },
      { name: "bridge0", mac: "82:0a:60:00:00:01", kind: "virtual" },
      { name: "en7", mac: "00:e0:4c:68:00:01", kind: "ethernet" },
    ]);
    expect(parseHardwarePorts("networksetup: command not found")).toEqual([]);
  });

  test("of their cables", () => {
    const text = `lo0: flags=8049<UP,LOOPBACK,RUNNING,MULTICAST> mtu 16384
\tinet 127.0.0.1 netmask 0xff000000
en0: flags=8863<UP,BROADCAST,SMART,RUNNING,SIMPLEX,MULTICAST> mtu 1500
\tether a8:20:66:11:22:33
\tmedia: autoselect (none)
\tstatus: inactive
en1: flags=8863<UP,BROADCAST,SMART,RUNNING,SIMPLEX,MULTICAST> mtu 1500
\tether a8:20:66:44:55:66
\tstatus: active
`;
    expect(parseIfconfig(text)).toEqual(
      new Map([
        ["en0", false],
        ["en1", true],
      ]),
    );
  });

  test.each([
    [
      "that it wakes on mains",
      "Battery Power:\n womp                 0\nAC Power:\n sleep                1\n womp                 1\n",
      true,
    ],
    ["that it does not", "Battery Power:\n womp                 1\nAC Power:\n womp                 0\n", false],
    ["before a battery", "AC Power:\n womp                 1\nBattery Power:\n womp                 0\n", true],
    [
      "of a virtual one, which has no such thing",
      "AC Power:\n sleep                0\nBattery Power:\n womp      1\n",
      null,
    ],
    ["nothing", "", null],
  ])("%s", (_what, text, expected) => {
    expect(parseWomp(text)).toBe(expected);
  });
});
