import type { Logger } from "pino";
import type { HubInfo } from "#contracts/power.ts";
import { agentRoutes } from "./agents/agents.routes.ts";
import type { AgentCredentials } from "./agents/credentials.ts";
import type { Presence } from "./agents/presence.ts";
import { auditRoutes } from "./audit/audit.routes.ts";
import type { Audit } from "./audit/audit.service.ts";
import { authRoutes } from "./auth/auth.routes.ts";
import { sessionRoutes } from "./auth/sessions.routes.ts";
import { tokenRoutes } from "./auth/tokens.routes.ts";
import { clusterRoutes } from "./clusters/clusters.routes.ts";
import type { Config } from "./config.ts";
import { deviceRoutes } from "./devices/devices.routes.ts";
import { homeAssistantRoutes } from "./discovery/home-assistant.routes.ts";
import type { HomeAssistantContext } from "./discovery/home-assistant.service.ts";
import { planRoutes } from "./dependencies/plans.routes.ts";
import { doctorRoutes } from "./doctor/doctor.routes.ts";
import { healthRoutes } from "./http/health.routes.ts";
import { type BrokerFigures, metricsRoute } from "./http/metrics.ts";
import { createHttpServer } from "./http/server.ts";
import { importRoutes } from "./imports/imports.routes.ts";
import { keptSecret } from "./kernel/data-folder.ts";
import type { Database } from "./kernel/database.ts";
import type { HubSigner } from "./kernel/hub-key.ts";
import type { Link } from "./kernel/link.ts";
import type { App } from "./kernel/routes.ts";
import { leaseRoutes } from "./leases/leases.routes.ts";
import type { Leases } from "./leases/leases.ts";
import { liveRoutes } from "./live/live.routes.ts";
import type { Now } from "./live/now.ts";
import type { Projection } from "./live/projection.ts";
import type { Directory } from "./members/directory.ts";
import { mqttUrlFor } from "./mqtt-clients/broker-address.rules.ts";
import type { ClientUses } from "./mqtt-clients/client-uses.ts";
import { readersOfDiscovery } from "./mqtt-clients/mqtt-clients.service.ts";
import { mqttClientRoutes } from "./mqtt-clients/mqtt-clients.routes.ts";
import type { MqttCredentials } from "./mqtt-clients/mqtt-credentials.ts";
import type { Machines } from "./machines.ts";
import type { People } from "./people.ts";
import { powerHistoryRoutes } from "./power/power-history.routes.ts";
import { powerMethodRoutes } from "./power-methods/power-methods.routes.ts";
import { powerOffRoutes } from "./power-off/power-off.routes.ts";

import type { BrokerDoor } from "./own-broker/broker-door.ts";
import { brokerDoorRoutes } from "./own-broker/broker-door.routes.ts";
import { scheduleRoutes } from "./schedules/schedules.routes.ts";
import type { Schedules } from "./schedules/schedules.ts";
import type { Scheduling } from "./scheduling.ts";
import { identityRoutes } from "./sign-on/identities.routes.ts";
import { changeProvider } from "./sign-on/providers.service.ts";
import { signOnSettingsRoutes } from "./sign-on/settings.routes.ts";
import { logoutUrl, openSignOn } from "./sign-on/sign-on.ts";
import { signOnRoutes } from "./sign-on/sign-on.routes.ts";
import { siteContent } from "./site-content.ts";
import { siteRoutes } from "./sites/sites.routes.ts";
import type { Sites } from "./sites/sites.ts";
import { userRoutes } from "./users/users.routes.ts";
import { VERSION } from "./version.ts";
import { wakeRoutes } from "./wake/wake.routes.ts";

/** Everything of a hub that its HTTP API shows or acts upon. */
export interface ApiParts {
  readonly config: Config;
  readonly startedAt: Date;
  /** Null once the first superuser exists. */
  readonly setupCode: string | null;
  readonly database: Database;
  readonly audit: Audit;
  readonly people: People;
  readonly sites: Sites;
  readonly directory: Directory;
  readonly presence: Presence;
  readonly now: Now;
  readonly machines: Machines;
  readonly schedules: Schedules;
  readonly leases: Leases;
  readonly scheduling: Scheduling;
  readonly projection: Projection;
  readonly hubInfo: () => HubInfo;
  readonly link: Link;
  readonly signer: HubSigner;
  readonly agentCredentials: AgentCredentials;
  readonly mqttCredentials: MqttCredentials;
  readonly uses: ClientUses;
  readonly homeAssistant: HomeAssistantContext;
  /** Of the embedded broker; null where the broker is somebody else's, whose address the settings tell. */
  readonly brokerPorts: {
    readonly tcpPort: number;
    readonly tlsPort: number | null;
    figures(): BrokerFigures;
  } | null;
  /** Ends the MQTT connections of an agent, a credential or a token. */
  readonly disconnect: (principalId: string) => void;
  readonly door: BrokerDoor;
  readonly callsPerMinute: number | undefined;
  /** What memory holds may differ from the database. */
  readonly onDoubt: () => void;
  readonly log: Logger;
}

