import type { Accounts } from "./auth/accounts.ts";
import type { Tokens } from "./auth/tokens.ts";
import type { Cluster } from "./clusters/cluster.entity.ts";
import type { Database } from "./kernel/database.ts";
import { clusterEntry } from "./members/directory-entries.ts";
import type { Directory } from "./members/directory.ts";
import type { Schedules } from "./schedules/schedules.ts";
import { MqttClient } from "./mqtt-clients/mqtt-client.entity.ts";
import type { SiteRoutes } from "./sites/sites.routes.ts";
import type { Sites } from "./sites/sites.ts";

/** What the routes of sites need to know of everything that lies in one. */
export function siteContent(parts: {
  readonly database: Database;
  readonly sites: Sites;
  readonly directory: Directory;
  readonly schedules: Schedules;
  readonly accounts: Accounts;
  readonly tokens: Tokens;
}): SiteRoutes {
  const { database, sites, directory, schedules, accounts, tokens } = parts;
  const count = (rows: Iterable<{ readonly siteId: string }>, siteId: string) =>
    [...rows].filter((row) => row.siteId === siteId).length;
  return {
    database,
    sites,
    contentOf: (siteId) => ({
      devices: count(directory.devices, siteId),
      agents: count(directory.agents, siteId),
      members: accounts.membersOf(siteId),
    }),
    isEmpty: async (siteId) => {
      const clients = await database.fork().count(MqttClient, { site: siteId }, { filters: { site: false } });
      const clusters = [...directory.clusters].filter((cluster) => cluster.siteId === siteId && !cluster.unassigned);
      return (
        count(directory.devices, siteId) +
          count(directory.agents, siteId) +
          count(schedules, siteId) +
          clients +
          clusters.length ===
        0
      );
    },
    onCreated: (unassigned: Cluster) => directory.putCluster(clusterEntry(unassigned, { shares: [], needs: [] })),
    onDeleted: (siteId) => {
      directory.removeCluster(directory.unassignedCluster(siteId).id);
      accounts.forgetSite(siteId);
      tokens.forgetSite(siteId);
    },
  };
}
