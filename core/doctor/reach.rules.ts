import type { Finding } from "#contracts/finding.ts";
import { HOST_NETWORK_ADVICE } from "./advice.ts";
import type { AgentFacts, Facts } from "./facts.ts";
import { addressOf, isInNetworkOf, networksOf } from "./subnet.rules.ts";

/** Can a magic packet get to the machine at all, and could anybody see that it came up? */

export function deviceDisabled({ device }: Facts): Finding | undefined {
  if (device.enabled) return undefined;
  return {
    code: "DEVICE_DISABLED",
    severity: "problem",
    title: "The device is disabled",
    advice: "Enable it in its settings; until then no wake and no schedule touches it.",
    evidence: { enabled: false },
  };
}

export function noAgent({ device, agents, ownAgent }: Facts): Finding | undefined {
  if (agents.length > 0) return undefined;
  const install = "Put an agent on a machine of its network that stays on, such as a Raspberry Pi or a NAS";
  if (ownAgent)
    return {
      code: "NO_AGENT",
      severity: "problem",
      title: `Its only agent, ${ownAgent.name}, runs on this very machine`,
      advice: `${install}: the one on the machine is down when the machine is.`,
      evidence: { ownAgent: ownAgent.key },
    };
  return {
    code: "NO_AGENT",
    severity: "problem",
    title: device.isInCluster ? "Its cluster has no agent" : "It is in no cluster, and no agent is outside of clusters",
    advice: device.isInCluster
      ? `${install}, and let it join this cluster; or move one of your agents into it.`
      : `Move the device into the cluster of an agent in its network. If there is none: ${lower(install)}.`,
    evidence: { agents: [] },
  };
}

/** All of them, or some that matter. */
export function agentOffline(facts: Facts): Finding | undefined {
  const { agents } = facts;
  const away = agents.filter(({ online }) => !online);
  if (away.length === 0) return undefined;
  const address = addressOf(facts);
  const isNear = (agent: AgentFacts) => address !== undefined && isInNetworkOf(agent, address);
  const isAlone = away.some(isNear) && !agents.some((agent) => agent.online && isNear(agent));
  const all = away.length === agents.length;
  return {
    code: "AGENT_OFFLINE",
    severity: all ? "problem" : isAlone ? "warning" : "hint",
    title: all
      ? away.length === 1
        ? `Its agent ${namesOf(away)} is offline`
        : `All of its agents are offline: ${namesOf(away)}`
      : isAlone
        ? `The agent in its network is offline: ${namesOf(away.filter(isNear))}`
        : `Not all of its agents are online: ${namesOf(away)}`,
    advice:
      "On the agent's machine look whether it runs and reaches the hub: `powerbeacon-agent status`, then its log (`journalctl -u powerbeacon-agent`, or `docker logs`).",
    evidence: { offline: away.map(({ key, since }) => ({ agent: key, since: since?.toISOString() ?? null })) },
  };
}

/**
 * A broadcast stays in its network. Into another one it comes only as a directed broadcast that routers pass on, which
 * they do not do by default (RFC 2644).
 */
export function otherSubnet(facts: Facts): Finding | undefined {
  const { device, agents, seenOnSegmentBy, hasWoken } = facts;
  const address = addressOf(facts);
  const known = agents.filter((agent) => !isBridged(agent) && networksOf(agent).length > 0);
  if (address === undefined || known.length === 0 || seenOnSegmentBy !== null) return undefined;
  if (known.some((agent) => isInNetworkOf(agent, address))) return undefined;
  const isRouted = device.wakeAddresses.length > 0;
  return {
    code: "OTHER_SUBNET",
    severity: isRouted || hasWoken ? "warning" : "problem",
    title: `No agent has an interface in the network of ${address}`,
    advice: isRouted
      ? `Magic packets go to ${device.wakeAddresses.join(", ")} by way of a router. It has to pass directed broadcasts on (Cisco: \`ip directed-broadcast\`, MikroTik and pfSense: a static ARP entry ff:ff:ff:ff:ff:ff for an unused address there). An agent in that network needs none of this.`
      : "Put an agent into that network: broadcasts do not leave theirs. Or enter the broadcast address of that network among the device's wake addresses, and let the router pass directed broadcasts on. If the address of the device is wrong, correct it.",
    evidence: { address, networks: Object.fromEntries(known.map((agent) => [agent.key, networksOf(agent)])) },
  };
}

/** A container's bridge is a network of its own inside one machine; broadcasts end there. */
export function containerBridge({ agents, hasWoken }: Facts): Finding | undefined {
  const candidates = agents.some(({ online }) => online) ? agents.filter(({ online }) => online) : agents;
  const bridged = candidates.filter(isBridged);
  if (bridged.length === 0) return undefined;
  const all = bridged.length === candidates.length;
  return {
    code: "CONTAINER_BRIDGE",
    severity: !all ? "hint" : hasWoken ? "warning" : "problem",
    title: `${namesOf(bridged)} ${bridged.length === 1 ? "runs" : "run"} in a container's own network, which magic packets do not leave`,
    advice: HOST_NETWORK_ADVICE,
    evidence: { bridged: bridged.map((agent) => ({ agent: agent.key, networks: networksOf(agent) })) },
  };
}

/** Without anybody who looks every wake ends in "no answer", also one that worked. */
export function notWatched(facts: Facts): Finding | undefined {
  const { device, agents, ownAgent, hasPlugEvidence } = facts;
  if (ownAgent || hasPlugEvidence) return undefined;
  const { icmp, arp, tcpPorts } = device.watch;
  const found = {
    code: "NOT_WATCHED",
    severity: "warning",
    evidence: { watch: device.watch, address: device.address },
  } as const;
  if (!icmp && !arp && tcpPorts.length === 0)
    return {
      ...found,
      title: "Nobody looks whether it is up",
      advice: "Switch on at least one way of watching in its settings; ARP works without an open port.",
    };
  const online = agents.filter((agent) => agent.online);
  if (online.length === 0 || online.some((agent) => canLook(agent, facts))) return undefined;
  return {
    ...found,
    title: "None of its agents can look whether it is up",
    advice:
      device.address === null
        ? "Enter the device's address: these agents cannot find it by its MAC address."
        : "Enter a TCP port that the machine answers on (22 for SSH, 445 for Windows shares, 3389 for remote desktop), or let the agents ping: on Linux they need `ip` and the right to ping.",
    evidence: {
      ...found.evidence,
      capabilities: Object.fromEntries(online.map(({ key, capabilities }) => [key, capabilities])),
    },
  };
}

function canLook({ capabilities }: AgentFacts, { device }: Facts): boolean {
  const { icmp, arp, tcpPorts } = device.watch;
  const can = (capability: AgentFacts["capabilities"][number]) => capabilities.includes(capability);
  if (arp && can("arp")) return true;
  if (device.address === null && !can("arp")) return false;
  return (icmp && can("icmp")) || (tcpPorts.length > 0 && can("tcp"));
}

function isBridged({ machine }: AgentFacts): boolean {
  return machine?.container === "bridge";
}

/** A cluster may have many; a sentence names a few. */
const NAMED = 3;

export function namesOf(agents: readonly { readonly name: string }[]): string {
  const names = agents.slice(0, NAMED).map(({ name }) => name);
  return agents.length > NAMED ? `${names.join(", ")} and ${agents.length - NAMED} more` : names.join(", ");
}

function lower(sentence: string): string {
  return sentence.charAt(0).toLowerCase() + sentence.slice(1);
}
