import type { FastifyRequest } from "fastify";
import type { Logger } from "pino";
import { type Actor, type Owned, mayChange, mayPower, mayWake } from "#contracts/permissions.ts";
import type { Audit } from "./audit/audit.service.ts";
import { type Accounts, loadAccounts, refreshAccounts } from "./auth/accounts.ts";
import { Callers } from "./auth/callers.ts";
import { type Sessions, loadSessions } from "./auth/sessions.ts";
import { openSigningKeys } from "./auth/signing-keys.ts";
import { type Tokens, loadTokens, refreshTokens } from "./auth/tokens.ts";
import type { Config } from "./config.ts";
import type { Database } from "./kernel/database.ts";
import type { Trail } from "./kernel/trail.ts";
import type { Directory } from "./members/directory.ts";
import type { Schedules } from "./schedules/schedules.ts";
import type { Sites } from "./sites/sites.ts";

/** Who there is, who is logged in, and what calls by them may do: held in memory, so that every change counts at once. */
export interface People {
  readonly accounts: Accounts;
  readonly sessions: Sessions;
  readonly tokens: Tokens;
  readonly callers: Callers;
  /** The audit log under the name of somebody who has just logged in. */
  readonly trailOf: (user: { id: string; username: string }, request: FastifyRequest) => Trail;
  /** Calls the listener when somebody may do less, or something else: a session or a token ended, an account changed. */
  readonly onRightsChanged: (listener: () => void) => void;
  /** Takes up what was changed while nobody could tell, and forgets what ended. Call it when the database is back. */
  catchUp(): Promise<void>;
  close(): Promise<void>;
}

export interface PeopleOptions {
  readonly config: Config;
  readonly database: Database;
  readonly audit: Audit;
  readonly sites: Sites;
  readonly directory: Directory;
  readonly schedules: Schedules;
  readonly log: Logger;
}

export async function loadPeople(options: PeopleOptions, now: Date): Promise<People> {
  const { config, database, audit, sites, directory, schedules, log } = options;
  const accounts = await loadAccounts(database.fork());
  const { lifetimeHours } = config.sessions;
  const keys = openSigningKeys(config.dataDir, config.sessions);
  const sessions = await loadSessions(database.fork(), { keys, lifetimeHours, database, log }, now);
  const tokens = await loadTokens(database.fork(), {
    accounts,
    database,
    log,
    mayAct: (actor, siteId, thing, key) => {
      if (thing === "schedule") {
        const schedule = schedules.byKey(key);
        return schedule?.siteId === siteId && mayChange(actor, "schedule:change", { ...schedule, shares: [] });
      }
      if (thing === "cluster") {
        const cluster = directory.clusters.byKey(key);
        if (cluster?.siteId !== siteId) return false;
        return directory.devicesOf(cluster.id).some((device) => mayWakeOrPower(actor, device, cluster));
      }
      const device = directory.devices.byKey(key);
      return device?.siteId === siteId && mayWakeOrPower(actor, device, directory.clusterOf(device));
    },
  });
  return {
    accounts,
    sessions,
    tokens,
    callers: new Callers({ accounts, sessions, tokens, sites }),
    trailOf: ({ id, username }, request) =>
      audit.trail({
        siteId: null,
        actor: { type: "user", id, name: username },
        address: request.ip,
        requestId: request.id,
      }),
    onRightsChanged: (listener) => {
      accounts.onChange(listener);
      sessions.onEnd(listener);
      tokens.onEnd(listener);
    },
    catchUp: async () => {
      await sessions.forgetEnded(database.fork());
      await refreshAccounts(database.fork(), accounts);
      await refreshTokens(database.fork(), tokens);
    },
    close: async () => {
      await sessions.close();
      await tokens.close();
    },
  };
}

/** The hub looks at which of the two a request is. */
function mayWakeOrPower(actor: Actor, device: Owned, cluster: Owned): boolean {
  return mayWake(actor, device, cluster) || mayPower(actor, device, cluster);
}
