import type { Logger } from "pino";
import { SightingBatch } from "#contracts/agent.ts";
import { topics } from "#contracts/topics.ts";
import type { Link } from "../kernel/link.ts";
import { parseJson } from "../kernel/parse.ts";
import type { Directory } from "../members/directory.ts";
import type { PowerStates } from "./power-states.ts";

/** What agents saw. */
export function listenToSightings({
  link,
  directory,
  power,
  log,
}: {
  link: Link;
  directory: Directory;
  power: PowerStates;
  log: Logger;
}): void {
  link.on(topics.agentSightings, (message) => {
    const agent = directory.agents.byKey(message.key);
    const batch = SightingBatch.safeParse(parseJson(message.payload));
    if (!agent || !batch.success)
      return log.warn({ topic: message.topic, problem: batch.error?.message }, "a message was dropped");
    power.sighted(agent, batch.data.sightings, batch.data.full, new Date());
  });
}
