import type { HostFacts } from "./host-facts.ts";
import { parseHardwarePorts, parseIfconfig, parseWomp } from "./macos.rules.ts";
import { outputOf } from "./run.ts";

export async function readMacos(): Promise<HostFacts> {
  const [ports = "", interfaces = "", power = "", hypervisor = ""] = await Promise.all([
    outputOf("/usr/sbin/networksetup", ["-listallhardwareports"]),
    outputOf("/sbin/ifconfig", ["-a"]),
    outputOf("/usr/bin/pmset", ["-g", "custom"]),
    outputOf("/usr/sbin/sysctl", ["-n", "kern.hv_vmm_present"]),
  ]);
  const links = parseIfconfig(interfaces);
  const womp = parseWomp(power);
  return {
    cards: parseHardwarePorts(ports).map((port) => ({
      ...port,
      link: links.get(port.name) ?? null,
      armed: port.kind === "ethernet" || port.kind === "wifi" ? womp : null, // one switch for the whole machine
      secureOn: null,
    })),
    machine: {
      container: null,
      virtual: hypervisor.trim() === "" ? null : hypervisor.trim() === "1",
      fastStartup: null,
    },
  };
}
