import { decodeProtectedHeader } from "jose";
import pino from "pino";
import { afterAll, beforeAll, expect, test } from "vitest";
import { MAX_PACKET_BYTES } from "#contracts/limits.ts";
import { query } from "#test/fixtures/database.ts";
import { type TestHub, startTestHub } from "#test/fixtures/hub.ts";
import { startScriptedAgent } from "#test/fixtures/scripted-agent.ts";
import type { HubSigner } from "../kernel/hub-key.ts";
import type { Link } from "../kernel/link.ts";
import type { Directory } from "../members/directory.ts";
import type { PowerStates } from "./power-states.ts";
import { startWatchLists } from "./watch-lists.ts";

let hub: TestHub;

beforeAll(async () => {
  hub = await startTestHub();
});

afterAll(async () => {
  await hub.close();
});

test("a watch list fits into a packet, however many devices there are and however long their names", async () => {
  await query(
    hub.databaseUrl,
    `insert into device (id, site_id, cluster_id, key, name, mac, address, os, enabled, tags, wake_addresses, wake_ports, watch_icmp, watch_arp,
       watch_tcp_ports, watch_interval_seconds, created_at, updated_at)
     select gen_random_uuid(), c.site_id, c.id, rpad('pc-' || n || '-', 63, 'x'), 'PC ' || n,
       '02:00:00:00:' || lpad(to_hex(n / 256), 2, '0') || ':' || lpad(to_hex(n % 256), 2, '0'), rpad('pc-' || n || '.', 60, 'y') || '.example.org',
       'linux', true, '{}', '{}', '{9}', true, true, '{22,80,443,8080}', 15, now(), now()
     from cluster c, generate_series(1, 1100) n where c.unassigned`,
  );
  await hub.restart();
  const agent = await startScriptedAgent(hub, { name: "Pi" });
  await expect.poll(() => agent.watchList()?.devices.length).toBeGreaterThan(500);
  const text = agent.mqtt.last(`powerbeacon/agent/${agent.key}/watch`) ?? "";
  expect(Buffer.byteLength(text)).toBeLessThan(MAX_PACKET_BYTES - 1_024);
  expect(decodeProtectedHeader(text)).toMatchObject({ alg: "EdDSA", kid: expect.stringMatching(/^[\w-]{43}$/) });
  expect((await hub.api.get(`/agents/${agent.id}`)).body.status).toBe("online");
  await agent.close();
});

test("a broker that does not answer does not keep the hub from ending", async () => {
  const agent = { id: "a", key: "pi" };
  let isAsked = false;
  const lists = startWatchLists({
    power: { onWatchersChanged: () => {}, watchedBy: () => [] } as unknown as PowerStates,
    directory: { agents: Object.assign([agent], { byId: () => agent }) } as unknown as Directory,
    link: { isAway: false, publish: async () => await new Promise(() => (isAsked = true)) } as unknown as Link,
    signer: { sign: () => "" } as unknown as HubSigner,
    log: pino({ level: "silent" }),
  });
  lists.publishAll();
  await expect.poll(() => isAsked).toBe(true);
  await expect(lists.close()).resolves.toBeUndefined();
});
