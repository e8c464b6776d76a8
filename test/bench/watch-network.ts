import { execFile, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import type { Cleanup } from "./cleanup.ts";

const run = promisify(execFile);

/** A LAN of its own in two network namespaces: an agent on one end, and machines with a network card each on the other. */
export interface WatchNetwork {
  /** Where the agent finds a hub on this machine. */
  readonly hubAddress: string;
  /** What runs there, runs on the agent's machine. */
  readonly agentNamespace: string;
  /** The addresses of a /21 that no machine has. */
  emptyAddress(index: number): string;
  readonly machines: readonly LanMachine[];
  /** Brings a machine up, as its system does: it asks for the agent's MAC address. @returns when it was told to, by `performance.now()`. */
  bringUp(machine: LanMachine): Promise<number>;
}

/** Tells when the system of the agent's machine itself hears of each MAC address: nothing can know it before. */
export function hearNeighbours(
  network: WatchNetwork,
  cleanup: Cleanup,
): { firstHeardMs(mac: string, afterMs: number): number } {
  const child = spawn("ip", ["netns", "exec", network.agentNamespace, "ip", "monitor", "neigh"], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  cleanup.add(() => void child.kill());
  const heard: { readonly line: string; readonly atMs: number }[] = [];
  createInterface({ input: child.stdout }).on("line", (line) => heard.push({ line, atMs: performance.now() }));
  return {
    firstHeardMs: (mac, afterMs) =>
      heard.find(({ line, atMs }) => atMs >= afterMs && line.includes(mac))?.atMs ?? Number.NaN,
  };
}

export interface LanMachine {
  readonly name: string;
  readonly mac: string;
  readonly address: string;
}

/** Why there is none here; undefined where there may be. */
export function whyNoWatchNetwork(): string | undefined {
  return process.platform === "linux" && process.getuid?.() === 0
    ? undefined
    : "network namespaces need Linux and root";
}

const AGENT = "10.177.0.1";
const HUB = "10.178.0.1";

export async function openWatchNetwork(count: number, cleanup: Cleanup): Promise<WatchNetwork> {
  const [agent, far] = ["pbw-agent", "pbw-machines"];
  const ip = (...args: string[]) => run("ip", args);
  cleanup.add(async () => {
    for (const name of [agent, far]) await ip("netns", "delete", name).catch(() => {}); // it was not made
    await ip("link", "delete", "pbwup").catch(() => {}); // gone with its other end
  });
  for (const name of [agent, far]) {
    await ip("netns", "add", name);
    await ip("-n", name, "link", "set", "lo", "up");
  }
  await ip("link", "add", "pbwup", "type", "veth", "peer", "name", "up0", "netns", agent);
  await ip("address", "add", `${HUB}/30`, "dev", "pbwup");
  await ip("link", "set", "pbwup", "up");
  await ip("-n", agent, "address", "add", "10.178.0.2/30", "dev", "up0");
  await ip("-n", agent, "link", "set", "up0", "up");
  await ip("-n", agent, "link", "add", "eth0", "type", "veth", "peer", "name", "eth0", "netns", far);
  await ip("-n", agent, "address", "add", `${AGENT}/21`, "dev", "eth0");
  await ip("-n", agent, "link", "set", "eth0", "up");
  await ip("-n", far, "link", "set", "eth0", "up");
  // each card speaks for its own address alone
  const settings = ["arp_ignore=1", "arp_announce=2", "rp_filter=0"].map((setting) => `net.ipv4.conf.all.${setting}`);
  await run("ip", ["netns", "exec", far, "sysctl", "-wq", ...settings]);

  const machines = Array.from({ length: count }, (_, index): LanMachine => {
    const mac = `02:77:00:00:${(index >> 8).toString(16).padStart(2, "0")}:${(index & 255).toString(16).padStart(2, "0")}`;
    return { name: `m${index}`, mac, address: `10.177.1.${index + 1}` };
  });
  for (const { name, mac } of machines)
    await ip(
      "-n",
      far,
      "link",
      "add",
      "link",
      "eth0",
      "name",
      name,
      "address",
      mac,
      "type",
      "macvlan",
      "mode",
      "bridge",
    );

  return {
    hubAddress: HUB,
    agentNamespace: agent,
    machines,
    emptyAddress: (index) => `10.177.${2 + (index >> 8)}.${index & 255}`,
    bringUp: async ({ name, address }) => {
      const lines = [
        `address add ${address}/32 dev ${name}`,
        `link set ${name} up`,
        `route replace ${AGENT}/32 dev ${name} src ${address}`,
      ];
      const batch = run("ip", ["-n", far, "-batch", "-"]);
      batch.child.stdin?.end(`${lines.join("\n")}\n`);
      await batch;
      const beganMs = performance.now();
      // the first packet, for which its system asks who has the agent's address
      await run("ip", ["netns", "exec", far, "bash", "-c", `echo > /dev/udp/${AGENT}/9`]);
      return beganMs;
    },
  };
}
