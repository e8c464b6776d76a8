import type { EntityManager } from "@mikro-orm/postgresql";
import type { Logger } from "pino";
import type { Presence } from "./agents/presence.ts";
import type { Config } from "./config.ts";
import { Dependencies } from "./dependencies/dependencies.ts";
import { DownOrder } from "./dependencies/down-order.ts";
import { type HeldWake, NeedsGate } from "./dependencies/needs-gate.ts";
import { Plans } from "./dependencies/plans.ts";
import { Probes } from "./dependencies/probes.ts";
import { Doctor } from "./doctor/doctor.service.ts";
import type { Database } from "./kernel/database.ts";
import type { HubSigner } from "./kernel/hub-key.ts";
import type { Link } from "./kernel/link.ts";
import { createOutbound } from "./kernel/outbound.ts";
import { SealedSecrets } from "./kernel/sealed-secrets.ts";
import type { Leases } from "./leases/leases.ts";
import type { Directory } from "./members/directory.ts";
import type { MembersContext } from "./members/members.service.ts";
import { startPowerMethods } from "./power-methods/power-methods.ts";
import { startPowerHistory } from "./power/power-history.ts";
import { PowerStates } from "./power/power-states.ts";
import { startWatchLists } from "./power/watch-lists.ts";
import { openPoweringOff } from "./powering-off.ts";
import { HeardPackets } from "./wake/heard-packets.ts";
import { endInterruptedWakes, restoreLastWakes } from "./wake/last-wakes.ts";
import { Recipes } from "./wake/recipes.ts";
import { startWakeJournal } from "./wake/wake-journal.ts";
import { wakeResults } from "./wake/wake-results.ts";
import { WakeService } from "./wake/wake.service.ts";

export interface MachinesParts {
  readonly config: Config;
  readonly database: Database;
  readonly em: EntityManager;
  readonly directory: Directory;
  readonly presence: Presence;
  readonly leases: Leases;
  /** To the hub's broker, and to the one where plugs are. */
  readonly link: Link;
  readonly homeLink: Link;
  readonly signer: HubSigner;
  /** The hub itself as it changes members of a site. */
  readonly membersOf: (siteId: string) => MembersContext;
  readonly log: Logger;
}

export type Machines = Awaited<ReturnType<typeof openMachines>>;

/** What the hub does with machines: watches them, wakes them, powers them off, in order, and tells why where it cannot. */
export async function openMachines(parts: MachinesParts, startedAt: Date) {
  const { config, database, em, directory, presence, leases, link, homeLink, signer, membersOf, log } = parts;
  const interrupted = await endInterruptedWakes(em.fork(), startedAt);
  const lastWakes = await restoreLastWakes(em.fork());
  const power = new PowerStates(directory, presence);
  const powerHistory = startPowerHistory(power, { database, startedAt, log });
  const watchLists = startWatchLists({ power, directory, link, signer, log });
  const journal = startWakeJournal(database, log);
  const recipes = new Recipes({ database, directory, log });
  await recipes.load(em.fork());
  const methodParts = {
    secrets: new SealedSecrets(config.dataDir),
    outbound: createOutbound({ allowed: config.outboundAllowed, plainHttp: true }),
    isOwnTopic: (topic: string) => isUnder(topic, config.mqtt.baseTopic) || isUnder(topic, config.mqtt.discoveryPrefix),
  };
  const methods = await startPowerMethods({
    database,
    directory,
    power,
    link: homeLink,
    hasPlugs: config.mqtt.outer !== null || homeLink !== link,
    membersOf,
    log,
    ...methodParts,
  });
  const isGoingDown = (deviceId: string) => powerOffs.isGoingDown(deviceId);
  const needs = { directory, presence, power, dependencies: new Dependencies(directory), isGoingDown };
  const downOrder = new DownOrder({ ...needs, powerOffs: () => powerOffs });
  const poweringOff = await openPoweringOff(
    {
      database,
      directory,
      presence,
      power,
      link,
      signer,
      methods,
      leasesOf: leases.of.bind(leases),
      whyNotDown: downOrder.whyNotDown.bind(downOrder),
      hasToWait: downOrder.hasToWait.bind(downOrder),
      log,
    },
    startedAt,
  );
  const { powerOffs } = poweringOff;
  const doctor = new Doctor({
    directory,
    presence,
    power,
    wakeOf: (deviceId) => wakes.lastOf(deviceId),
    lastWakeOf: (deviceId) => lastWakes.of(deviceId),
    recipeOf: (deviceId) => recipes.of(deviceId),
    armedOf: (device) => powerOffs.ableOf(device).armed,
  });
  const diagnose = doctor.diagnose.bind(doctor);
  const wakes = new WakeService({ directory, presence, power, link, signer, recipes, isGoingDown, diagnose, log });
  poweringOff.follow(wakes);
  const probes = new Probes<HeldWake>({ directory, presence, link, signer, log });
  wakes.setGate(new NeedsGate({ ...needs, probes, wakes }));
  const findingsOf = doctor.findings.bind(doctor);
  const plans = new Plans({ ...needs, downOrder, powerOffs, wakes, recipes, findingsOf });
  const results = wakeResults(link, log);
  wakes.onStage(results.stage);
  wakes.onStage((wake) => (wake.isOver && lastWakes.note(wake), journal.add(wake)));

  return {
    power,
    powerHistory,
    watchLists,
    journal,
    recipes,
    methods,
    /** What the routes of the other ways of powering off need. */
    methodParts,
    poweringOff,
    powerOffs,
    doctor,
    lastWakes,
    wakes,
    probes,
    plans,
    heard: new HeardPackets({ directory, wakes }),
    /** Tells how that ended which a stopped hub left open, and begins. Call it when there is a connection to the broker. */
    start: (): void => {
      for (const wake of interrupted) {
        const device = directory.devices.byId(wake.deviceId);
        if (device) results.interrupted(wake, device, directory.clusterOf(device).key);
      }
      wakes.start();
      poweringOff.start();
    },
    /** Begins nothing more. */
    stop: async (): Promise<void> => {
      wakes.close();
      await poweringOff.close();
      await watchLists.close();
    },
    /** Writes what waits. */
    close: async (): Promise<void> => {
      power.close();
      await methods.close();
      await journal.close();
      await powerHistory.close();
      await recipes.close();
    },
  };
}

function isUnder(topic: string, prefix: string): boolean {
  return topic === prefix || topic.startsWith(`${prefix}/`);
}
