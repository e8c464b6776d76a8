import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { type Agent, startAgent } from "../../agent/agent.ts";
import type { Credential } from "../../agent/credential.ts";
import { simulatedPower } from "../../agent/fixtures/simulated-power.ts";
import { joinHub } from "../../agent/join.ts";
import { createLog } from "../../agent/log.ts";
import type { ScheduleAnswer } from "#contracts/api/schedules.ts";
import type { Api, ApiAnswer } from "#test/fixtures/api.ts";
import type { Woken } from "./history.ts";
import type { DemoMachine } from "./machines.ts";
import { OwnAgent } from "./own-agent.ts";
import { PLACES } from "./scene.ts";

/** A hub to fill, as somebody who may do everything there. */
export interface EmptyHub {
  readonly url: string;
  readonly api: Api;
  /** Agents keep their credentials below it. */
  readonly folder: string;
}

/** An agent that has joined, ready to run. */
export interface JoinedAgent {
  readonly id: string;
  readonly credential: Credential;
  readonly stateDir: string;
}

/** What the hub was filled with. */
export interface Furniture {
  /** Of the places: they stay up, wake and watch. */
  readonly agents: readonly JoinedAgent[];
  readonly ownAgents: readonly OwnAgent[];
  readonly woken: readonly Woken[];
  readonly schedule: ScheduleAnswer;
}

/** Who plays has so long to say not now. */
const COUNTDOWN_SECONDS = 10;

/** Makes the clusters and devices and joins the agents, says what needs what, and makes a schedule and a lease: all through the API. */
export async function furnish(hub: EmptyHub, machines: readonly DemoMachine[]): Promise<Furniture> {
  const agents: JoinedAgent[] = [];
  const ownAgents: OwnAgent[] = [];
  const woken: Woken[] = [];
  for (const place of PLACES) {
    const { name, description } = place;
    const { id: clusterId } = created(await hub.api.post("/clusters", { name, description }));
    const agent = await joinAgent(hub, place.agent, clusterId);
    agents.push(agent);
    const agentIds = [agent.id]; // those on machines come and go
    for (const demoMachine of machines) {
      const { machine, settings } = demoMachine;
      if (machine.place !== place.name) continue;
      const { name, mac, os, description, tags } = machine;
      const texts = { name, mac, os, description, tags };
      const own = machine.own && (await joinAgent(hub, machine.own.name, clusterId));
      if (own) ownAgents.push(new OwnAgent(own, demoMachine));
      const power = { ownAgentId: own?.id ?? null, countdownSeconds: COUNTDOWN_SECONDS };
      const device = created(await hub.api.post("/devices", { ...texts, ...settings, clusterId, agentIds, power }));
      woken.push({ device, agent: agent.credential.agent, agentId: agent.id });
    }
  }
  const idOf = (name: string) => woken.find(({ device }) => device.name === name)?.device.id ?? "";
  for (const { machine } of machines) {
    if (!machine.needs) continue;
    const dependsOn = machine.needs.map((name) => ({ deviceId: idOf(name) }));
    const { status, body } = await hub.api.patch(`/devices/${idOf(machine.name)}`, { dependsOn });
    if (status !== 200) throw new Error(`The hub answered ${status}: ${JSON.stringify(body)}`);
  }
  const held = { forMinutes: 240, reason: "Upgrade of the virtual machines", wake: false };
  created(await hub.api.post(`/devices/${idOf("Proxmox")}/leases`, held));
  return { agents, ownAgents, woken, schedule: await nightlyBackup(hub, idOf("Backup server")) };
}

async function nightlyBackup({ api }: EmptyHub, deviceId: string): Promise<ScheduleAnswer> {
  const { timeZone } = new Intl.DateTimeFormat().resolvedOptions();
  const when = { type: "cron", cron: "0 2 * * *", timeZone };
  return created(await api.post("/schedules", { name: "Nightly backup", action: "wake", deviceIds: [deviceId], when }));
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

async function joinAgent({ url, api, folder }: EmptyHub, name: string, clusterId: string): Promise<JoinedAgent> {
  const stateDir = join(folder, `agent-${randomUUID()}`);
  const { code } = created(await api.post("/enrolments", { clusterId }));
  const credential = await joinHub({ hubUrl: url, code, name, stateDir });
  const { items } = (await api.get("/agents")).body as { items: { id: string; key: string }[] };
  const id = items.find(({ key }) => key === credential.agent)?.id;
  if (id === undefined) throw new Error(`The hub does not know the agent ${name}`);
  return { id, credential, stateDir };
}
