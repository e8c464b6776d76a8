import { arch, hostname, networkInterfaces, platform } from "node:os";
import type { AgentCapability, Inventory, NetworkInterface, OperatingSystem } from "#contracts/agent.ts";
import type { CardFacts } from "./machine/host-facts.ts";
import { HostReader } from "./machine/read-host.ts";
import type { PowerAbility } from "./power/power-system.ts";
import { VERSION } from "./version.ts";
import { broadcastAddress, type LocalAddress, localAddresses } from "./wake/networks.rules.ts";
import { canSeeByArp } from "./watch/neighbour-table.ts";
import { canPing } from "./watch/ping.ts";

const OPERATING_SYSTEMS: Partial<Record<NodeJS.Platform, OperatingSystem>> = {
  linux: "linux",
  win32: "windows",
  darwin: "macos",
};

const PER_INTERFACE = 32;
const MAX_INTERFACES = 64;
const LONGEST_PROBLEM = 300;

/** What the parts of a running agent know of its machine; one that only joins has none of them. */
export interface InventoryParts {
  readonly host?: HostReader;
  /** How it can be taken down. */
  readonly able?: () => Promise<PowerAbility>;
  /** UDP ports on which it hears the magic packets of others. */
  readonly listensOn?: () => readonly number[];
  /** What it can do besides sending, looking and what follows from the above. */
  readonly can?: () => Promise<readonly AgentCapability[]>;
}

const NOT_ASKED: PowerAbility = { actions: [], problem: null };

/** What this machine is and can do, as it stands now. */
export async function takeInventory(parts: InventoryParts = {}): Promise<Inventory> {
  const { host = new HostReader() } = parts;
  const local = localAddresses(networkInterfaces(), platform());
  const [{ cards, machine }, power, looks, more] = await Promise.all([
    host.facts(JSON.stringify(local)),
    parts.able?.() ?? NOT_ASKED,
    waysOfLooking(),
    parts.can?.() ?? [],
  ]);
  const listensOn = [...(parts.listensOn?.() ?? [])];
  return {
    hostname: hostname().slice(0, 253),
    os: OPERATING_SYSTEMS[platform()] ?? "other",
    arch: arch(),
    version: VERSION,
    interfaces: describeInterfaces(local, cards),
    capabilities: [
      "wake",
      ...looks,
      ...(listensOn.length > 0 ? (["listen"] as const) : []),
      ...(power.actions.length > 0 ? (["power"] as const) : []),
      ...more,
    ],
    machine: {
      ...machine,
      powerActions: [...power.actions],
      powerProblem: power.problem?.slice(0, LONGEST_PROBLEM) ?? null,
      listensOn,
    },
  };
}

/**
 * The interfaces that lead off this machine, each with its addresses and directed broadcast addresses; behind them the network
 * cards that have no address, such as one whose cable is out.
 */
export function describeInterfaces(
  local: readonly LocalAddress[],
  cards: readonly CardFacts[] = [],
): NetworkInterface[] {
  const byName = Map.groupBy(
    local.filter(({ internal }) => !internal),
    (own) => own.interface,
  );
  const known = new Map(cards.map((card) => [card.name, card]));
  const addressed = [...byName].map(([name, own]) => ({
    ...factsOf(known.get(name)),
    name: name.slice(0, 64),
    mac: own[0]?.mac ?? null,
    addresses: own.map(({ address, prefix }) => `${address}/${prefix}`).slice(0, PER_INTERFACE),
    broadcast: own.flatMap(({ address, prefix }) => broadcastAddress(address, prefix) ?? []).slice(0, PER_INTERFACE),
  }));
  const silent = cards
    .filter(({ name, mac, kind }) => !byName.has(name) && mac !== null && (kind === "ethernet" || kind === "wifi"))
    .map((card) => ({ ...card, name: card.name.slice(0, 64), addresses: [], broadcast: [] }));
  return [...addressed, ...silent].slice(0, MAX_INTERFACES);
}

function factsOf(card: CardFacts | undefined): Pick<NetworkInterface, "kind" | "link" | "armed" | "secureOn"> {
  const { kind = null, link = null, armed = null, secureOn = null } = card ?? {};
  return { kind, link, armed, secureOn };
}

async function waysOfLooking(): Promise<AgentCapability[]> {
  const [icmp, arp] = await Promise.all([canPing(), canSeeByArp()]);
  return [...(icmp ? (["icmp"] as const) : []), ...(arp ? (["arp"] as const) : []), "tcp"];
}