/** Nobody asks for ports where an address is set. */
const NO_PORTS = { tcpPort: 0, tlsPort: null };

/** The HTTP server with the routes of every feature; it does not listen yet. */
export async function openApi(hub: ApiParts): Promise<App> {
  const { config, database, audit, people, sites, directory, presence, now, machines, projection, disconnect, log } =
    hub;
  const { wakes, powerOffs } = machines;
  const { accounts, sessions, tokens, callers, trailOf } = people;
  const { passwordMinLength } = config;
  const { publicUrl, trustProxy } = config.http;
  const { baseTopic, discoveryPrefix } = config.mqtt;
  const mqttUrl = config.mqtt.publicUrl ?? config.mqtt.outer?.url ?? null;
  const mqttCa = config.mqtt.outer?.ca?.toString("utf8") ?? null;
  const hubUsername = config.mqtt.outer?.username ?? null;
  const signOn = openSignOn(
    { database, accounts, sessions, sites, trailOf, publicUrl, log },
    { outboundAllowed: config.outboundAllowed, secretKey: keptSecret(config.dataDir, "provider-secret-key") },
  );
  const { callsPerMinute, onDoubt } = hub;
  const callersOf = { accounts, sessions, tokens, callers };
  const documents = { version: VERSION, baseTopic, discoveryPrefix };
  const app = await createHttpServer({
    database,
    audit,
    ...callersOf,
    ...documents,
    trustProxy,
    callsPerMinute,
    onDoubt,
    log,
  });
  healthRoutes(app, { database, link: hub.link });
  metricsRoute(app, {
    version: VERSION,
    startedAt: hub.startedAt,
    database,
    audit,
    hub: () => now.hub(),
    runningWakes: () => wakes.runningCount,
    sessions: () => sessions.size,
    broker: hub.brokerPorts,
  });
  await app.register(
    async (api) => {
      const routes = api as unknown as App; // a child of the same server
      authRoutes(routes, {
        database,
        accounts,
        sessions,
        callers,
        trailOf,
        passwordMinLength,
        setupCode: hub.setupCode ?? "",
        saveSignOn: async (change, trail) => {
          await changeProvider({ ...signOn, em: database.fork(), trail }, change, new Date());
        },
        logoutUrl: (session, request) => logoutUrl(signOn, session, request),
      });
      signOnRoutes(routes, signOn);
      signOnSettingsRoutes(routes, signOn);
      identityRoutes(routes, signOn);
      sessionRoutes(routes, { database, sessions, accounts });
      const broker = { mqttUrl, publicUrl, baseTopic, ...(hub.brokerPorts ?? NO_PORTS) };
      const brokerFor = (askedHost: string) => ({ mqttUrl: mqttUrlFor(broker, askedHost), baseTopic });
      tokenRoutes(routes, { tokens, disconnect, brokerFor });
      auditRoutes(routes, { database, audit });
      clusterRoutes(routes, { directory, accounts, nowOf: (cluster) => now.cluster(cluster) });
      const grant = { signer: hub.signer, baseTopic, mqttUrl, mqttCa, publicUrl };
      const agents = { database, directory, presence, credentials: hub.agentCredentials, link: hub.link, disconnect };
      agentRoutes(routes, { ...agents, ...grant });
      powerMethodRoutes(routes, { ...machines.methodParts, directory });
      deviceRoutes(routes, { directory, accounts, nowOf: (device) => now.device(device) });
      powerHistoryRoutes(routes, { directory, history: machines.powerHistory });
      doctorRoutes(routes, { directory, doctor: machines.doctor });
      planRoutes(routes, { directory, plans: machines.plans });
      const { schedules, leases, scheduling } = hub;
      scheduleRoutes(routes, { schedules, directory, accounts, flush: scheduling.flush });
      leaseRoutes(routes, { ...scheduling.holding, leases, directory });
      importRoutes(routes, { directory, accounts });
      powerOffRoutes(routes, { directory, wakes, powerOffs, journal: machines.poweringOff.journal });
      wakeRoutes(routes, { directory, wakes, journal: machines.journal });
      const { onChange: onSchedulesChanged } = scheduling;
      const rights = {
        actorNow: callers.now.bind(callers),
        onRightsChanged: people.onRightsChanged,
        onSchedulesChanged,
      };
      liveRoutes(routes, { directory, presence, now, projection, wakes, powerOffs, hubInfo: hub.hubInfo, ...rights });
      siteRoutes(routes, siteContent({ database, sites, directory, schedules, accounts, tokens }));
      userRoutes(routes, { database, accounts, sessions, tokens, directory, schedules, passwordMinLength, disconnect });
      const clients = { credentials: hub.mqttCredentials, uses: hub.uses, hubUsername };
      homeAssistantRoutes(routes, { ...hub.homeAssistant, clientsOf: (em) => readersOfDiscovery(em, hub.uses) });
      mqttClientRoutes(routes, { directory, ...clients, disconnect, broker });
      await brokerDoorRoutes(routes, { door: hub.door, secret: config.mqtt.authSecret });
    },
    { prefix: "/api" },
  );
  return app;
}
