import { randomUUID } from "node:crypto";
import pino from "pino";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { ScheduleRun as Run, ScheduleWhen } from "#contracts/api/schedules.ts";
import type { Actor } from "#contracts/permissions.ts";
import { createDatabase } from "#test/fixtures/database.ts";
import { CLUSTER_DEFAULTS, DEVICE_DEFAULTS } from "#test/fixtures/directory-rows.ts";
import { openTestDatabase } from "#test/fixtures/opened-database.ts";
import type { Database } from "../kernel/database.ts";
import { Directory } from "../members/directory.ts";
import { ensureDefaultSite } from "../sites/sites.service.ts";
import type { ActedPart, ScheduleActions } from "./acting.ts";
import { endAbandonedRuns } from "./claim.ts";
import { type RunJournal, startRunJournal } from "./run-journal.ts";
import { Schedule, ScheduleRun } from "./schedule.entity.ts";
import { ScheduleRunner } from "./schedule-runner.ts";
import { type Schedules, loadSchedules, refreshSchedules } from "./schedules.ts";

/** Runners on one database, with a clock that the test sets. What they do to devices is written down. */

const log = pino({ level: "silent" });
const DAILY: ScheduleWhen = { type: "cron", cron: "0 7 * * *", timeZone: "UTC" };
const MINUTE_MS = 60_000;

let database: Database;
let isUp = true;
let siteId: string;
let directory: Directory;
let journal: RunJournal;
let now: Date;
let deviceId: string;
let woken: string[];

interface RunningHub {
  readonly schedules: Schedules;
  readonly runner: ScheduleRunner;
  readonly told: Run[];
  readonly over: (id: string, stage: string) => void;
}

beforeAll(async () => {
  database = await openTestDatabase(await createDatabase());
  siteId = (await ensureDefaultSite(database.fork(), new Date())).id;
  journal = startRunJournal(database, log);
}, 120_000);

afterAll(async () => {
  await journal.close();
  await database.close();
});

beforeEach(async () => {
  await database.fork().nativeDelete(Schedule, {}, { filters: { site: false } });
  isUp = true;
  now = new Date("2026-03-02T12:00:00Z");
  woken = [];
  directory = new Directory();
  const row = { id: randomUUID(), siteId, name: "x", description: null, tags: [], ownerId: null, shares: [] };
  const common = { ...row, showInHomeAssistant: true, createdAt: now, updatedAt: now };
  directory.putCluster({ ...common, key: "unassigned", unassigned: true, ...CLUSTER_DEFAULTS });
  deviceId = randomUUID();
  const settings = { address: null, os: "linux", secureOn: null, agentIds: [], enabled: true } as const;
  const wake = { addresses: [], ports: [9], windowSeconds: null };
  const watch = { icmp: true, arp: true, tcpPorts: [], intervalSeconds: 10 };
  const device = { ...common, id: deviceId, clusterId: row.id, key: "nas", mac: "02:00:00:00:00:01" };
  directory.putDevice({ ...device, ...settings, wake, watch, ...DEVICE_DEFAULTS });
});

async function addSchedule(fields: Partial<Schedule> = {}): Promise<string> {
  const em = database.fork();
  const id = randomUUID();
  em.create(Schedule, {
    id,
    site: siteId,
    key: `s-${id.slice(0, 8)}`,
    name: "Schedule",
    description: null,
    enabled: true,
    action: "wake",
    deviceIds: [deviceId],
    clusterIds: [],
    when: DAILY,
    jitterSeconds: 0,
    catchUpMinutes: 15,
    force: false,
    skipNext: false,
    settledUntil: now,
    owner: null,
    createdAt: now,
    updatedAt: now,
    ...(fields as object),
  });
  await em.flush();
  return id;
}

/** One more hub on the same database, which holds its own memory. */
async function startHub(ownerOf: () => Actor | null | undefined = () => null): Promise<RunningHub> {
  const schedules = await loadSchedules(database.fork());
  const told: Run[] = [];
  const listeners: ((id: string, stage: string, reason: string | null) => void)[] = [];
  const actions: ScheduleActions = {
    wake: (devices) => devices.map(({ key }): ActedPart => (woken.push(key), part(key, "accepted", `wake-${key}`))),
    powerOff: (devices) => devices.map(({ key }) => part(key, "already-off", null)),
    onOver: (listener) => listeners.push(listener),
  };
  const runner = new ScheduleRunner({
    database: { ...database, isUp: () => isUp },
    schedules,
    directory,
    journal,
    actions,
    ownerOf,
    onRun: (_schedule, run) => told.push(run),
    now: () => now,
    log,
  });
  runner.plan();
  return { schedules, runner, told, over: (id, stage) => listeners.forEach((listener) => listener(id, stage, null)) };
}

