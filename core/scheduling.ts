import type { Logger } from "pino";
import type { ScheduleRun } from "#contracts/api/schedules.ts";
import { Key } from "#contracts/key.ts";
import type { Audit } from "./audit/audit.service.ts";
import type { Accounts } from "./auth/accounts.ts";
import type { Database } from "./kernel/database.ts";
import type { Link } from "./kernel/link.ts";
import { LeaseEnds } from "./leases/lease-ends.ts";
import type { LeaseHolding } from "./leases/lease-holding.ts";
import type { OpenLease } from "./leases/lease.rules.ts";
import { type Leases, refreshLeases } from "./leases/leases.ts";
import type { EventDetails } from "./live/events.ts";
import type { Directory, DirectoryDevice } from "./members/directory.ts";
import type { PowerStates } from "./power/power-states.ts";
import { powerAcceptedOf } from "./power-off/power-off-answer.ts";
import type { PowerOffService } from "./power-off/power-off.service.ts";
import { endAbandonedRuns } from "./schedules/claim.ts";
import { startRunJournal } from "./schedules/run-journal.ts";
import { nameOf, scheduleActions } from "./schedules/schedule-actions.ts";
import { ScheduleRunner } from "./schedules/schedule-runner.ts";
import { ScheduleTopics } from "./schedules/schedule-topics.ts";
import { type KnownSchedule, type Schedules, refreshSchedules } from "./schedules/schedules.ts";
import type { EventType } from "#contracts/event.ts";
import type { WakeService } from "./wake/wake.service.ts";

export interface SchedulingParts {
  readonly database: Database;
  readonly schedules: Schedules;
  readonly leases: Leases;
  readonly directory: Directory;
  readonly accounts: Accounts;
  readonly audit: Audit;
  readonly power: PowerStates;
  readonly wakes: WakeService;
  readonly powerOffs: PowerOffService;
  readonly link: Link;
  /** Publishes what happened. */
  readonly tell: (event: EventType, siteId: string, details: EventDetails) => void;
  readonly log: Logger;
}

/** What fires schedules and ends leases. */
export interface Scheduling {
  readonly holding: LeaseHolding;
  readonly topics: ScheduleTopics;
  /** Calls the listener when schedules or leases of a site changed. */
  readonly onChange: (listener: (siteId: string) => void) => void;
  /** Writes what waits of the history. */
  readonly flush: () => Promise<void>;
  /** Call it when there is a connection to the broker. */
  start(): void;
  /** Takes up what was changed while nobody could tell. */
  catchUp(): Promise<void>;
  close(): Promise<void>;
}

const THE_HUB = { type: "system", id: null, name: "hub" } as const;

export async function openScheduling(parts: SchedulingParts, startedAt: Date): Promise<Scheduling> {
  const { database, schedules, leases, directory, audit, accounts, power, wakes, powerOffs, link, tell, log } = parts;
  const now = () => new Date();
  const trailIn = (siteId: string, actor: Parameters<Audit["trail"]>[0]["actor"]) =>
    audit.trail({ siteId, actor, address: null, requestId: null });
  await endAbandonedRuns(database.fork(), startedAt);
  const journal = startRunJournal(database, log);
  const runner = new ScheduleRunner({
    database,
    schedules,
    directory,
    journal,
    actions: scheduleActions({
      wakes,
      powerOffs,
      trailOf: ({ siteId, id, key }) => trailIn(siteId, { type: "schedule", id, name: key }),
    }),
    ownerOf: ({ ownerId, siteId }) => {
      if (ownerId === null) return null;
      const role = accounts.roleIn(ownerId, siteId);
      return role && { userId: ownerId, role, permissions: null };
    },
    onRun: tellRun,
    now,
    log,
  });
  const ends = new LeaseEnds({
    database,
    leases,
    directory,
    power,
    wakes: {
      isRunning: (deviceId) => wakes.runningOf(deviceId) !== undefined,
      onAsked: (listener) => wakes.onAsked(listener),
      onOver: (listener) => wakes.onNews((wake) => (wake.isOver ? listener(wake.deviceId) : undefined)),
    },
    powerOff,
    onEnded: (lease, device, reason) => tellLease("lease_ended", lease, device, reason),
    now,
    log,
  });
  const scheduleTopics = new ScheduleTopics({ schedules, link, now, log });

  function powerOff(device: DirectoryDevice): string | null {
    const by = { by: "hub, after the last lease", door: "hub", trail: trailIn(device.siteId, THE_HUB) } as const;
    const asker = { ...by, transaction: null, response: null, mayWake: () => false };
    const [part] = powerOffs.request([device], "off", asker, { force: false });
    const { stage, reason = "nobody can" } = part ? powerAcceptedOf(part) : { stage: "refused" };
    return stage === "refused" || stage === "failed" ? reason : null;
  }

  function takeBack(deviceId: string, by: string): void {
    const powerOff = powerOffs.runningOf(deviceId);
    if (powerOff && !powerOff.force && !powerOff.isAcknowledged) powerOffs.cancel(powerOff.id, by, "It is held on");
  }

  function tellRun(schedule: KnownSchedule, { outcome, because }: ScheduleRun): void {
    const event = outcome === "ran" ? "schedule_ran" : "schedule_skipped";
    tell(event, schedule.siteId, { by: nameOf(schedule), reason: because });
  }

  function tellLease(event: EventType, lease: OpenLease, device: DirectoryDevice, reason: string | null): void {
    const cluster = Key.parse(directory.clusterOf(device).key);
    tell(event, lease.siteId, { cluster, device: Key.parse(device.key), by: lease.heldBy, reason });
  }

  return {
    holding: {
      wakes,
      power,
      powerOffs: { isUnderWay: (deviceId) => powerOffs.runningOf(deviceId) !== undefined, takeBack },
      ends,
      onStarted: (lease, device) => tellLease("lease_started", lease, device, lease.reason),
    },
    topics: scheduleTopics,
    onChange: (listener) => {
      scheduleTopics.onChange(listener);
      leases.onChange((deviceId) => {
        const siteId = directory.devices.byId(deviceId)?.siteId;
        if (siteId !== undefined) listener(siteId);
      });
    },
    flush: () => journal.flush(),
    start: () => {
      runner.start();
      ends.start();
    },
    catchUp: async () => {
      await refreshSchedules(database.fork(), schedules);
      await refreshLeases(database.fork(), leases);
      await runner.look();
      await ends.look();
    },
    close: async () => {
      scheduleTopics.close();
      await runner.close();
      await ends.close();
      await journal.close();
    },
  };
}
