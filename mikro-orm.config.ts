import { join } from "node:path";
import { Migrator } from "@mikro-orm/migrations";
import { defineConfig } from "@mikro-orm/postgresql";
import { Agent, AgentHeartbeat } from "#core/agents/agent.entity.ts";
import { Enrolment } from "#core/agents/enrolment.entity.ts";
import { AuditChain, AuditEntry } from "#core/audit/audit.entity.ts";
import { Identity } from "#core/auth/identity.entity.ts";
import { Membership } from "#core/auth/membership.entity.ts";
import { Provider } from "#core/auth/provider.entity.ts";
import { Session } from "#core/auth/session.entity.ts";
import { Token } from "#core/auth/token.entity.ts";
import { User } from "#core/auth/user.entity.ts";
import { MqttQueued } from "#core/broker-store/mqtt-queued.entity.ts";
import { MqttRetained } from "#core/broker-store/mqtt-retained.entity.ts";
import { MqttSession } from "#core/broker-store/mqtt-session.entity.ts";
import { Cluster } from "#core/clusters/cluster.entity.ts";
import { DiscoveryConfig } from "#core/discovery/discovery-config.entity.ts";
import { Device } from "#core/devices/device.entity.ts";
import { DeviceAgent } from "#core/members/device-agent.entity.ts";
import { ClusterShare, DeviceShare } from "#core/members/share.entity.ts";
import { MqttClient } from "#core/mqtt-clients/mqtt-client.entity.ts";
import { Lease } from "#core/leases/lease.entity.ts";
import { ClusterNeed, DeviceNeed } from "#core/members/dependency.entity.ts";
import { PowerDay, PowerHistory } from "#core/power/power-history.entity.ts";
import { DeviceEnergy, PowerMethod } from "#core/power-methods/power-method.entity.ts";
import { PowerOff } from "#core/power-off/power-off.entity.ts";
import { Schedule, ScheduleRun } from "#core/schedules/schedule.entity.ts";
import { WakeRecipe } from "#core/wake/wake-recipe.entity.ts";
import { Site } from "#core/sites/site.entity.ts";
import { freeLostConnections } from "#core/kernel/pool.ts";
import { Wake } from "#core/wake/wake.entity.ts";

/** The entity list and the migrations, for the hub and for `npm run migration`. */
export default defineConfig({
  entities: [
    Site,
    User,
    Session,
    Membership,
    Token,
    Provider,
    Identity,
    Cluster,
    Agent,
    AgentHeartbeat,
    Enrolment,
    Device,
    DeviceAgent,
    DeviceShare,
    ClusterShare,
    MqttClient,
    MqttSession,
    MqttQueued,
    MqttRetained,
    Wake,
    WakeRecipe,
    PowerOff,
    PowerHistory,
    PowerDay,
    PowerMethod,
    DeviceEnergy,
    DeviceNeed,
    ClusterNeed,
    Schedule,
    ScheduleRun,
    Lease,
    DiscoveryConfig,
    AuditEntry,
    AuditChain,
  ],
  extensions: [Migrator],
  // a database that does not answer at all must not hold up the hub for as long as TCP waits
  driverOptions: {
    connectionTimeoutMillis: 5_000,
    query_timeout: 15_000,
    keepAlive: true,
    onPoolCreated: freeLostConnections,
  },
  // what a row refers to lies in the row's own site: no join has to make sure of that
  autoJoinRefsForFilters: false,
  // audit_append is written by hand, and a migration's own
  schemaGenerator: { ignoreRoutines: true },
  migrations: {
    path: join(import.meta.dirname, "core/migrations"),
    glob: "!(*.d|*.test).{js,ts}",
    tableName: "migration",
    snapshot: false,
    emit: "ts",
  },
});
