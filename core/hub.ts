import { randomBytes } from "node:crypto";
import type { Logger } from "pino";
import type { RetainedStates } from "../ha-discovery/hub.ts";
import { RETAINED_REQUEST } from "../broker/publish-rules.ts";
import type { Broker } from "../broker/broker.ts";
import type { HubInfo } from "#contracts/power.ts";
import { openApi } from "./api.ts";
import { CopiedCredentials } from "./agents/copied-credentials.ts";
import { loadAgentCredentials } from "./agents/credentials.ts";
import { startHeartbeatWriter } from "./agents/heartbeat-writer.ts";
import { watchHeartbeats } from "./agents/heartbeat-watch.ts";
import { Presence, restoreHeartbeats } from "./agents/presence.ts";
import { startAudit } from "./audit/audit.service.ts";
import { startRetention } from "./audit/retention.ts";
import { isSetUp } from "./auth/auth.service.ts";
import type { Config } from "./config.ts";
import { openBrokers } from "./brokers.ts";
import type { EmbeddedBrokerOptions } from "./embedded-broker.ts";
import { type HomeAssistantOptions, startHomeAssistant } from "./home-assistant.ts";
import { openHttpDoors } from "./http-doors.ts";
import { openHubDatabase } from "./hub-database.ts";
import { answerOperator } from "./doctor/doctor-command.ts";
import { openDataFolder } from "./kernel/data-folder.ts";
import { openHubKey } from "./kernel/hub-key.ts";
import type { Sender } from "./kernel/link.ts";
import { openOperatorDoor } from "./kernel/operator-door.ts";
import { type CatchUp, startCatchUp } from "./kernel/catch-up.ts";
import { startEvents } from "./live/events.ts";
import { Now } from "./live/now.ts";
import { Projection } from "./live/projection.ts";
import { loadLeases } from "./leases/leases.ts";
import { loadDirectory, refreshDirectory } from "./members/directory-entries.ts";
import { ClientUses } from "./mqtt-clients/client-uses.ts";
import { loadMqttCredentials, refreshMqttCredentials } from "./mqtt-clients/mqtt-credentials.ts";
import { mqttTrails, openMqttDoors } from "./mqtt-doors.ts";
import { openMachines } from "./machines.ts";
import { loadPeople } from "./people.ts";
import { ensureDefaultSite } from "./sites/sites.service.ts";
import { loadSites, refreshSites } from "./sites/sites.ts";
import { VERSION } from "./version.ts";
import { loadSchedules } from "./schedules/schedules.ts";
import { openScheduling } from "./scheduling.ts";

/** A running hub: what it opened, and how to end it. */
export interface Hub {
  readonly httpPort: number;
  /** Null where the broker is somebody else's. */
  readonly mqttPort: number | null;
  readonly mqttTlsPort: number | null;
  /** Where Home Assistant's supervisor finds the page; null = nowhere. */
  readonly ingressPort: number | null;
  /** Null once the first superuser exists. */
  readonly setupCode: string | null;
  readonly broker: Broker | null;
  close(): Promise<void>;
}

export interface HubOptions {
  readonly log: Logger;
  /** Settings of the embedded Postgres, for tests. */
  readonly postgresSettings?: Readonly<Record<string, string>>;
  /** Tests ask faster than people and scripts do. */
  readonly callsPerMinute?: number;
  /** Tests wait less for Home Assistant. */
  readonly discoveryTiming?: HomeAssistantOptions["timing"];
  /** Tests pass the page on from their own machine. */
  readonly ingressFrom?: string;
  /** Called when the hub must not go on, with a sentence why. */
  readonly onFatal?: (reason: string) => void;
}

/**
 * Starts all parts in order; whatever was started is closed again when a later one fails.
 *
 * @throws StartError with one sentence for the operator.
 */
