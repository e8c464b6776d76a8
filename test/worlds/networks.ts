import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Why there can be no networks of one's own on this machine; undefined when there can. */
export async function whyNoNetworks(): Promise<string | undefined> {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return "network namespaces need Linux and root";
  const namespace = `pb-try-${process.pid}`;
  try {
    await run("ip", ["netns", "add", namespace]);
    await run("ip", ["-n", namespace, "link", "add", "br0", "type", "bridge"]);
    return undefined;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return undefined; // a program that is missing can be installed
    return `network namespaces do not work here: ${message}`;
  } finally {
    await run("ip", ["netns", "delete", namespace]).catch(() => {}); // it was not made
  }
}

/** A place on one of the networks, with an interface `eth0` of its own. */
export interface Host {
  readonly namespace: string;
  readonly mac: string;
  readonly address: string;
  readonly network: number;
  /** Runs a program there, such as `ip address`. */
  run(file: string, ...args: string[]): Promise<{ stdout: string }>;
}

/** Several Ethernets with a router between them; this process is on the one where hubs are. */
export interface Networks {
  /** Where this process is found from all of them. */
  readonly ownAddress: string;
  addressOn(network: number, host: number): string;
  broadcastOn(network: number): string;
  /** @param options.isDark answers no ARP from its first moment on, as a machine that is off. */
  addHost(network: 1 | 2, host: number, options?: { readonly isDark?: boolean }): Promise<Host>;
  close(): Promise<void>;
}

const UPLINK = 0;
const ROUTER = 254;
let count = 0;

/**
 * Two LANs and an uplink, each a bridge, in network namespaces with the kernel's own ARP, routing and broadcasts. A router
 * joins them and passes no broadcast on, as routers do.
 *
 * Needs Linux, root and iproute2.
 */
export async function startNetworks(): Promise<Networks> {
  const id = `pb${process.pid % 10_000}${count++}`;
  const octet = 64 + ((process.pid + count) % 120); // test runs beside each other do not share one
  const addressOn = (network: number, host: number) => `10.${octet}.${network}.${host}`;
  const switches = `${id}-switches`;
  const namespaces: string[] = [];
  const near = `${id}up`;

  async function addNamespace(name: string): Promise<void> {
    await run("ip", ["netns", "add", name]);
    namespaces.push(name);
  }

  /** Plugs a cable between a bridge and a namespace. @returns the MAC address of its end there. */
  async function plug(
    network: number,
    name: string,
    namespace: string,
    { address, isDark = false }: { address: string; isDark?: boolean },
  ): Promise<string> {
    const port = `p${network}-${address.split(".")[3]}`;
    const cable = ["type", "veth", "peer", "name", name, "netns", namespace];
    await run("ip", ["-n", switches, "link", "add", port, ...cable]);
    await run("ip", ["-n", switches, "link", "set", port, "master", `br${network}`, "up"]);
    if (isDark) await run("ip", ["-n", namespace, "link", "set", name, "arp", "off"]);
    await run("ip", ["-n", namespace, "address", "add", `${address}/24`, "broadcast", "+", "dev", name]);
    await run("ip", ["-n", namespace, "link", "set", name, "up"]);
    await run("ip", ["-n", namespace, "link", "set", "lo", "up"]);
    const { stdout } = await run("ip", ["-n", namespace, "-json", "link", "show", name]);
    const [{ address: mac }] = JSON.parse(stdout) as [{ address: string }];
    return mac;
  }

  await addNamespace(switches);
  const router = `${id}-router`;
  await addNamespace(router);
  for (const network of [UPLINK, 1, 2]) {
    await run("ip", ["-n", switches, "link", "add", `br${network}`, "type", "bridge"]);
    await run("ip", ["-n", switches, "link", "set", `br${network}`, "up"]);
    await plug(network, `eth${network}`, router, { address: addressOn(network, ROUTER) });
  }
  await run("ip", ["netns", "exec", router, "sysctl", "-wq", "net.ipv4.ip_forward=1"]);
  await run("ip", ["link", "add", near, "type", "veth", "peer", "name", "own", "netns", switches]);
  await run("ip", ["-n", switches, "link", "set", "own", "master", `br${UPLINK}`, "up"]);
  await run("ip", ["address", "add", `${addressOn(UPLINK, 1)}/24`, "dev", near]);
  await run("ip", ["link", "set", near, "up"]);
  for (const network of [1, 2])
    await run("ip", ["route", "add", `${addressOn(network, 0)}/24`, "via", addressOn(UPLINK, ROUTER)]);

  return {
    ownAddress: addressOn(UPLINK, 1),
    addressOn,
    broadcastOn: (network) => addressOn(network, 255),
    addHost: async (network, host, { isDark = false } = {}) => {
      const namespace = `${id}-${network}-${host}`;
      const address = addressOn(network, host);
      await addNamespace(namespace);
      const mac = await plug(network, "eth0", namespace, { address, isDark });
      await run("ip", ["-n", namespace, "route", "add", "default", "via", addressOn(network, ROUTER)]);
      return {
        namespace,
        mac,
        address,
        network,
        run: (file, ...args) => run("ip", ["netns", "exec", namespace, file, ...args]),
      };
    },
    close: async () => {
      await run("ip", ["link", "delete", near]);
      for (const namespace of namespaces) await run("ip", ["netns", "delete", namespace]);
    },
  };
}
