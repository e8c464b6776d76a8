import { createHash, randomUUID } from "node:crypto";
import { Client } from "pg";

/** Rows that a hub reads at its next start: enrolment is limited to some agents a minute, and HTTP to some calls. */

/** The one token of all light agents; each has its own name. */
export const LIGHT_TOKEN = "bench-token-of-all-light-agents";

export interface Membership {
  readonly clusterId: string;
  /** Number of the first one; keys are made from it. */
  readonly from: number;
  readonly count: number;
}

export interface LightAgent {
  readonly id: string;
  readonly key: string;
}

export interface Population {
  addClusters(count: number): Promise<{ id: string; key: string }[]>;
  /** Agents whose user name is their id and whose password is `LIGHT_TOKEN`. */
  addAgents(membership: Membership): Promise<LightAgent[]>;
  /** Devices that nobody watches, whose packets go to a port of this machine. */
  addDevices(membership: Membership & { udpPort: number; windowSeconds: number; siteId?: string }): Promise<void>;
  /** Statements that the database has carried out since it began, but for those of this connection. */
  query(sql: string, parameters?: unknown[]): Promise<Record<string, unknown>[]>;
  close(): Promise<void>;
}

export async function openPopulation(databaseUrl: string): Promise<Population> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  const { rows } = await client.query<{ id: string }>("select id from site order by created_at limit 1");
  const siteId = rows[0]?.id;

  return {
    addClusters: async (count) => {
      const clusters = Array.from({ length: count }, (_, index) => ({ id: randomUUID(), key: `cluster-${index}` }));
      await client.query(
        `insert into cluster (id, site_id, key, name, tags, created_at, updated_at)
          select c.id, $1, c.key, c.key, '{}', now(), now() from unnest($2::uuid[], $3::text[]) as c (id, key)`,
        [siteId, clusters.map(({ id }) => id), clusters.map(({ key }) => key)],
      );
      return clusters;
    },
    addAgents: async ({ clusterId, from, count }) => {
      const agents = Array.from({ length: count }, (_, index) => ({ id: randomUUID(), key: `agent-${from + index}` }));
      await client.query(
        `insert into agent (id, site_id, cluster_id, key, name, hostname, os, arch, version, interfaces, capabilities,
            token_hash, created_at, updated_at)
          select a.id, $1, $2, a.key, a.key, a.key, 'linux', 'x64', '1.0.0', '[]', '{wake}', $3, now(), now()
          from unnest($4::uuid[], $5::text[]) as a (id, key)`,
        [
          siteId,
          clusterId,
          createHash("sha256").update(LIGHT_TOKEN).digest("hex"),
          agents.map(({ id }) => id),
          agents.map(({ key }) => key),
        ],
      );
      return agents;
    },
    addDevices: async ({ clusterId, from, count, udpPort, windowSeconds, siteId: otherSiteId }) => {
      await client.query(
        `insert into device (id, site_id, cluster_id, key, name, mac, os, enabled, tags, wake_addresses, wake_ports,
            wake_window_seconds, watch_icmp, watch_arp, watch_tcp_ports, watch_interval_seconds, created_at, updated_at)
          select gen_random_uuid(), $1, $2, 'device-' || n, 'Device ' || n,
            regexp_replace('02' || lpad(to_hex(n), 10, '0'), '(..)(?!$)', '\\1:', 'g'), 'linux', true, '{}',
            '{127.0.0.1}', array[$5::int], $6, false, false, '{}', 10, now(), now()
          from generate_series($3::int, $4::int) as n`,
        [otherSiteId ?? siteId, clusterId, from, from + count - 1, udpPort, windowSeconds],
      );
    },
    query: async (sql, parameters = []) => (await client.query<Record<string, unknown>>(sql, parameters)).rows,
    close: () => client.end(),
  };
}

/** The key of a device by its number. */
export function deviceKey(n: number): string {
  return `device-${n}`;
}

/** The MAC address of a device by its number, as twelve hexadecimal digits. */
export function deviceMac(n: number): string {
  return `02${n.toString(16).padStart(10, "0")}`;
}
