import type { EntityManager } from "@mikro-orm/postgresql";
import { randomUUID } from "node:crypto";
import { Key } from "#contracts/key.ts";
import type { PowerOffAction } from "#contracts/power-action.ts";
import type { PowerOffStageRecord } from "#contracts/power-off.ts";
import type { PowerState } from "#contracts/power.ts";
import { Device } from "#core/devices/device.entity.ts";
import { PowerOff } from "#core/power-off/power-off.entity.ts";
import { PowerHistory } from "#core/power/power-history.entity.ts";
import type { Site } from "#core/sites/site.entity.ts";
import type { PastWake, Woken } from "./history.ts";
import { MACHINES } from "./scene.ts";

type Outcome = number | "held" | "not-now";

/** Days ago, time of day, device, how, outcome (a number: seen off after so many seconds), who asked. */
type PastOff = readonly [number, string, string, PowerOffAction, Outcome, string];
const PAST_OFFS: readonly PastOff[] = [
  [6, "23:40", "Gaming PC", "shutdown", 24.8, "demo"],
  [6, "23:55", "NAS", "shutdown", 31.3, "home-assistant"],
  [4, "23:30", "Proxmox", "shutdown", 44.6, "demo"],
  [3, "23:58", "Gaming PC", "sleep", 16.1, "home-assistant"],
  [2, "21:05", "Proxmox", "shutdown", "held", "demo"],
  [1, "22:30", "Gaming PC", "shutdown", "not-now", "home-assistant"],
  [1, "23:31", "Gaming PC", "shutdown", 23.9, "home-assistant"],
];

/** Those that go to sleep by themselves do so after so many minutes. */
const UP_MINUTES: Readonly<Record<string, number>> = { "Backup server": 52, "Media player": 3 };
const DAYS = 7;

interface Change {
  readonly at: Date;
  readonly power: PowerState;
  readonly because: string;
}

interface Past {
  readonly site: Site;
  readonly woken: readonly Woken[];
  readonly now: Date;
  readonly wakes: readonly PastWake[];
}

/** The power-offs of the past days, and the power states that they and the wakes led to. */
export function writePastPower(em: EntityManager, { site, woken, now, wakes }: Past): void {
  for (const { device, agent } of woken) {
    const of = em.getReference(Device, device.id);
    const isUp = MACHINES.find(({ name }) => name === device.name)?.isUpAtFirst ?? false;
    const begin = isUp && UP_MINUTES[device.name] === undefined ? "on" : "off";
    const changes: Change[] = [
      { at: momentOf(now, DAYS, "00:00"), power: begin, because: begin === "on" ? "seen" : "missed" },
    ];
    for (const wake of wakes) if (wake[2] === device.name) changes.push(...changesOfWake(wake, now));
    for (const off of PAST_OFFS) {
      const [daysAgo, time, name, action, outcome, requestedBy] = off;
      if (name !== device.name) continue;
      const requestedAt = momentOf(now, daysAgo, time);
      const stages = stagesOf(requestedAt, outcome, device.key);
      const last = stages.at(-1);
      const finishedAt = new Date(last?.at ?? requestedAt);
      const seconds = typeof outcome === "number" ? outcome : null;
      const end = { stage: last?.stage ?? "accepted", finishedAt, seconds, stages };
      em.create(PowerOff, {
        id: randomUUID(),
        site,
        device: of,
        action,
        way: "agent",
        force: false,
        requestedAt,
        requestedBy,
        ...end,
      });
      if (seconds !== null)
        changes.push(
          { at: new Date(finishedAt.getTime() - 9_000), power: "stopping", because: "power-off" },
          { at: finishedAt, power: "off", because: "power-off" },
        );
    }
    for (const { at, power, because } of changes.toSorted((a, b) => a.at.getTime() - b.at.getTime())) {
      const evidence = power === "on" ? ({ by: agent, how: "tcp", at: at.toISOString() } as const) : null;
      em.create(PowerHistory, { id: randomUUID(), site, device: of, at, power, because, evidence });
    }
  }
}

export function momentOf(now: Date, daysAgo: number, time: string): Date {
  const [hours = 0, minutes = 0] = time.split(":").map(Number);
  return new Date(now.getFullYear(), now.getMonth(), now.getDate() - daysAgo, hours, minutes);
}

function changesOfWake([daysAgo, time, name, outcome]: PastWake, now: Date): Change[] {
  const at = momentOf(now, daysAgo, time);
  const after = (seconds: number) => new Date(at.getTime() + seconds * 1_000);
  if (outcome === "failed") return [];
  const waking: Change = { at, power: "waking", because: "wake" };
  if (outcome === "no-answer") return [waking, { at: after(30), power: "off", because: "command-over" }];
  const minutes = UP_MINUTES[name];
  const asleep: Change[] = minutes === undefined ? [] : [{ at: after(minutes * 60), power: "off", because: "missed" }];
  return [waking, { at: after(outcome), power: "on", because: "seen" }, ...asleep];
}

function stagesOf(requestedAt: Date, outcome: Outcome, device: string): PowerOffStageRecord[] {
  const after = (seconds: number) => new Date(requestedAt.getTime() + seconds * 1_000).toISOString();
  const agent = Key.parse(`${device}-agent`);
  const sent: PowerOffStageRecord[] = [
    { stage: "accepted", at: after(0), way: "agent", agent },
    { stage: "sent", at: after(0.1) },
  ];
  if (outcome === "held") {
    const reason = "It is held up by Backup of the virtual machines";
    return [...sent, { stage: "failed", at: after(0.4), code: "INHIBITED", reason }];
  }
  const announced: PowerOffStageRecord = { stage: "announced", at: after(0.4), until: after(10.4), users: 1 };
  if (outcome === "not-now")
    return [...sent, announced, { stage: "cancelled", at: after(6.2), by: agent, reason: "Anna said not now" }];
  const told: PowerOffStageRecord[] = device === "gaming-pc" ? [announced] : [];
  const acknowledged: PowerOffStageRecord = { stage: "acknowledged", at: after(outcome - 9) };
  return [...sent, ...told, acknowledged, { stage: "off", at: after(outcome), seconds: outcome }];
}
