import { access, readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { MacAddress } from "#contracts/mac-address.ts";
import { type ContainerMarks, type SeenInterface, containerOf } from "./container.rules.ts";
import { type EthtoolFacts, parseEthtool } from "./ethtool.rules.ts";
import type { CardFacts, HostFacts, MachineFacts } from "./host-facts.ts";
import { outputOf } from "./run.ts";
import { isVirtualModel } from "./virtual-machine.rules.ts";

/** A host of containers has an interface for each: those with a device below come first, and more than these are not described. */
const MAX_CARDS = 64;
const MAX_INTERFACES = 1_024;

export interface LinuxOptions {
  /** Where its file systems are; tests have one of their own. */
  readonly root?: string;
  /** `ethtool NAME`, where it is installed. */
  readonly ethtool?: (name: string) => Promise<string | undefined>;
  readonly environment?: NodeJS.ProcessEnv;
}

/** What a Linux tells of itself without asking for rights. */
export async function readLinux(options: LinuxOptions = {}): Promise<HostFacts> {
  const root = options.root ?? "/";
  const found = await interfacesOf(root);
  const [cards, machine] = await Promise.all([
    Promise.all(found.slice(0, MAX_CARDS).map((one) => cardOf(one, root, options))),
    machineOf(found, root, options.environment ?? process.env),
  ]);
  return { cards, machine };
}

/** Whether a network card is set to wake on a magic packet; null = it cannot be told. */
export async function readLinuxArmed(name: string, options: LinuxOptions = {}): Promise<boolean | null> {
  return (await wakingOf(name, options.root ?? "/", options)).armed;
}

async function interfacesOf(root: string): Promise<SeenInterface[]> {
  const names = await readdir(join(root, "sys/class/net")).catch(() => []);
  const found = await Promise.all(
    names.slice(0, MAX_INTERFACES).map(async (name) => ({
      name,
      isPhysical: await exists(join(root, "sys/class/net", name, "device")),
      deviceType: /^DEVTYPE=(\S+)$/m.exec(await content(join(root, "sys/class/net", name, "uevent")))?.[1] ?? null,
    })),
  );
  return found.toSorted((a, b) => Number(b.isPhysical) - Number(a.isPhysical));
}

const ARPHRD_ETHER = "1"; // <linux/if_arp.h>

async function cardOf({ name, isPhysical, deviceType }: SeenInterface, root: string, options: LinuxOptions) {
  const folder = join(root, "sys/class/net", name);
  const [mac, type, carrier, wireless, phy] = await Promise.all([
    content(join(folder, "address")),
    content(join(folder, "type")),
    content(join(folder, "carrier")), // of an interface that is down it cannot be read
    exists(join(folder, "wireless")),
    exists(join(folder, "phy80211")),
  ]);
  const isWifi = wireless || phy || deviceType === "wlan";
  const isEthernet = isPhysical && type === ARPHRD_ETHER && deviceType === null;
  const { armed, secureOn, link } = isEthernet || isWifi ? await wakingOf(name, root, options) : NOT_TOLD;
  return {
    name,
    mac: MacAddress.safeParse(mac).data ?? null,
    kind: isWifi ? "wifi" : isEthernet ? "ethernet" : isPhysical ? "other" : "virtual",
    link: carrier === "1" ? true : carrier === "0" ? false : link,
    armed,
    secureOn,
  } satisfies CardFacts;
}

const NOT_TOLD: EthtoolFacts = { armed: null, secureOn: null, link: null };

/**
 * `ethtool` says it exactly, to root alone. Most drivers also tell the kernel whether the card may wake the machine, which
 * everybody may read; it does not say on what.
 */
async function wakingOf(name: string, root: string, options: LinuxOptions): Promise<EthtoolFacts> {
  const ask = options.ethtool ?? ((card: string) => outputOf("ethtool", [card]));
  const text = await ask(name);
  const told = text === undefined ? NOT_TOLD : parseEthtool(text);
  if (told.armed !== null) return told;
  const wakeup = await content(join(root, "sys/class/net", name, "device/power/wakeup"));
  const armed = wakeup === "enabled" ? true : wakeup === "disabled" ? false : null;
  return { ...told, armed };
}

async function machineOf(
  interfaces: readonly SeenInterface[],
  root: string,
  environment: NodeJS.ProcessEnv,
): Promise<MachineFacts> {
  const [marks, virtual] = await Promise.all([readContainerMarks(root, environment), isVirtual(root)]);
  return { container: containerOf(marks, interfaces), virtual, fastStartup: null };
}

export async function readContainerMarks(root = "/", environment = process.env): Promise<ContainerMarks> {
  const [docker, podman, cgroup] = await Promise.all([
    exists(join(root, ".dockerenv")),
    exists(join(root, "run/.containerenv")),
    content(join(root, "proc/1/cgroup")),
  ]);
  return { hasMarkFile: docker || podman, cgroup, variable: environment["container"] ?? null };
}

async function isVirtual(root: string): Promise<boolean | null> {
  const dmi = join(root, "sys/class/dmi/id");
  const [maker, product, tree, processor] = await Promise.all([
    content(join(dmi, "sys_vendor")),
    content(join(dmi, "product_name")),
    content(join(root, "proc/device-tree/model")),
    content(join(root, "proc/cpuinfo")),
  ]);
  const model = `${maker} ${product} ${tree}`.trim();
  if (isVirtualModel(model) || /^flags\s*:.*\bhypervisor\b/m.test(processor)) return true;
  return model !== "" || /^flags\s*:/m.test(processor) ? false : null;
}

async function content(path: string): Promise<string> {
  return (await readFile(path, "utf8").catch(() => "")).trim();
}

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}
