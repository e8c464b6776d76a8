import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { query } from "#test/fixtures/database.ts";
import { type TestHub, startTestHub } from "#test/fixtures/hub.ts";

/** What the database itself lets nobody do, whatever the hub has forgotten. */

let hub: TestHub;
let home: { site: string; cluster: string; device: string };
let away: { site: string; cluster: string; device: string };
let user: string;

beforeAll(async () => {
  hub = await startTestHub();
  user = (await hub.api.get("/auth/me")).body.id;
  const { body: site } = await hub.api.post("/sites", { name: "Away" });
  home = await furnish("default", "02:00:00:00:77:01");
  away = await furnish(site.key, "02:00:00:00:77:02");
});

afterAll(() => hub.close());

async function furnish(key: string, mac: string) {
  const inSite = { "x-powerbeacon-site": key };
  const { body: cluster } = await hub.api.post("/clusters", { name: "Room" }, inSite);
  const { body: device } = await hub.api.post("/devices", { name: "PC", mac, clusterId: cluster.id }, inSite);
  const [row] = await query(hub.databaseUrl, "select site_id from device where id = $1", [device.id]);
  return { site: String(row?.["site_id"]), cluster: String(cluster.id), device: String(device.id) };
}

/** As somebody in a site; null = in none. */
async function asSomebody(site: string | null, sql: string, parameters: unknown[]): Promise<void> {
  const literal = (value: unknown) => `'${String(value)}'`;
  const text = sql.replaceAll(/\$(\d)/g, (_, n: string) => literal(parameters[Number(n) - 1]));
  await query(
    hub.databaseUrl,
    `begin; set local role powerbeacon_request; select set_config('powerbeacon.site', '${site ?? ""}', true); ${text}; commit`,
  );
}

describe("a row of one's own site", () => {
  test.each([
    ["a device cannot be in a cluster", "update device set cluster_id = $1 where id = $2", "cluster", "device"],
  ] as const)("%s of another", async (_what, sql, foreign, own) => {
    await expect(asSomebody(home.site, sql, [away[foreign], home[own]])).rejects.toThrow("belongs to another site");
  });

  test("cannot share a device or cluster of another", async () => {
    for (const thing of ["device", "cluster"] as const)
      await expect(
        asSomebody(
          home.site,
          `insert into ${thing}_share (${thing}_id, user_id, site_id, level) values ($1, $2, $3, 'wake')`,
          [away[thing], user, home.site],
        ),
      ).rejects.toThrow("belongs to another site");
  });

  test("cannot let agents join a cluster of another", async () => {
    const sql = `insert into enrolment (id, site_id, cluster_id, secret_hash, uses_left, expires_at, created_by, created_at)
      values ($1, $2, $3, 'x', 1, now(), 'somebody', now())`;
    await expect(asSomebody(home.site, sql, [randomUUID(), home.site, away.cluster])).rejects.toThrow("another site");
    await asSomebody(home.site, sql, [randomUUID(), home.site, home.cluster]);
  });
});

test("without a site nobody writes into the audit log, nor into another chain with one", async () => {
  const row = { at: new Date(), actor_type: "user", action: "device.wake", result: "ok", body: "{}" };
  const append = (site: string | null, chain: string | null) =>
    asSomebody(site, "select audit_append($1::jsonb)", [JSON.stringify([{ ...row, site_id: chain }])]);
  for (const chain of [null, home.site]) await expect(append(null, chain)).rejects.toThrow("a row of another site");
  for (const chain of [null, away.site])
    await expect(append(home.site, chain)).rejects.toThrow("a row of another site");
  await append(home.site, home.site);
});
