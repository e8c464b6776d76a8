import { BlockList, isIPv4 } from "node:net";
import type { AgentFacts, Facts } from "./facts.ts";

/** The IPv4 address that tells in which network a device lives: what was entered, else what its own agent said. */
export function addressOf({ device, card }: Facts): string | undefined {
  const told = (card?.addresses ?? []).map((cidr) => cidr.split("/")[0]);
  return [device.address, ...told].find((address) => isUsable(address)) ?? undefined;
}

/** Whether an agent has an interface in the network of an address; then its broadcasts arrive there. */
export function isInNetworkOf(agent: AgentFacts, address: string): boolean {
  return agent.interfaces.some(({ addresses }) => addresses.some((cidr) => holds(cidr, address)));
}

/** Whether two agents share a network. */
export function areNeighbours(one: AgentFacts, other: AgentFacts): boolean {
  return networksOf(other).some((cidr) => isInNetworkOf(one, cidr.split("/")[0] ?? ""));
}

/** Its IPv4 networks, such as `192.168.1.5/24`. */
export function networksOf({ interfaces }: AgentFacts): string[] {
  return interfaces.flatMap(({ addresses }) => addresses.filter((cidr) => isIPv4(cidr.split("/")[0] ?? "")));
}

function holds(cidr: string, address: string): boolean {
  const [network = "", prefix] = cidr.split("/");
  if (!isIPv4(network) || !isIPv4(address)) return false;
  const bits = Number(prefix);
  if (!Number.isInteger(bits) || bits < 0 || bits > 32) return false; // what agents tell is not proved
  const block = new BlockList();
  block.addSubnet(network, bits, "ipv4");
  return block.check(address, "ipv4");
}

/** A loopback address is in no network that one could send into. */
function isUsable(address: string | null | undefined): address is string {
  return typeof address === "string" && isIPv4(address) && !address.startsWith("127.");
}
