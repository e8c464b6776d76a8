import type { DoctorReport } from "#contracts/api/doctor.ts";
import type { Finding, FindingNote } from "#contracts/finding.ts";
import { Key } from "#contracts/key.ts";
import { DEFAULT_WAKE_WINDOW_SECONDS } from "#contracts/limits.ts";
import type { LastWake } from "#contracts/power.ts";
import type { Presence } from "../agents/presence.ts";
import type { Directory, DirectoryAgent, DirectoryDevice } from "../members/directory.ts";
import { ownCardOf } from "../members/own-card.ts";
import type { PowerStates } from "../power/power-states.ts";
import type { RunningWake } from "../wake/running-wake.ts";
import { findings, verdictOf } from "./doctor.rules.ts";
import type { AgentFacts, Facts, WakeFacts } from "./facts.ts";

export interface DoctorParts {
  readonly directory: Directory;
  readonly presence: Presence;
  readonly power: Pick<PowerStates, "of" | "takenBy">;
  /** The newest wake of a device that this hub remembers in full. */
  readonly wakeOf: (deviceId: string) => RunningWake | undefined;
  /** How the last wake ended, also where that was before the hub's start. */
  readonly lastWakeOf: (deviceId: string) => LastWake | null;
  readonly recipeOf: (deviceId: string) => {
    readonly typicalSeconds: number | null;
    readonly slowSeconds: number | null;
  };
  /** Whether its network card is armed, as was told last: of a machine that goes down that is newer than its inventory. */
  readonly armedOf: (device: DirectoryDevice) => boolean | null;
}

/** The results of a wake name so many; all of them are a question away. */
const MAX_NOTES = 5;

/** Finds out why a device does not wake, or would not. All that it asks is in memory, so it may be asked at any time. */
export class Doctor {
  readonly #parts: DoctorParts;

  constructor(parts: DoctorParts) {
    this.#parts = parts;
  }

  /** What keeps a device from waking, or may, the gravest first. */
  findings(device: DirectoryDevice): Finding[] {
    return findings(this.factsOf(device));
  }

  report(device: DirectoryDevice, now: Date): DoctorReport {
    const facts = this.factsOf(device);
    const found = findings(facts);
    return { device: Key.parse(device.key), at: now.toISOString(), ...verdictOf(facts.device, found), findings: found };
  }

  /** For the results of a wake that is ending without the machine. */
  diagnose(wake: RunningWake): FindingNote[] {
    const device = this.#parts.directory.devices.byId(wake.deviceId);
    if (!device) return [];
    const ended = { ...factsOfWake(wake), stage: wake.wasSent ? ("no-answer" as const) : ("failed" as const) };
    const found = findings(this.factsOf(device, ended)).slice(0, MAX_NOTES);
    return found.map(({ code, title, advice }) => ({ code, title, advice }));
  }

  factsOf(device: DirectoryDevice, lastWake = this.#lastWakeOf(device)): Facts {
    const { directory, power, wakeOf, lastWakeOf, recipeOf, armedOf } = this.#parts;
    const { name, mac, os, enabled, address, secureOn, watch, wake } = device;
    const own = directory.ownAgentOf(device);
    const others = (agents: readonly DirectoryAgent[]) =>
      agents.filter(({ id }) => id !== own?.id).map((agent) => this.#agentFacts(agent));
    const card = ownCardOf(directory, device);
    const now = power.of(device.id);
    const recipe = recipeOf(device.id);
    const windowMs = wakeOf(device.id)?.windowMs;
    return {
      device: {
        name,
        mac,
        os,
        enabled,
        isInCluster: !directory.clusterOf(device).unassigned,
        address,
        hasSecureOn: secureOn !== null,
        wakeAddresses: wake.addresses,
        wakePorts: wake.ports,
        windowSeconds:
          windowMs === undefined ? (wake.windowSeconds ?? DEFAULT_WAKE_WINDOW_SECONDS) : Math.round(windowMs / 1_000),
        watch,
      },
      agents: others(directory.agentsFor(device)),
      // only after a wake does it matter who could have heard it, and a cluster may have many agents
      neighbours: lastWake ? others(directory.agentsOf(device.clusterId)) : [],
      ownAgent: own ? this.#agentFacts(own) : null,
      card: card && { ...card, armed: armedOf(device) },
      power: now.power,
      seenOnSegmentBy: now.evidence?.how === "arp" ? now.evidence.by : null,
      hasPlugEvidence: hasPlugEvidence(device),
      takenBy: takenOf(power.takenBy(device.id)),
      lastWake,
      hasWoken: recipe.typicalSeconds !== null || lastWakeOf(device.id)?.outcome === "awake",
      slowSeconds: recipe.slowSeconds,
    };
  }

  #lastWakeOf({ id }: DirectoryDevice): WakeFacts | null {
    const remembered = this.#parts.wakeOf(id);
    if (remembered) return factsOfWake(remembered);
    const last = this.#parts.lastWakeOf(id);
    return last && { ...factsOfLast(last), heard: null };
  }

  #agentFacts(agent: DirectoryAgent): AgentFacts {
    const { key, name, os, interfaces, capabilities, machine } = agent;
    const seen = this.#parts.presence.of(agent.id);
    const online = seen?.status === "online";
    return { key, name, os, online, since: seen?.since ?? null, interfaces, capabilities, machine };
  }
}

function factsOfWake({ requestedAt, stage, agents, heard }: RunningWake): WakeFacts {
  return {
    at: requestedAt,
    stage,
    agents: [...agents.values()].map(({ key, stage: did, reason }) => ({ key, stage: did, reason })),
    heard: heard ? { by: heard.agent, from: heard.from } : null,
  };
}

/** Of a wake before the hub's start only its end is known, and who sent. */
function factsOfLast({ at, outcome, agents }: LastWake): Omit<WakeFacts, "heard"> {
  return { at: new Date(at), stage: outcome, agents: agents.map((key) => ({ key, stage: "sent", reason: null })) };
}

function takenOf(taken: ReturnType<PowerStates["takenBy"]>): Facts["takenBy"] {
  return taken && { mac: taken.mac, by: taken.by, at: taken.at.toISOString() };
}

function hasPlugEvidence({ powerMethod }: DirectoryDevice): boolean {
  if (powerMethod?.type !== "mqtt") return false;
  return powerMethod.stateTopic !== null || (powerMethod.wattsTopic !== null && powerMethod.standbyWatts !== null);
}
