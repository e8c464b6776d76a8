import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { query } from "#test/fixtures/database.ts";
import { type TestHub, startTestHub } from "#test/fixtures/hub.ts";
import { type ScriptedAgent, startScriptedAgent } from "#test/fixtures/scripted-agent.ts";

/** A cluster of 450 devices, written straight into the database before the hub starts. */

const DEVICES = 450;
let hub: TestHub;
let clusterId: string;
let agents: ScriptedAgent[];

beforeAll(async () => {
  hub = await startTestHub();
  clusterId = (await hub.api.post("/clusters", { name: "Hall" })).body.id;
  await query(
    hub.databaseUrl,
    `insert into device (id, site_id, cluster_id, key, name, mac, os, enabled, tags, wake_addresses, wake_ports, watch_icmp, watch_arp,
       watch_tcp_ports, watch_interval_seconds, created_at, updated_at)
     select gen_random_uuid(), c.site_id, c.id, 'pc-' || n, 'PC ' || n, '02:00:00:00:' || lpad(to_hex(n / 256), 2, '0') || ':' || lpad(to_hex(n % 256), 2, '0'),
       'linux', true, '{}', '{}', '{9}', true, true, '{}', 15, now(), now() from cluster c, generate_series(1, $2) n where c.id = $1`,
    [clusterId, DEVICES],
  );
  await hub.restart();
  agents = [
    await startScriptedAgent(hub, { name: "One", clusterId }),
    await startScriptedAgent(hub, { name: "Two", clusterId }),
  ];
});

afterAll(async () => {
  for (const agent of agents) await agent.close();
  await hub.close();
});

const one = () => agents[0] as ScriptedAgent;

/** Transactions that the database has seen; its own background work makes a few. */
async function transactions(): Promise<number> {
  const [row] = await query(
    hub.databaseUrl,
    "select pg_stat_force_next_flush(), xact_commit::int as count from pg_stat_database where datname = current_database()",
  );
  return Number(row?.["count"]);
}

describe("a cluster of 450 devices", () => {
  test("is watched by lists that name every device once and are signed once", async () => {
    await expect.poll(() => one().watchList()?.devices.length).toBe(DEVICES);
    const list = one().watchList();
    expect(new Set(list?.devices.map(({ device }) => device)).size).toBe(DEVICES);
    expect(list).toMatchObject({ type: "watch", aud: `agent/${one().key}/watch` });
  });

  test("has watch lists whose version rises, and that come only when they change", async () => {
    const lists = () => one().mqtt.on(/\/watch$/).length;
    const before = { count: lists(), version: one().watchList()?.version ?? 0 };
    const { items } = (await hub.api.get("/devices?q=pc-77&limit=1")).body;
    await hub.api.patch(`/devices/${items[0].id}`, { description: "no agent needs to know" });
    await hub.api.patch(`/devices/${items[0].id}`, { address: "10.0.0.77" });
    await expect
      .poll(
        () =>
          one()
            .watchList()
            ?.devices.find(({ device }) => device === "pc-77")?.address,
      )
      .toBe("10.0.0.77");
    expect(lists()).toBe(before.count + 1);
    expect(one().watchList()?.version).toBeGreaterThan(before.version);
  });

  test("is woken by three orders, and the database is asked a few times, not once for each device", async () => {
    const before = await transactions();
    const { status, body } = await hub.api.post(`/clusters/${clusterId}/wake`);
    expect(status).toBe(202);
    expect(body.wakes).toHaveLength(DEVICES);
    expect(new Set(body.wakes.map(({ stage }: { stage: string }) => stage))).toEqual(new Set(["accepted"]));
    await expect.poll(() => one().orders().length).toBe(3);
    const sizes = one()
      .orders()
      .map(({ targets }) => targets.length);
    expect(sizes).toEqual([200, 200, 50]);
    for (const order of one().orders()) await one().answers(order, "sent");
    const sent = () => query(hub.databaseUrl, "select count(*)::int as count from wake where stage = 'sent'");
    await expect.poll(sent, { timeout: 5_000 }).toEqual([{ count: DEVICES }]);
    const asked = (await transactions()) - before;
    expect(asked).toBeLessThan(DEVICES / 2); // waiting for the rows asks, too

    const seen = Object.fromEntries(Array.from({ length: DEVICES }, (_, n) => [`pc-${n + 1}`, true]));
    await one().sees(seen);
    const awake = () => query(hub.databaseUrl, "select count(*)::int as count from wake where stage = 'awake'");
    await expect.poll(awake, { timeout: 5_000 }).toEqual([{ count: DEVICES }]);
    expect((await hub.api.get(`/clusters/${clusterId}`)).body).toMatchObject({ state: "ON", devices: { on: DEVICES } });
  });
});

describe("a request that nobody can carry out", () => {
  const rows = async (id: string) =>
    await query(
      hub.databaseUrl,
      "select result, reason, details::jsonb->'count' as count from audit where action = 'device.wake' and target_id = $1",
      [id],
    );

  test("is one row of the audit log and one wake of each device, however often it is repeated at once", async () => {
    const { body: cluster } = await hub.api.post("/clusters", { name: "Nobody there" });
    const ids = [];
    for (let i = 0; i < 3; i++) {
      const mac = `02:00:00:00:99:0${i}`;
      ids.push((await hub.api.post("/devices", { name: "Far", mac, clusterId: cluster.id })).body.id as string);
    }
    const wake = async () => (await hub.api.post(`/clusters/${cluster.id}/wake`)).body.wakes;
    const first = await wake();
    expect(first.map(({ code }: { code: string }) => code)).toEqual(["NO_AGENT", "NO_AGENT", "NO_AGENT"]);
    for (let again = 0; again < 5; again++) expect(await wake()).toEqual(first);
    expect((await hub.api.get(`/devices/${ids[0]}/wakes`)).body.total).toBe(1);
    await expect.poll(() => rows(cluster.id)).toEqual([{ result: "failed", reason: "NO_AGENT", count: 3 }]);
    const agent = await startScriptedAgent(hub, { name: "Late", clusterId: cluster.id });
    expect((await wake()).map(({ stage }: { stage: string }) => stage)).toEqual(["accepted", "accepted", "accepted"]);
    await expect.poll(() => rows(cluster.id)).toHaveLength(2);
    await agent.close();
  });
});
