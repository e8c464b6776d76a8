import type { Machine, NetworkInterface } from "#contracts/agent.ts";

/** What a system says of one network card, with or without an address on it. */
export type CardFacts = Pick<NetworkInterface, "name" | "mac" | "kind" | "link" | "armed" | "secureOn">;

export type MachineFacts = Pick<Machine, "container" | "virtual" | "fastStartup">;

/** What can be found out about the machine of an agent. What a system does not tell is null. */
export interface HostFacts {
  readonly cards: readonly CardFacts[];
  readonly machine: MachineFacts;
}

export const NOTHING_KNOWN: HostFacts = { cards: [], machine: { container: null, virtual: null, fastStartup: null } };
