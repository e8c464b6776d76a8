import type { Logger } from "pino";
import { type PacketHeard, SightingBatch } from "#contracts/agent.ts";
import { topics } from "#contracts/topics.ts";
import type { Link } from "../kernel/link.ts";
import { parseJson } from "../kernel/parse.ts";
import type { Directory, DirectoryAgent } from "../members/directory.ts";
import type { PowerStates } from "./power-states.ts";

export interface SightingMessages {
  readonly link: Link;
  readonly directory: Directory;
  readonly power: PowerStates;
  /** Magic packets that an agent heard. */
  readonly onPackets: (agent: DirectoryAgent, packets: readonly PacketHeard[]) => void;
  readonly log: Logger;
}

/** What agents saw and heard. */
export function listenToSightings({ link, directory, power, onPackets, log }: SightingMessages): void {
  link.on(topics.agentSightings, (message) => {
    const agent = directory.agents.byKey(message.key);
    const batch = SightingBatch.safeParse(parseJson(message.payload));
    if (!agent || !batch.success)
      return log.warn({ topic: message.topic, problem: batch.error?.message }, "a message was dropped");
    const { sightings, full, packets } = batch.data;
    if (packets.length > 0) onPackets(agent, packets);
    power.sighted(agent, sightings, full, new Date());
  });
}
