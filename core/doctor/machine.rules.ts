import type { Finding } from "#contracts/finding.ts";
import { FAST_STARTUP_ADVICE, armAdvice } from "./advice.ts";
import { type Facts, failedWake } from "./facts.ts";

/** What about the machine itself stands in the way: its network card, its system, its addresses. */

export function notArmed({ ownAgent, card }: Facts): Finding | undefined {
  if (!ownAgent || card?.armed !== false) return undefined;
  return {
    code: "NOT_ARMED",
    severity: "problem",
    title: `Its network card ${card.name} is not set to wake it`,
    advice: armAdvice(ownAgent.os, card.name),
    evidence: { agent: ownAgent.key, interface: card.name, armed: false },
  };
}

/** Windows then hibernates half of itself instead of shutting down, and most cards do not wake from there. */
export function fastStartup(facts: Facts): Finding | undefined {
  const { ownAgent } = facts;
  if (ownAgent?.machine?.fastStartup !== true) return undefined;
  return {
    code: "FAST_STARTUP",
    severity: works(facts) ? "hint" : "warning",
    title: "Windows fast start-up is on: after a shutdown most machines cannot be woken",
    advice: FAST_STARTUP_ADVICE,
    evidence: { agent: ownAgent.key, fastStartup: true },
  };
}

export function addressTaken({ takenBy, device }: Facts): Finding | undefined {
  if (!takenBy) return undefined;
  const { mac, by, at } = takenBy;
  return {
    code: "ADDRESS_TAKEN",
    severity: "warning",
    title: `Another machine answers at its address${device.address === null ? "" : ` ${device.address}`}: ${mac}`,
    advice:
      "Give the device a fixed address in the router (a DHCP reservation for its MAC address), or clear its address here: the agents find it by its MAC address. If the machine has a new network card, enter the new MAC address.",
    evidence: { mac, by, at, expected: device.mac, address: device.address },
  };
}

/** Few Wi-Fi cards wake on a magic packet, and only while they stay joined to the access point. */
export function wifiMac(facts: Facts): Finding | undefined {
  const { ownAgent, card, device, hasWoken } = facts;
  const advice =
    "Connect the machine by cable and enter the MAC address of that card. Wi-Fi cards that can be woken (WoWLAN) are rare, and work from sleep alone.";
  if (ownAgent && card?.kind === "wifi")
    return {
      code: "WIFI_MAC",
      severity: works(facts) ? "hint" : "warning",
      title: `${device.mac} is the address of its Wi-Fi card ${card.name}`,
      advice,
      evidence: { agent: ownAgent.key, interface: card.name, kind: "wifi" },
    };
  if (card || hasWoken || !isLocallyAdministered(device.mac) || makerOf(device.mac) !== undefined) return undefined;
  return {
    code: "WIFI_MAC",
    severity: "hint",
    title: `${device.mac} is an address that software made up, as private Wi-Fi addresses are`,
    advice: `${advice} If it is the address of a network bridge or bond, enter that of the card below it.`,
    evidence: { mac: device.mac, locallyAdministered: true },
  };
}

export function virtualMac({ ownAgent, device, card, hasWoken }: Facts): Finding | undefined {
  const maker = makerOf(device.mac);
  const isVirtual = ownAgent?.machine?.virtual === true || card?.kind === "virtual";
  if (maker === undefined && !isVirtual) return undefined;
  return {
    code: "VIRTUAL_MAC",
    severity: hasWoken ? "hint" : "warning",
    title:
      maker === undefined
        ? `${device.mac} belongs to a virtual machine or a virtual network card`
        : `${device.mac} is an address that ${maker} gives to virtual machines`,
    advice:
      "A magic packet wakes machines of metal. For a virtual machine something on its host has to listen for it and start it; or wake the host, and let it start its guests.",
    evidence: { mac: device.mac, maker: maker ?? null, virtual: ownAgent?.machine?.virtual ?? null },
  };
}

/** With a password most cards still take a packet with one for a magic packet; some do not. */
export function secureOnSet({ device, card, hasWoken }: Facts): Finding | undefined {
  if (!device.hasSecureOn || card?.secureOn === true || hasWoken) return undefined;
  return {
    code: "SECURE_ON_SET",
    severity: card?.secureOn === false ? "warning" : "hint",
    title:
      card?.secureOn === false
        ? `A SecureOn password is set here, and its network card ${card.name} asks for none`
        : "A SecureOn password is set here, which most network cards do not know",
    advice: "Clear the SecureOn password of the device, unless its network card was given the same one.",
    evidence: { secureOn: true, card: card?.secureOn ?? null },
  };
}

export function secureOnMissing({ device, ownAgent, card }: Facts): Finding | undefined {
  if (device.hasSecureOn || !ownAgent || card?.secureOn !== true) return undefined;
  return {
    code: "SECURE_ON_MISSING",
    severity: "problem",
    title: `Its network card ${card.name} asks for a SecureOn password, and none is set here`,
    advice: `Enter the password of the card here (\`ethtool ${card.name}\` shows it as root), or let the card do without: \`ethtool -s ${card.name} wol g\`.`,
    evidence: { agent: ownAgent.key, interface: card.name, secureOn: true },
  };
}

/** It came up when it was woken, the last time as well: what works from sleep may not after a shutdown. */
function works(facts: Facts): boolean {
  return facts.hasWoken && !failedWake(facts);
}

/** IEEE 802, 48-bit addresses: the second lowest bit of the first octet says that no maker gave it. */
function isLocallyAdministered(mac: string): boolean {
  return (Number.parseInt(mac.slice(0, 2), 16) & 2) !== 0;
}

/** Who gives out addresses of these beginnings to virtual machines and containers. */
const VIRTUAL: readonly (readonly [beginning: string, maker: string])[] = [
  ["00:05:69", "VMware"],
  ["00:0c:29", "VMware"],
  ["00:1c:14", "VMware"],
  ["00:50:56", "VMware"],
  ["08:00:27", "VirtualBox"],
  ["0a:00:27", "VirtualBox"],
  ["00:15:5d", "Hyper-V"],
  ["00:03:ff", "Virtual PC"],
  ["52:54:00", "QEMU and KVM"],
  ["bc:24:11", "Proxmox"],
  ["00:16:3e", "Xen"],
  ["00:1c:42", "Parallels"],
  ["58:9c:fc", "bhyve"],
  ["50:6b:8d", "Nutanix"],
  ["00:1a:4a", "oVirt"],
  ["02:42:", "Docker"],
];

function makerOf(mac: string): string | undefined {
  return VIRTUAL.find(([beginning]) => mac.startsWith(beginning))?.[1];
}
