import { join } from "node:path";
import { type Agent, startAgent } from "../../agent/agent.ts";
import type { Credential } from "../../agent/credential.ts";
import { simulatedPower } from "../../agent/fixtures/simulated-power.ts";
import { joinHub } from "../../agent/join.ts";
import { createLog } from "../../agent/log.ts";
import type { Api, ApiAnswer } from "#test/fixtures/api.ts";
import type { Woken } from "./history.ts";
import type { DemoMachine } from "./machines.ts";
import { PLACES, type Place } from "./scene.ts";

/** A hub to fill, as somebody who may do everything there. */
export interface EmptyHub {
  readonly url: string;
  readonly api: Api;
  /** Agents keep their credentials below it. */
  readonly folder: string;
}

/** An agent that has joined, ready to run. */
export interface JoinedAgent {
  readonly credential: Credential;
  readonly stateDir: string;
}

/** Makes the clusters and devices and joins the agents, all through the API. */
export async function furnish(
  hub: EmptyHub,
  machines: readonly DemoMachine[],
): Promise<{ agents: JoinedAgent[]; woken: Woken[] }> {
  const agents: JoinedAgent[] = [];
  const woken: Woken[] = [];
  for (const place of PLACES) {
    const { name, description } = place;
    const { id: clusterId } = created(await hub.api.post("/clusters", { name, description }));
    const agent = await joinAgent(hub, place, clusterId);
    agents.push(agent);
    for (const { machine, settings } of machines) {
      if (machine.place !== place.name) continue;
      const { name, mac, os, description, tags } = machine;
      const texts = { name, mac, os, description, tags };
      const device = created(await hub.api.post("/devices", { ...texts, ...settings, clusterId }));
      woken.push({ device, agent: agent.credential.agent });
    }
  }
  return { agents, woken };
}

export function runAgent({ credential, stateDir }: JoinedAgent): Promise<Agent> {
  const log = createLog({ level: "warn", stream: process.stderr });
  // whatever is tried with the demo, the machine that it runs on stays up
  const power = simulatedPower({ actions: [], problem: "This is the demo; its agents take nothing down" });
  return startAgent({ credential, stateDir, log, power });
}

/** What the API has made. @throws when it refused. */
// oxlint-disable-next-line typescript/no-explicit-any -- bodies are untyped there
export function created({ status, body }: ApiAnswer): any {
  if (status !== 201) throw new Error(`The hub answered ${status}: ${JSON.stringify(body)}`);
  return body;
}

async function joinAgent({ url, api, folder }: EmptyHub, place: Place, clusterId: string): Promise<JoinedAgent> {
  const stateDir = join(folder, `agent-${clusterId}`);
  const { code } = created(await api.post("/enrolments", { clusterId }));
  return { credential: await joinHub({ hubUrl: url, code, name: place.agent, stateDir }), stateDir };
}