function part(key: string, stage: string, follow: string | null): ActedPart {
  return { device: key as ActedPart["device"], stage, code: null, reason: null, follow };
}

async function rows(schedule: string): Promise<ScheduleRun[]> {
  await journal.flush();
  return await database.fork().find(ScheduleRun, { schedule }, { filters: { site: false }, orderBy: { dueAt: "asc" } });
}

const outcomes = async (id: string) =>
  (await rows(id)).map(({ dueAt, outcome, code }) => [dueAt.toISOString().slice(0, 16), outcome, code]);

describe("two hubs on one database", () => {
  test("fire once, whoever looks first, and both know it afterwards", async () => {
    const id = await addSchedule();
    const hubs = [await startHub(), await startHub()];
    now = new Date("2026-03-03T07:00:01Z");
    await Promise.all(hubs.map(({ runner }) => runner.look()));
    expect(woken).toEqual(["nas"]);
    expect(hubs.flatMap(({ told }) => told)).toHaveLength(1);
    expect(await outcomes(id)).toEqual([["2026-03-03T07:00", "ran", null]]);
    for (const { schedules } of hubs) {
      await refreshSchedules(database.fork(), schedules);
      expect(schedules.byId(id)).toMatchObject({
        settledUntil: new Date("2026-03-03T07:00:00Z"),
        lastRun: { outcome: "ran" },
      });
    }
  });

  test("go by the row: what the other one disabled, skipped or deleted is not fired", async () => {
    const [disabled, skipped, deleted] = [await addSchedule(), await addSchedule(), await addSchedule()];
    const { runner } = await startHub();
    const em = database.fork();
    await em.nativeUpdate(Schedule, { id: disabled }, { enabled: false }, { filters: { site: false } });
    await em.nativeUpdate(Schedule, { id: skipped }, { skipNext: true }, { filters: { site: false } });
    await em.nativeDelete(Schedule, { id: deleted }, { filters: { site: false } });
    now = new Date("2026-03-03T07:00:01Z");
    await runner.look();
    expect(woken).toEqual([]);
    expect(await outcomes(disabled)).toEqual([]);
    expect(await outcomes(skipped)).toEqual([["2026-03-03T07:00", "skipped", "SKIP_NEXT"]]);
    now = new Date("2026-03-04T07:00:01Z");
    await runner.look();
    expect(woken).toEqual(["nas"]);
  });
});

describe("a hub that was away", () => {
  test("makes up for a firing within the window, and says so", async () => {
    const id = await addSchedule();
    now = new Date("2026-03-03T07:12:00Z");
    const { runner } = await startHub();
    await runner.look();
    expect(woken).toEqual(["nas"]);
    expect((await rows(id))[0]?.because).toMatch(/^Made up for after 12 min/);
  });

  test("writes one row for all that it missed, and leaves a skip to the first of them", async () => {
    const id = await addSchedule({ skipNext: true });
    now = new Date("2026-03-06T07:05:00Z");
    const { runner, told } = await startHub();
    await runner.look();
    expect(await outcomes(id)).toEqual([
      ["2026-03-05T07:00", "skipped", "MISSED"],
      ["2026-03-06T07:00", "ran", null],
    ]);
    expect((await rows(id))[0]?.because).toContain("3 firings from 2026-03-03T07:00:00.000Z");
    expect(told).toHaveLength(2);
    await runner.look();
    expect(woken).toEqual(["nas"]);
  });

  test("fires when the database is back, if that is not too late", async () => {
    const id = await addSchedule();
    const { runner } = await startHub();
    isUp = false;
    now = new Date("2026-03-03T07:00:01Z");
    await runner.look();
    expect(await outcomes(id)).toEqual([]);
    isUp = true;
    now = new Date("2026-03-03T07:10:00Z");
    await runner.look();
    expect(await outcomes(id)).toEqual([["2026-03-03T07:00", "ran", null]]);
  });

  test("ends what it left in the middle", async () => {
    const id = await addSchedule();
    const em = database.fork();
    const of = { id: randomUUID(), site: siteId, schedule: id, dueAt: now, at: now, devices: [] };
    em.create(ScheduleRun, { ...of, outcome: "ran", because: "It is being carried out", code: "UNDER_WAY" });
    await em.flush();
    await endAbandonedRuns(database.fork(), new Date(now.getTime() + 9 * MINUTE_MS));
    expect(await outcomes(id)).toEqual([["2026-03-02T12:00", "ran", "UNDER_WAY"]]);
    await endAbandonedRuns(database.fork(), new Date(now.getTime() + 11 * MINUTE_MS));
    expect(await outcomes(id)).toEqual([["2026-03-02T12:00", "ran", "HUB_RESTARTED"]]);
  });
});

