import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type LinuxOptions, readLinux, readLinuxArmed } from "./linux.ts";

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "pb-linux-"));
});

afterEach(() => {
  rmSync(root, { recursive: true });
});

function write(files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
}

const cardFiles = (name: string, change: Readonly<Record<string, string>> = {}) =>
  Object.fromEntries(
    Object.entries({
      address: "3c:ec:ef:11:22:33\n",
      type: "1\n",
      carrier: "1\n",
      uevent: `INTERFACE=${name}\nIFINDEX=2\n`,
      ...change,
    }).map(([file, text]) => [`sys/class/net/${name}/${file}`, text]),
  );

const LO = cardFiles("lo", { address: "00:00:00:00:00:00\n", type: "772\n" });
const read = (options: LinuxOptions = {}) =>
  readLinux({ root, ethtool: async () => undefined, environment: {}, ...options });

test("a card with a cable and a driver that tells is described", async () => {
  write({ ...LO, ...cardFiles("enp3s0", { "device/power/wakeup": "enabled\n" }) });
  const { cards } = await read();
  const mac = "3c:ec:ef:11:22:33";
  expect(cards).toContainEqual({ name: "enp3s0", mac, kind: "ethernet", link: true, armed: true, secureOn: null });
  expect(cards).toContainEqual({ name: "lo", mac: null, kind: "virtual", link: true, armed: null, secureOn: null });
});

test.each([
  [
    "a Wi-Fi card",
    { "phy80211/name": "phy0", "device/power/wakeup": "disabled", uevent: "DEVTYPE=wlan\n" },
    { kind: "wifi", armed: false },
  ],
  ["a bridge", { uevent: "DEVTYPE=bridge\n" }, { kind: "virtual", armed: null }],
  ["a mobile modem", { "device/x": "", uevent: "DEVTYPE=wwan\n" }, { kind: "other", armed: null }],
  ["a card without a cable", { "device/x": "", carrier: "0\n" }, { kind: "ethernet", link: false }],
  ["a card that is down", { "device/x": "", carrier: "" }, { kind: "ethernet", link: null }],
  ["a card of which nothing is known", { "device/x": "" }, { armed: null, secureOn: null }],
] as const)("%s is told apart", async (_what, files, expected) => {
  write(cardFiles("net0", files));
  expect((await read()).cards).toEqual([expect.objectContaining(expected)]);
});

test("the card of a host of many containers is among those that are described", async () => {
  for (let index = 0; index < 80; index++) write(cardFiles(`veth${index}`));
  write(cardFiles("zzz0", { "device/x": "" }));
  const { cards } = await read();
  expect(cards[0]).toMatchObject({ name: "zzz0", kind: "ethernet" });
  expect(cards).toHaveLength(64);
});

test("what ethtool says goes before what the kernel says", async () => {
  write(cardFiles("eth0", { "device/power/wakeup": "enabled\n" }));
  const ethtool = async (name: string) => `Settings for ${name}:\n\tWake-on: d\n`;
  expect(await readLinuxArmed("eth0", { root, ethtool })).toBe(false);
  expect(await readLinuxArmed("eth0", { root, ethtool: async (name) => `Settings for ${name}:\n` })).toBe(true);
  expect(await readLinuxArmed("eth9", { root, ethtool: async () => undefined })).toBeNull();
});

test.each([
  [
    "a machine of metal",
    { "sys/class/dmi/id/sys_vendor": "Dell Inc.\n", "sys/class/dmi/id/product_name": "OptiPlex\n" },
    false,
  ],
  ["a virtual machine", { "sys/class/dmi/id/sys_vendor": "QEMU\n" }, true],
  ["a guest that only its processor tells of", { "proc/cpuinfo": "flags\t\t: fpu vme hypervisor lahf_lm\n" }, true],
  ["a Raspberry Pi", { "proc/device-tree/model": "Raspberry Pi 4 Model B\0" }, false],
  ["a machine that tells nothing", {}, null],
])("%s is known as what it is", async (_what, files, expected) => {
  write(files);
  expect((await read()).machine.virtual).toBe(expected);
});

test("a container is known by its marks, and its network by its interfaces", async () => {
  write({ ".dockerenv": "", ...LO, ...cardFiles("eth0") });
  expect((await read()).machine.container).toBe("bridge");
  write(cardFiles("enp3s0", { "device/x": "" }));
  expect((await read()).machine.container).toBe("host-network");
});

test("Podman's variable is a mark, too", async () => {
  write(cardFiles("eth0"));
  expect((await read({ environment: { container: "podman" } })).machine.container).toBe("bridge");
});

test("where there is nothing to read, nothing is known", async () => {
  const machine = { container: null, virtual: null, fastStartup: null };
  expect(await read()).toEqual({ cards: [], machine });
});
