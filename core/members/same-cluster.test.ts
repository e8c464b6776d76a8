import { randomUUID } from "node:crypto";
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { query } from "#test/fixtures/database.ts";
import { type TestHub, startTestHub } from "#test/fixtures/hub.ts";

/** A device's agents are in the device's cluster: the database itself holds that, whoever writes and however. */

let hub: TestHub;
let site: string;
const sql = (text: string, parameters: unknown[] = []) => query(hub.databaseUrl, text, parameters);

beforeAll(async () => {
  hub = await startTestHub();
  site = (await sql("select id from site"))[0]?.["id"] as string;
});

afterAll(async () => {
  await hub.close();
});

async function addCluster(): Promise<string> {
  const id = randomUUID();
  await sql("insert into cluster values ($1, $2, $3, 'c', null, '{}', false, now(), now())", [id, site, id]);
  return id;
}

async function addAgent(cluster: string): Promise<string> {
  const id = randomUUID();
  await sql(
    `insert into agent (id, site_id, cluster_id, key, name, hostname, os, arch, version, interfaces, capabilities, token_hash, created_at, updated_at)
     values ($1, $2, $3, $4, 'a', 'h', 'linux', 'x64', '1', '[]', '{}', '', now(), now())`,
    [id, site, cluster, id],
  );
  return id;
}

async function addDevice(cluster: string): Promise<string> {
  const id = randomUUID();
  const mac = `02:${id.replaceAll("-", "").slice(0, 10).match(/../g)?.join(":")}`;
  await sql(
    `insert into device (id, site_id, cluster_id, key, name, mac, os, enabled, tags, wake_addresses, wake_ports, watch_icmp, watch_arp,
     watch_tcp_ports, watch_interval_seconds, created_at, updated_at)
     values ($1, $2, $3, $4, 'd', $5, 'linux', true, '{}', '{}', '{9}', true, true, '{}', 15, now(), now())`,
    [id, site, cluster, id, mac],
  );
  return id;
}

const LINK = "insert into device_agent (device_id, agent_id, site_id) values ($1, $2, $3)";
const MOVE_DEVICE = "update device set cluster_id = $2 where id = $1";
const MOVE_AGENT = "update agent set cluster_id = $2 where id = $1";
const refused = expect.objectContaining({ code: "23514", constraint: "same_cluster" });

async function pair() {
  const [here, there] = [await addCluster(), await addCluster()];
  return { here, there, device: await addDevice(here), agent: await addAgent(here) };
}

describe("the database", () => {
  test("refuses a link across clusters", async () => {
    const { there, device } = await pair();
    await expect(sql(LINK, [device, await addAgent(there), site])).rejects.toEqual(refused);
  });

  test("refuses to turn a link to an agent of another cluster", async () => {
    const { there, device, agent } = await pair();
    await sql(LINK, [device, agent, site]);
    const other = await addAgent(there);
    await expect(sql("update device_agent set agent_id = $2 where device_id = $1", [device, other])).rejects.toEqual(
      refused,
    );
  });

  test("refuses to move a device away from its agents, and an agent away from its devices", async () => {
    const { there, device, agent } = await pair();
    await sql(LINK, [device, agent, site]);
    await expect(sql(MOVE_DEVICE, [device, there])).rejects.toEqual(refused);
    await expect(sql(MOVE_AGENT, [agent, there])).rejects.toEqual(refused);
  });

  test("lets them move without links", async () => {
    const { there, device, agent } = await pair();
    await sql(MOVE_DEVICE, [device, there]);
    await sql(MOVE_AGENT, [agent, there]);
    await sql(LINK, [device, agent, site]);
    expect(await sql("select device_id from device_agent where agent_id = $1", [agent])).toEqual([
      { device_id: device },
    ]);
  });

  test.each([
    ["a device", MOVE_DEVICE, "device"],
    ["an agent", MOVE_AGENT, "agent"],
  ] as const)("lets no link slip in while %s moves in another transaction", async (_what, move, side) => {
    for (const first of ["link", "move"] as const) {
      const { there, device, agent } = await pair();
      const moved = side === "device" ? device : agent;
      const steps = { link: [LINK, [device, agent, site]], move: [move, [moved, there]] } as const;
      const second = first === "link" ? "move" : "link";
      const [one, two] = [new Client(hub.databaseUrl), new Client(hub.databaseUrl)];
      await Promise.all([one.connect(), two.connect()]);
      try {
        await one.query("begin");
        await two.query("begin");
        await one.query(steps[first][0], [...steps[first][1]]);
        const waiting = two.query(steps[second][0], [...steps[second][1]]).then(
          () => two.query("commit").then(() => "committed"),
          (error: { constraint?: string }) => error.constraint,
        );
        await expect
          .poll(
            async () => (await sql("select 1 from pg_locks where not granted and locktype = 'transactionid'")).length,
          )
          .toBeGreaterThan(0);
        await one.query("commit");
        expect(await waiting).toBe("same_cluster");
      } finally {
        await Promise.all([one.end(), two.end()]);
      }
    }
  });
});
