import { type EntityManager, MikroORM } from "@mikro-orm/postgresql";
import { randomUUID } from "node:crypto";
import type { DeviceAnswer } from "#contracts/api/devices.ts";
import type { ScheduleAnswer } from "#contracts/api/schedules.ts";
import type { Key } from "#contracts/key.ts";
import type { WakeStageRecord } from "#contracts/wake.ts";
import { Agent } from "#core/agents/agent.entity.ts";
import { Cluster } from "#core/clusters/cluster.entity.ts";
import { Device } from "#core/devices/device.entity.ts";
import { outcomeOf } from "#core/schedules/outcome.rules.ts";
import { Schedule, ScheduleRun } from "#core/schedules/schedule.entity.ts";
import { Site } from "#core/sites/site.entity.ts";
import { WakeRecipe } from "#core/wake/wake-recipe.entity.ts";
import { Wake } from "#core/wake/wake.entity.ts";
import ormConfig from "../../mikro-orm.config.ts";
import { momentOf, writePastPower } from "./past-power.ts";

/** A device of the demo and the agent that wakes it. */
export interface Woken {
  readonly device: DeviceAnswer;
  readonly agent: Key;
  readonly agentId: string;
}

const NIGHTLY = "schedule:nightly-backup";

export type Outcome = number | "no-answer" | "failed";

/** Days ago, time of day, device, outcome (a number: awake after so many seconds), who asked. */
export type PastWake = readonly [number, string, string, Outcome, string];
const PAST: readonly PastWake[] = [
  [6, "02:00", "Backup server", 6.1, NIGHTLY],
  [6, "19:12", "Gaming PC", 4.3, "demo"],
  [5, "02:00", "Backup server", "failed", NIGHTLY],
  [5, "07:55", "NAS", 8.4, "home-assistant"],
  [4, "02:00", "Backup server", 6.4, NIGHTLY],
  [4, "20:40", "Media player", 2.3, "home-assistant"],
  [3, "02:00", "Backup server", 5.8, NIGHTLY],
  [3, "09:03", "Proxmox", 7.6, "demo"],
  [3, "21:17", "Gaming PC", 4.1, "demo"],
  [2, "02:00", "Backup server", 6.2, NIGHTLY],
  [2, "08:31", "Workstation", "no-answer", "demo"],
  [2, "20:05", "Media player", 2.6, "home-assistant"],
  [1, "02:00", "Backup server", 6.0, NIGHTLY],
  [1, "08:29", "Workstation", "no-answer", "demo"],
  [1, "18:48", "Gaming PC", 4.4, "home-assistant"],
  [0, "02:00", "Backup server", 6.2, NIGHTLY],
];

const HOUR_MS = 60 * 60 * 1_000;
const MONTH_MS = 30 * 24 * 60 * 60 * 1_000;

/** What the past is about. */
export interface Furnished {
  readonly woken: readonly Woken[];
  readonly schedule: ScheduleAnswer;
}

/** Writes the past days, as the hub would have, while it does not look: it reads them at its next start. */
export async function writeHistory(databaseUrl: string, furnished: Furnished, now: Date): Promise<void> {
  const { woken, schedule } = furnished;
  const orm = new MikroORM({ ...ormConfig, clientUrl: databaseUrl });
  try {
    const em = orm.em.fork();
    const site = await em.findOneOrFail(Site, { key: "default" });
    const past = PAST.filter(([daysAgo, time]) => momentOf(now, daysAgo, time).getTime() < now.getTime() - HOUR_MS);
    for (const [daysAgo, time, name, outcome, by] of past) {
      const found = woken.find(({ device }) => device.name === name);
      if (!found) throw new Error(`The history names ${name}, which is no machine of the demo`);
      const requestedAt = momentOf(now, daysAgo, time);
      const stages = stagesOf(found, requestedAt, outcome);
      const last = stages.at(-1);
      em.create(Wake, {
        id: randomUUID(),
        site,
        device: em.getReference(Device, found.device.id),
        requestedAt,
        requestedBy: by,
        stage: last?.stage ?? "accepted",
        finishedAt: new Date(last?.at ?? requestedAt),
        seconds: typeof outcome === "number" ? outcome : null,
        evidence: last?.stage === "awake" ? last.evidence : null,
        stages,
      });
      if (by === NIGHTLY) em.create(ScheduleRun, { site, ...runOf(schedule, found, last, requestedAt) });
    }
    for (const one of woken) learn(em, site, one, now);
    writePastPower(em, { site, woken, now, wakes: past });
    await em.flush();
    // who was woken six days ago was not made today
    const createdAt = new Date(now.getTime() - MONTH_MS);
    const made = { createdAt, updatedAt: createdAt };
    em.setFilterParams("site", { siteId: site.id });
    await em.nativeUpdate(Cluster, {}, made);
    await em.nativeUpdate(Agent, {}, made);
    await em.nativeUpdate(Device, {}, made);
    await em.nativeUpdate(Schedule, {}, made);
  } finally {
    await orm.close(true);
  }
}

/** What the hub had learned of the wakes that came up. */
function learn(em: EntityManager, site: Site, { device, agentId }: Woken, now: Date): void {
  const durations = PAST.flatMap(([, , name, outcome]) =>
    name === device.name && typeof outcome === "number" ? [outcome] : [],
  );
  const way = { agentId, interface: "lo", successes: durations.length, lastAt: now.toISOString() };
  const ways = device.wake.addresses.flatMap((address) => device.wake.ports.map((port) => ({ ...way, address, port })));
  if (durations.length > 0)
    em.create(WakeRecipe, { device: em.getReference(Device, device.id), site, ways, durations, updatedAt: now });
}

/** The firing that asked for a wake. */
function runOf({ id }: ScheduleAnswer, { device }: Woken, end: WakeStageRecord | undefined, at: Date) {
  const refused = end?.stage === "failed" ? end : null;
  const stage = refused ? "refused" : (end?.stage ?? "accepted");
  const part = { device: device.key, stage, code: refused?.code ?? null, reason: refused?.reason ?? null };
  return { id: randomUUID(), schedule: id, dueAt: at, at, ...outcomeOf("wake", [part]), devices: [part] };
}

function stagesOf({ device, agent }: Woken, requestedAt: Date, outcome: Outcome): WakeStageRecord[] {
  const after = (seconds: number) => new Date(requestedAt.getTime() + seconds * 1_000).toISOString();
  if (outcome === "failed") {
    const reason = "Every agent that could wake this device is offline";
    const agents = [{ agent, code: "OFFLINE", reason: "It is offline" }];
    return [{ stage: "failed", at: after(0), code: "ALL_OFFLINE", reason, agents, findings: [] }];
  }
  const destinations = device.wake.addresses.flatMap((address) =>
    device.wake.ports.map((port) => ({ address, port, interface: "lo", error: null })),
  );
  const sent: WakeStageRecord[] = [
    { stage: "accepted", at: after(0), agents: [agent] },
    { stage: "sent", at: after(0.2), agent, packets: 3 * destinations.length, destinations },
  ];
  if (outcome === "no-answer") {
    const seconds = device.wake.windowSeconds ?? 120;
    return [...sent, { stage: "no-answer", at: after(seconds), seconds, resent: 3, agents: [], findings: [] }];
  }
  const at = after(outcome);
  return [...sent, { stage: "awake", at, seconds: outcome, evidence: { by: agent, how: "tcp", at } }];
}