export async function startHub(config: Config, options: HubOptions): Promise<Hub> {
  const closers: (() => Promise<void> | void)[] = [];
  const close = async () => {
    const problems: unknown[] = [];
    for (const closer of closers.splice(0).toReversed()) {
      try {
        await closer();
      } catch (error) {
        problems.push(error); // what comes after, such as the database, is closed all the same
      }
    }
    if (problems.length > 0) throw new AggregateError(problems, "not every part of the hub could be closed");
  };
  try {
    return { ...(await startParts(config, options, closers)), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function startParts(
  config: Config,
  options: HubOptions,
  closers: (() => Promise<void> | void)[],
): Promise<Omit<Hub, "close">> {
  const { log } = options;
  const startedAt = new Date();
  openDataFolder(config.dataDir);
  const signer = await openHubKey(config.dataDir);
  let projection: Projection | undefined;
  let catchUp: CatchUp | undefined;
  const database = await openHubDatabase(config, {
    ...options,
    onChange: (up) => {
      if (up) catchUp?.request();
      projection?.hubDirty();
    },
    onFatal: (reason) => options.onFatal?.(reason),
    closers,
  });

  const em = database.fork();
  const site = await ensureDefaultSite(em.fork(), startedAt);
  const setupCode = (await isSetUp(em)) ? null : (config.setupCode ?? randomBytes(6).toString("hex"));
  const audit = startAudit({ database, log });
  closers.push(() => audit.close());
  const retention = startRetention({ database, keptDays: config.auditKeptDays, log });
  closers.push(() => retention.close());
  const sites = await loadSites(em.fork());
  const directory = await loadDirectory(em.fork());
  const leases = await loadLeases(em.fork(), directory);
  const schedules = await loadSchedules(em.fork());
  const people = await loadPeople({ config, database, audit, sites, directory, schedules, log }, startedAt);
  const { accounts, tokens } = people;
  closers.push(() => people.close());
  const hubTrail = (siteId: string) =>
    audit.trail({ siteId, actor: { type: "system", id: null, name: "hub" }, address: null, requestId: null });
  const membersOf = (siteId: string) => ({ em: database.bound(siteId), directory, trail: hubTrail(siteId) });
  const presence = new Presence();
  const agentCredentials = await loadAgentCredentials(em.fork(), directory);
  const mqttCredentials = await loadMqttCredentials(em.fork(), directory);
  await restoreHeartbeats(em.fork(), presence);

  const uses = new ClientUses({ database, log });
  closers.push(() => uses.close());
  const copies = new CopiedCredentials();
  closers.push(() => copies.close());
  let events: ReturnType<typeof startEvents> | undefined;
  let retainedRequests: ((topic: string, sender: Sender) => boolean) | undefined;
  let homeAssistant: Awaited<ReturnType<typeof startHomeAssistant>> | undefined;
  const brokerOptions: EmbeddedBrokerOptions = {
    database,
    directory,
    schedules,
    tokens,
    audit,
    uses,
    copies,
    agents: agentCredentials,
    clients: mqttCredentials,
    clusterOfDiscovery: (objectId) => homeAssistant?.clusterOf(objectId),
    onRefused: ({ action, topic, reason }, sender) => {
      if (reason === RETAINED_REQUEST && retainedRequests?.(topic, sender)) return;
      const nothing = { cluster: null, device: null, transaction: null };
      events?.refused({ ...nothing, siteId: sender.siteId, by: sender.by, reason: `${action} ${topic}: ${reason}` });
    },
    log: log.child({ part: "broker" }),
  };
  const brokers = await openBrokers(config, brokerOptions, log);
  const { link, embedded } = brokers;
  const disconnect = (principalId: string) => brokers.disconnect(principalId);
  // MQTT over WebSocket lives on HTTP connections, so HTTP is closed only after the broker has let go of them
  let httpClosed: Promise<void> | undefined;
  closers.push(async () => {
    await brokers.close();
    await httpClosed;
  });

  const machines = await openMachines(
    {
      config,
      database,
      em,
      directory,
      presence,
      leases,
      link,
      homeLink: brokers.homeLink,
      signer,
      membersOf,
      log,
    },
    startedAt,
  );
  closers.push(() => machines.close());
  const { power, wakes, powerOffs, methods, recipes, doctor } = machines;
  const heartbeats = startHeartbeatWriter(database, log);
  const now = new Now({ leases, directory, presence, copies, ...machines, ...machines.poweringOff });
  const hubState = () => ({
    version: VERSION,
    startedAt: startedAt.toISOString(),
    database: database.isUp() ? ("ok" as const) : ("unavailable" as const),
    broker: link.isConnected ? ("ok" as const) : ("unavailable" as const),
    audit: audit.state,
  });
  const hubInfo = (): HubInfo => ({ ...hubState(), api: 1, ...now.hub() });
  const started = new Projection({
    leases,
    directory,
    presence,
    copies,
    power,
    wakes,
    powerOffs,
    now,
    link,
    hub: hubState,
    log,
  });
  projection = started;
  methods.onWatts((device) => started.deviceDirty(device));
  audit.onChange(() => started.hubDirty());
  link.onBreak(() => started.hubDirty());
  const { heard } = machines;
  events = startEvents({ link, directory, presence, copies, power, wakes, powerOffs, heard, recipes, log });

  const { tell } = events;
  const acting = { power, wakes, powerOffs, link, tell, log };
  const scheduling = await openScheduling(
    { database, schedules, leases, directory, accounts, audit, ...acting },
    startedAt,
  );
  const watch = link.knowsSenders ? null : watchHeartbeats(presence);
  closers.push(() => watch?.close());
  const trailOf = mqttTrails({ audit, people, uses, mqttCredentials });
  const { discoveryTiming: timing } = options;
  const parts = { config, site, database, membersOf, trailOf, accounts, directory, timing, log };
  const { topics: scheduleTopics } = scheduling;
  const states: RetainedStates = {
    publishAll: () => (started.publishAll(), scheduleTopics.publishAll()),
    publishAgain: ({ type, id }) =>
      type === "schedule" ? scheduleTopics.publishAgain(id) : started.publishAgain({ type, id }),
  };
  homeAssistant = await startHomeAssistant({
    ...parts,
    link: brokers.homeLink,
    schedules,
    states,
    waysDownOf: powerOffs.waysDownOf.bind(powerOffs),
  });
  const { announcer } = homeAssistant.context;
  brokers.onNewlyReadable((refs) => {
    announcer.send(refs)?.catch((error: unknown) => log.warn({ err: error }, "configs could not be said again"));
    for (const ref of refs) states.publishAgain(ref);
  });
  const mqttDoors = openMqttDoors({
    link,
    database,
    directory,
    presence,
    watch,
    heartbeats,
    signer,
    membersOf,
    audit,
    people,
    uses,
    mqttCredentials,
    machines,
    events,
    schedules,
    leases,
    scheduling,
    now,
    hubInfo,
    broker: () => ({ embedded: embedded !== null, clients: embedded?.figures().clients ?? null }),
    verbs: homeAssistant.verbs,
    log,
  });
  retainedRequests = mqttDoors.refuseRetained;
  link.onConnect(() => {
    states.publishAll();
    machines.watchLists.publishAll();
  });
  await brokers.connect();
  closers.push(async () => {
    await scheduling.close();
    await machines.stop();
    started.close();
    await homeAssistant?.close();
    await brokers.closeLinks();
    await heartbeats.close();
  });
  machines.start();
  scheduling.start();
  catchUp = startCatchUp(async () => {
    await people.catchUp();
    await refreshSites(database.fork(), sites);
    const gone = await refreshDirectory(database.fork(), directory);
    gone.push(...(await refreshMqttCredentials(database.fork(), { credentials: mqttCredentials, directory })));
    for (const principalId of gone) disconnect(principalId);
    await scheduling.catchUp();
  }, log);
  closers.push(() => catchUp?.close());

  const app = await openApi({
    config,
    startedAt,
    setupCode,
    database,
    audit,
    people,
    sites,
    directory,
    presence,
    now,
    machines,
    schedules,
    leases,
    scheduling,
    projection: started,
    hubInfo,
    link,
    signer,
    agentCredentials,
    mqttCredentials,
    uses,
    homeAssistant: homeAssistant.context,
    log,
    brokerPorts: embedded,
    disconnect,
    door: brokers.door,
    callsPerMinute: options.callsPerMinute,
    onDoubt: () => catchUp?.request(),
  });
  closers.push(() => {
    httpClosed = app.close();
  });
  const ask = (question: unknown) => answerOperator(directory, doctor, question);
  const operatorDoor = await openOperatorDoor(config.dataDir, ask, log);
  closers.push(() => operatorDoor.close());
  const httpDoors = await openHttpDoors(app, { config, embedded, ingressFrom: options.ingressFrom });
  closers.push(() => httpDoors.close());
  return {
    httpPort: httpDoors.port,
    ingressPort: httpDoors.ingressPort,
    mqttPort: embedded?.tcpPort ?? null,
    mqttTlsPort: embedded?.tlsPort ?? null,
    setupCode,
    broker: embedded,
  };
}
