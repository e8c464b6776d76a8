import type { Machine } from "#contracts/agent.ts";

/** One interface as a container sees it. */
export interface SeenInterface {
  readonly name: string;
  /** Whether there is a device below it, be it one that a hypervisor made up. */
  readonly isPhysical: boolean;
  /** As in its uevent: `macvlan`, `ipvlan`, `bridge`, …; null for one end of a veth pair. */
  readonly deviceType: string | null;
}

/** What tells that a process runs in a container. */
export interface ContainerMarks {
  /** `/.dockerenv` or `/run/.containerenv` is there. */
  readonly hasMarkFile: boolean;
  /** `/proc/1/cgroup`, which names the engine where cgroups have their first version. */
  readonly cgroup: string;
  /** The variable `container` that engines set: `podman`, `oci`, `lxc`, `systemd-nspawn`, … */
  readonly variable: string | null;
}

const ENGINES = /docker|containerd|kubepods|libpod|crio/;
/** These only the host's network has. */
const OF_THE_HOST = /^(docker|podman|cni|virbr|hassio|br-)/;
/** These lead straight into the network of the host. */
const BESIDE_THE_HOST: ReadonlySet<string> = new Set(["macvlan", "macvtap", "ipvlan", "ipvtap"]);

/**
 * Whether this is a container, and whether its broadcasts leave it. A system container, such as those of LXC, counts as a
 * machine: it has a place of its own in the network.
 */
export function containerOf(marks: ContainerMarks, interfaces: readonly SeenInterface[]): Machine["container"] {
  const isContainer =
    marks.hasMarkFile || ENGINES.test(marks.cgroup) || ["docker", "podman", "oci"].includes(marks.variable ?? "");
  if (!isContainer) return null;
  const own = interfaces.filter(({ name }) => name !== "lo");
  const reachesOut = own.some(
    ({ name, isPhysical, deviceType }) =>
      isPhysical || OF_THE_HOST.test(name) || (deviceType !== null && BESIDE_THE_HOST.has(deviceType)),
  );
  return reachesOut ? "host-network" : "bridge";
}
