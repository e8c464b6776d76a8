import { MikroORM } from "@mikro-orm/postgresql";
import { randomUUID } from "node:crypto";
import type { DeviceAnswer } from "#contracts/api/devices.ts";
import type { Key } from "#contracts/key.ts";
import type { WakeStageRecord } from "#contracts/wake.ts";
import { Agent } from "#core/agents/agent.entity.ts";
import { Cluster } from "#core/clusters/cluster.entity.ts";
import { Device } from "#core/devices/device.entity.ts";
import { Site } from "#core/sites/site.entity.ts";
import { Wake } from "#core/wake/wake.entity.ts";
import ormConfig from "../../mikro-orm.config.ts";

/** A device of the demo and the agent that wakes it. */
export interface Woken {
  readonly device: DeviceAnswer;
  readonly agent: Key;
}

type Outcome = number | "no-answer" | "failed";

/** Days ago, time of day, device, outcome (a number: awake after so many seconds), who asked. */
const PAST: readonly (readonly [number, string, string, Outcome, string])[] = [
  [6, "02:00", "Backup server", 6.1, "nightly-backup"],
  [6, "19:12", "Gaming PC", 4.3, "demo"],
  [5, "02:00", "Backup server", "failed", "nightly-backup"],
  [5, "07:55", "NAS", 8.4, "home-assistant"],
  [4, "02:00", "Backup server", 6.4, "nightly-backup"],
  [4, "20:40", "Media player", 2.3, "home-assistant"],
  [3, "02:00", "Backup server", 5.8, "nightly-backup"],
  [3, "09:03", "Proxmox", 7.6, "demo"],
  [3, "21:17", "Gaming PC", 4.1, "demo"],
  [2, "02:00", "Backup server", 6.2, "nightly-backup"],
  [2, "08:31", "Workstation", "no-answer", "demo"],
  [2, "20:05", "Media player", 2.6, "home-assistant"],
  [1, "02:00", "Backup server", 6.0, "nightly-backup"],
  [1, "08:29", "Workstation", "no-answer", "demo"],
  [1, "18:48", "Gaming PC", 4.4, "home-assistant"],
];

const MONTH_MS = 30 * 24 * 60 * 60 * 1_000;

/** Writes the wakes of the past days, as the hub would have, while it does not look: it reads them at its next start. */
export async function writeHistory(databaseUrl: string, woken: readonly Woken[], now: Date): Promise<void> {
  const orm = new MikroORM({ ...ormConfig, clientUrl: databaseUrl });
  try {
    const em = orm.em.fork();
    const site = await em.findOneOrFail(Site, { key: "default" });
    for (const [daysAgo, time, name, outcome, by] of PAST) {
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
    }
    await em.flush();
    // who was woken six days ago was not made today
    const createdAt = new Date(now.getTime() - MONTH_MS);
    const made = { createdAt, updatedAt: createdAt };
    em.setFilterParams("site", { siteId: site.id });
    await em.nativeUpdate(Cluster, {}, made);
    await em.nativeUpdate(Agent, {}, made);
    await em.nativeUpdate(Device, {}, made);
  } finally {
    await orm.close(true);
  }
}

function momentOf(now: Date, daysAgo: number, time: string): Date {
  const [hours = 0, minutes = 0] = time.split(":").map(Number);
  return new Date(now.getFullYear(), now.getMonth(), now.getDate() - daysAgo, hours, minutes);
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
