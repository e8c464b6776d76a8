import pino from "pino";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Database } from "#core/kernel/database.ts";
import { createDatabase, query, superuserUrl } from "#test/fixtures/database.ts";
import { type TestHub, startTestHub } from "#test/fixtures/hub.ts";
import { openTestDatabase } from "#test/fixtures/opened-database.ts";
import { startScriptedAgent } from "#test/fixtures/scripted-agent.ts";
import { addUpDays } from "./power-days.ts";
import { startPowerHistory } from "./power-history.ts";
import type { PowerStates } from "./power-states.ts";

const log = pino({ level: "silent" });

describe("the history of a device", () => {
  let hub: TestHub;

  beforeAll(async () => {
    hub = await startTestHub();
  });

  afterAll(async () => {
    await hub.close();
  });

  const history = async (id: string, search = "") => (await hub.api.get(`/devices/${id}/history${search}`)).body;

  test("tells each state that it came into and why, over restarts of the hub, and makes nothing up", async () => {
    const agent = await startScriptedAgent(hub);
    const { body: nas } = await hub.api.post("/devices", { name: "NAS", mac: "02:00:00:00:05:01" });
    await expect.poll(() => agent.watchList()?.devices.length).toBe(1);
    expect((await history(nas.id)).states).toEqual([]);
    await agent.sees({ nas: false });
    await agent.sees({ nas: true });
    await expect.poll(async () => (await history(nas.id)).states.length).toBe(2);
    await agent.close();
    await hub.restart();
    const { states } = await history(nas.id);
    expect(states).toMatchObject([
      { power: "off", because: "missed", evidence: null },
      { power: "on", because: "seen", evidence: { by: "pi", how: "arp" } },
      { power: "unknown", because: "hub-start", evidence: null },
    ]);

    const [, seen] = states;
    const later = await history(nas.id, `?from=${encodeURIComponent(states[2].at)}`);
    expect(later.states.map(({ at }: { at: string }) => at)).toEqual([seen.at, states[2].at]); // and what went on until then
    expect((await history(nas.id, "?limit=1")).states).toMatchObject([{ power: "unknown" }]);
    await hub.restart();
    expect((await history(nas.id)).states).toHaveLength(3); // it was unknown before
  });

  test("is nobody's who may not see the device, and of no device that is not there", async () => {
    const nobodys = "00000000-0000-4000-8000-000000000000";
    expect((await hub.api.get(`/devices/${nobodys}/history`)).status).toBe(404);
    const { body: box } = await hub.api.post("/devices", { name: "Box", mac: "02:00:00:00:05:02" });
    const backwards = "?from=2026-02-01T00:00:00Z&to=2026-01-01T00:00:00Z";
    expect(await hub.api.get(`/devices/${box.id}/history${backwards}`)).toMatchObject({ status: 422 });
  });
});

