import { afterAll, beforeAll, expect, test } from "vitest";
import { query } from "#test/fixtures/database.ts";
import { FAST_DISCOVERY } from "#test/fixtures/home-assistant.ts";
import { HomeAssistantClient } from "#test/fixtures/home-assistant-client.ts";
import { type TestHub, startTestHub } from "#test/fixtures/hub.ts";

/** A Home Assistant that reads nothing for 20 s while a thousand configs come, as it does when it starts. */

const DEVICES = 1_000;
/** Milliseconds. Nothing is computed meanwhile. */
const START_MS = 20_000;

let hub: TestHub;
let client: HomeAssistantClient | undefined;

beforeAll(async () => {
  hub = await startTestHub({}, { discoveryTiming: FAST_DISCOVERY });
  const { id } = (await hub.api.post("/clusters", { name: "Hall" })).body;
  await query(
    hub.databaseUrl,
    `insert into device (id, site_id, cluster_id, key, name, mac, os, enabled, tags, wake_addresses, wake_ports, watch_icmp, watch_arp,
       watch_tcp_ports, watch_interval_seconds, created_at, updated_at)
     select gen_random_uuid(), c.site_id, c.id, 'pc-' || n, 'PC ' || n, '02:00:00:00:' || lpad(to_hex(n / 256), 2, '0') || ':' || lpad(to_hex(n % 256), 2, '0'),
       'linux', true, '{}', '{}', '{9}', true, true, '{}', 15, now(), now() from cluster c, generate_series(1, $2) n where c.id = $1`,
    [id, DEVICES],
  );
  await hub.restart();
});

afterAll(async () => {
  await client?.kill();
  await hub.close();
});

test("keeps its connection, and then has every entity with its state", { timeout: 90_000 }, async () => {
  const permissions = ["read", "wake", "discovery"];
  const { body } = await hub.api.post("/mqtt-clients", { name: "Home Assistant", permissions });
  const noted = async () => (await query(hub.databaseUrl, "select 1 from discovery_config")).length;
  await expect.poll(noted, { timeout: 30_000 }).toBe(DEVICES + 2);
  const { username, password } = body;
  const home = new HomeAssistantClient({ url: hub.mqttUrl, username, password, protocolVersion: 5, startMs: START_MS });
  client = home;
  const states = () =>
    Object.entries(home.seen()).filter(([id, { state }]) => id.endsWith("_power") && state !== null).length;
  await expect.poll(states, { timeout: 40_000, interval: 500 }).toBe(DEVICES + 1);
  const unknown = Object.entries(home.seen()).filter(([, { available }]) => available).length;
  expect(unknown).toBeGreaterThan(0);
  expect([...home.problems, ...home.refused]).toEqual([]);
  expect([home.births, home.breaks]).toEqual([1, 0]);
});
