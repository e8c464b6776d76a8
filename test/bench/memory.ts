import { setTimeout as sleep } from "node:timers/promises";
import { startHubProcess } from "./hub-process.ts";
import type { Part } from "./part.ts";
import { residentMiB } from "./process-figures.ts";
import { bundledAgent, startRealAgent } from "./real-agent.ts";

/** Memory in RAM of a hub (without its Postgres) and of an agent (as it ships) that were set up and left alone. */
export const memoryPart: Part = async ({ report, cleanup, quick }) => {
  const hub = await startHubProcess(cleanup);
  const { body } = await hub.api.post("/clusters", { name: "Home" });
  const file = bundledAgent(cleanup);
  const agent = await startRealAgent(hub, { name: "Agent", clusterId: body.id, file }, cleanup);
  await sleep(quick ? 10_000 : 60_000);
  report.add({ name: "memory.hub.idle", value: residentMiB(hub.pid), unit: "MiB", bound: { atMost: 160 } });
  report.add({ name: "memory.agent.idle", value: residentMiB(agent.pid), unit: "MiB", bound: { atMost: 75 } });
};
