import type { Inventory, NetworkInterface } from "#contracts/agent.ts";
import type { PowerState } from "#contracts/power.ts";
import type { WakeStage } from "#contracts/wake.ts";

/** What is known about a device when somebody asks why it does not wake. All of it is in memory. */
export interface Facts {
  readonly device: {
    readonly name: string;
    readonly mac: string;
    readonly os: Inventory["os"];
    readonly enabled: boolean;
    readonly isInCluster: boolean;
    /** As a person entered it. */
    readonly address: string | null;
    readonly hasSecureOn: boolean;
    /** Where its magic packets go; none = the broadcast addresses of each agent. */
    readonly wakeAddresses: readonly string[];
    readonly wakePorts: readonly number[];
    readonly windowSeconds: number;
    readonly watch: { readonly icmp: boolean; readonly arp: boolean; readonly tcpPorts: readonly number[] };
  };
  /** Who may wake it. Never the agent on its own machine, which is down when the machine is. */
  readonly agents: readonly AgentFacts[];
  /** All agents of its cluster but its own: they may hear magic packets. */
  readonly neighbours: readonly AgentFacts[];
  readonly ownAgent: AgentFacts | null;
  /** Its network card, as its own agent last told of it. */
  readonly card: NetworkInterface | null;
  readonly power: PowerState;
  /** The agent that last saw it in its neighbour table, which holds machines of its own segment alone. */
  readonly seenOnSegmentBy: string | null;
  /** Whether its plug or its smart socket tells whether it is on. */
  readonly hasPlugEvidence: boolean;
  readonly takenBy: { readonly mac: string; readonly by: string; readonly at: string } | null;
  readonly lastWake: WakeFacts | null;
  /** Whether it ever came up when it was woken. */
  readonly hasWoken: boolean;
  /** What a slow wake of it takes. */
  readonly slowSeconds: number | null;
}

export interface AgentFacts {
  readonly key: string;
  readonly name: string;
  readonly os: Inventory["os"];
  readonly online: boolean;
  /** When it came online or went offline. */
  readonly since: Date | null;
  readonly interfaces: Inventory["interfaces"];
  readonly capabilities: Inventory["capabilities"];
  readonly machine: Inventory["machine"];
}

/** What the last wake came to. */
export interface WakeFacts {
  readonly at: Date;
  readonly stage: WakeStage;
  readonly agents: readonly {
    readonly key: string;
    readonly stage: "asked" | "sent" | "failed" | "refused";
    readonly reason: string | null;
  }[];
  /** An agent that heard the magic packet on the wire, and where it came from. */
  readonly heard: { readonly by: string; readonly from: string } | null;
}

/** A wake that ended without the machine, which is not up now either: only then do its traces tell of a fault. */
export function failedWake({ lastWake, power }: Facts): WakeFacts | undefined {
  if (!lastWake || power === "on") return undefined;
  return lastWake.stage === "no-answer" || lastWake.stage === "failed" ? lastWake : undefined;
}