describe("a clock that jumps", () => {
  test("back by an hour fires nothing twice", async () => {
    const id = await addSchedule();
    const { runner } = await startHub();
    for (const instant of [
      "2026-03-03T07:00:05Z",
      "2026-03-03T06:00:05Z",
      "2026-03-03T07:00:02Z",
      "2026-03-03T07:30:00Z",
    ]) {
      now = new Date(instant);
      await runner.look();
    }
    expect(woken).toEqual(["nas"]);
    expect(await outcomes(id)).toEqual([["2026-03-03T07:00", "ran", null]]);
  });

  test("back by a day fires nothing twice either, also on a hub that knows nothing of it", async () => {
    const id = await addSchedule();
    const { runner } = await startHub();
    now = new Date("2026-03-03T07:00:05Z");
    await runner.look();
    now = new Date("2026-03-02T07:00:05Z");
    const { runner: other } = await startHub();
    for (const hub of [runner, other]) await hub.look();
    now = new Date("2026-03-03T07:00:05Z");
    for (const hub of [runner, other]) await hub.look();
    expect(await outcomes(id)).toEqual([["2026-03-03T07:00", "ran", null]]);
    now = new Date("2026-03-04T07:00:05Z");
    for (const hub of [runner, other]) await hub.look();
    expect(woken).toEqual(["nas", "nas"]);
  });

  test("forward by an hour catches up", async () => {
    const id = await addSchedule({ catchUpMinutes: 60 });
    const { runner } = await startHub();
    now = new Date("2026-03-03T06:59:00Z");
    await runner.look();
    now = new Date("2026-03-03T07:59:00Z");
    await runner.look();
    expect(await outcomes(id)).toEqual([["2026-03-03T07:00", "ran", null]]);
  });
});

describe("what became of a firing", () => {
  test("is told by its row when all is over", async () => {
    const id = await addSchedule();
    const { runner, schedules, over } = await startHub();
    now = new Date("2026-03-03T07:00:00Z");
    await runner.look();
    expect((await rows(id))[0]).toMatchObject({
      because: "nas: on the way",
      devices: [{ device: "nas", stage: "accepted" }],
    });
    over("wake-nas", "awake");
    expect((await rows(id))[0]).toMatchObject({ because: "nas: awake", devices: [{ device: "nas", stage: "awake" }] });
    expect(schedules.byId(id)?.lastRun?.because).toBe("nas: awake");
  });

  test.each<[string, object, Actor | null | undefined, string]>([
    ["there is nothing to do", { action: "off" }, null, "NOTHING_TO_DO"],
    ["its devices are gone", { deviceIds: [randomUUID()] }, null, "NOTHING_TO_DO"],
    ["its owner is nobody any more", {}, undefined, "FORBIDDEN"],
    ["its owner is only a viewer now", {}, { userId: "x", role: "viewer", permissions: null }, "FORBIDDEN"],
  ])("is that it was skipped where %s", async (_, fields, owner, code) => {
    const id = await addSchedule(fields);
    const { runner } = await startHub(() => owner);
    now = new Date("2026-03-03T07:00:00Z");
    await runner.look();
    expect(woken).toEqual([]);
    expect(await outcomes(id)).toEqual([["2026-03-03T07:00", "skipped", code]]);
  });

  test("is that it was skipped where all of its devices are disabled", async () => {
    const device = directory.devices.byId(deviceId);
    if (device) directory.putDevice({ ...device, enabled: false });
    const id = await addSchedule();
    const { runner } = await startHub();
    now = new Date("2026-03-03T07:00:00Z");
    await runner.look();
    expect(await outcomes(id)).toEqual([["2026-03-03T07:00", "skipped", "DISABLED"]]);
  });
});
