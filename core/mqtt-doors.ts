import type { Logger } from "pino";
import type { HubInfo } from "#contracts/power.ts";
import { listenToAgents } from "./agents/agents.messages.ts";
import type { HeartbeatWatch } from "./agents/heartbeat-watch.ts";
import type { HeartbeatWriter } from "./agents/heartbeat-writer.ts";
import type { Presence } from "./agents/presence.ts";
import type { Audit } from "./audit/audit.service.ts";
import { type EmbeddedBrokerOptions, requesterOf, trailOfSender } from "./embedded-broker.ts";
import type { Database } from "./kernel/database.ts";
import type { HubSigner } from "./kernel/hub-key.ts";
import type { Link, Sender } from "./kernel/link.ts";
import type { Leases } from "./leases/leases.ts";
import type { startEvents } from "./live/events.ts";
import type { Now } from "./live/now.ts";
import type { Machines } from "./machines.ts";
import type { Directory } from "./members/directory.ts";
import type { MembersContext } from "./members/members.service.ts";
import type { People } from "./people.ts";
import { listenToSightings } from "./power/power.messages.ts";
import { listenToPowerRequests } from "./power-off/power-off.messages.ts";
import { leaseVerbs } from "./requests/lease-requests.ts";
import { type Verbs, listenToRequests } from "./requests/requests.messages.ts";
import { actsOf, rightsOf } from "./requests/rights.ts";
import { listenToSchedules } from "./requests/schedule-requests.ts";
import { hubVerbs } from "./requests/verbs.ts";
import type { Schedules } from "./schedules/schedules.ts";
import type { Scheduling } from "./scheduling.ts";
import type { RequestDoors } from "./wake/request-door.ts";
import { listenToWakes } from "./wake/wake.messages.ts";

export interface MqttDoorsParts {
  readonly link: Link;
  readonly database: Database;
  readonly directory: Directory;
  readonly presence: Presence;
  /** With an outer broker, whose word on agents is not the last. */
  readonly watch: HeartbeatWatch | null;
  readonly heartbeats: HeartbeatWriter;
  readonly signer: HubSigner;
  readonly membersOf: (siteId: string) => MembersContext;
  readonly audit: Audit;
  readonly people: People;
  readonly uses: EmbeddedBrokerOptions["uses"];
  readonly mqttCredentials: EmbeddedBrokerOptions["clients"];
  readonly machines: Machines;
  readonly events: ReturnType<typeof startEvents>;
  readonly schedules: Schedules;
  readonly leases: Leases;
  readonly scheduling: Scheduling;
  readonly now: Now;
  readonly hubInfo: () => HubInfo;
  readonly broker: Parameters<typeof hubVerbs>[0]["broker"];
  /** What Home Assistant's part answers. */
  readonly verbs: Pick<Verbs, "send-discovery">;
  readonly log: Logger;
}

/** All that the hub hears by MQTT: agents, and whoever asks for something. Call it before the link connects. */
export function openMqttDoors(parts: MqttDoorsParts) {
  const { link, database, directory, machines, events, people, log } = parts;
  const { wakes, powerOffs, power, heard, probes } = machines;
  const { tokens, accounts } = people;
  const trailOf = mqttTrails(parts);
  const onRefused = events.refused;
  const askerOf = (sender: Sender) => requesterOf(sender, { tokens, clients: parts.mqttCredentials });
  const boundTo = (siteId: string) => database.bound(siteId);

  listenToAgents(parts);
  listenToSightings({
    link,
    directory,
    power,
    onPackets: (agent, packets) => heard.take(agent, packets, performance.now()),
    log,
  });
  const doors: RequestDoors = {
    link,
    mayOf: (sender, act) => actsOf(rightsOf(askerOf(sender)), directory, act),
    trailOf,
    onRefused,
    onLost: (error) => log.warn({ err: error }, "a refusal could not be published"),
  };
  const listening = [
    listenToWakes({
      directory,
      wakes,
      doors,
      onReceipt: (agent, receipt) => {
        if ("power" in receipt) powerOffs.receipt(agent, receipt);
        else if ("probe" in receipt) probes.receipt(agent, receipt);
      },
      log,
    }),
    listenToPowerRequests({ directory, wakes, powerOffs, doors }),
    listenToSchedules({ ...parts, accounts, boundTo, requesterOf: askerOf, trailOf, onRefused }),
    listenToRequests({
      link,
      verbs: {
        ...hubVerbs({ ...parts, ...machines, trailOf, onRefused }),
        ...leaseVerbs({ ...parts.scheduling.holding, leases: parts.leases, directory, boundTo, trailOf }),
        ...parts.verbs,
      },
      requesterOf: askerOf,
      onRefused,
      log,
    }),
  ];
  return {
    /** Answers a retained request that the broker did not let through. Returns false when the topic is none of requests. */
    refuseRetained: (topic: string, sender: Sender): boolean =>
      listening.some((requests) => requests.refuseRetained(topic, sender)),
  };
}

/** The audit log under the names of MQTT clients. */
export function mqttTrails({
  audit,
  people: { tokens },
  uses,
  mqttCredentials,
}: Pick<MqttDoorsParts, "audit" | "people" | "uses" | "mqttCredentials">) {
  return (sender: Sender) => trailOfSender(sender, { audit, tokens, uses, clients: mqttCredentials });
}