describe("what the states add up to", () => {
  let database: Database;
  let url: string;

  beforeAll(async () => {
    url = await createDatabase();
    database = await openTestDatabase(url);
    const rows = superuserUrl(url);
    await query(
      rows,
      "insert into site (id, key, name, created_at) values (gen_random_uuid(), 'default', 'Home', now())",
    );
    await query(
      rows,
      `insert into cluster (id, site_id, key, name, tags, unassigned, created_at, updated_at)
        select gen_random_uuid(), id, 'unassigned', 'U', '{}', true, now(), now() from site`,
    );
  });

  afterAll(async () => {
    await database.close();
  });

  let macs = 0;

  /** A device with these states, `[instant, state]`. */
  async function addDevice(key: string, states: readonly (readonly [string, string])[]): Promise<void> {
    const rows = superuserUrl(url);
    await query(
      rows,
      `insert into device (id, site_id, cluster_id, key, name, mac, os, enabled, tags, wake_addresses, wake_ports, watch_icmp, watch_arp,
         watch_tcp_ports, watch_interval_seconds, created_at, updated_at)
       select gen_random_uuid(), site_id, id, $1, $1, $2, 'linux', true, '{}', '{}', '{9}', true, true, '{}', 15, now(), now() from cluster`,
      [key, `02:00:00:00:06:${(++macs).toString(16).padStart(2, "0")}`],
    );
    for (const [at, power] of states)
      await query(
        rows,
        `insert into power_history (id, site_id, device_id, at, power, because)
          select gen_random_uuid(), site_id, id, $2, $3, 'seen' from device where key = $1`,
        [key, at, power],
      );
  }

  const days = (key: string) =>
    query(
      superuserUrl(url),
      `select to_char(day, 'YYYY-MM-DD') as day, on_seconds / 3600.0 as "on", off_seconds / 3600.0 as "off", unknown_seconds / 3600.0 as unknown, wakes
        from power_day p join device d on d.id = p.device_id where d.key = $1 order by day`,
      [key],
    ).then((rows) =>
      rows.map(({ day, on, off, unknown, wakes }) => [day, Number(on), Number(off), Number(unknown), wakes]),
    );

  const kept = async (key: string) =>
    (
      await query(
        superuserUrl(url),
        "select 1 from power_history h join device d on d.id = h.device_id where d.key = $1",
        [key],
      )
    ).length;

  test("is one row a day in UTC, with what went on over midnight; a day is added up once, when it is surely over", async () => {
    await addDevice("nas", [
      ["2026-03-01T06:00Z", "off"],
      ["2026-03-01T12:00Z", "waking"],
      ["2026-03-01T13:00Z", "on"],
      ["2026-03-02T01:00Z", "stopping"],
      ["2026-03-02T02:00Z", "off"],
      ["2026-03-02T20:00Z", "unreachable"],
      ["2026-03-03T00:00Z", "on"],
    ]);
    await addUpDays(database, new Date("2026-03-04T01:00Z")); // a clock may be an hour ahead
    const two = [
      ["2026-03-01", 11, 7, 6, 1],
      ["2026-03-02", 2, 18, 4, 0],
    ];
    expect(await days("nas")).toEqual(two);
    await addUpDays(database, new Date("2026-03-04T02:00Z"));
    await addUpDays(database, new Date("2026-03-04T03:00Z"));
    expect(await days("nas")).toEqual([...two, ["2026-03-03", 24, 0, 0, 0]]);
  });

  test("outlives the states, of which the last one stays: it goes on", async () => {
    await addDevice("old", [
      ["2026-03-04T05:00Z", "off"],
      ["2026-03-04T06:00Z", "on"],
    ]);
    await addUpDays(database, new Date("2026-07-01T12:00Z"));
    expect([await kept("old"), await kept("nas")]).toEqual([1, 1]);
    const all = await days("old");
    expect(all[0]).toEqual(["2026-05-02", 24, 0, 0, 0]); // states of longer ago are not added up any more
    expect(all.at(-1)).toEqual(["2026-06-30", 24, 0, 0, 0]);
    await addUpDays(database, new Date("2028-07-01T12:00Z"));
    expect((await days("old")).every(([day]) => day !== "2026-06-30")).toBe(true);
  });

  test("ends, for what a hub left behind, when it was last known to run", async () => {
    await addDevice("left", [["2028-07-02T12:00Z", "on"]]);
    const power = { onChange: () => {} } as unknown as PowerStates;
    const writer = startPowerHistory(power, { database, startedAt: new Date("2028-07-02T15:00Z"), log });
    await writer.flush();
    await writer.close();
    const rows = await query(
      superuserUrl(url),
      `select h.at, power, because from power_history h join device d on d.id = h.device_id where d.key = 'left' order by at, because`,
    );
    expect(rows).toEqual([
      { at: new Date("2028-07-02T12:00Z"), power: "unknown", because: "hub-gone" },
      { at: new Date("2028-07-02T12:00Z"), power: "on", because: "seen" },
      { at: new Date("2028-07-02T15:00Z"), power: "unknown", because: "hub-start" },
    ]);
  });
});
