import type { Logger } from "pino";
import type { EventMessage, EventType } from "#contracts/event.ts";
import { Key } from "#contracts/key.ts";
import { PERSON_MARK } from "#contracts/principal.ts";
import { topics } from "#contracts/topics.ts";
import type { PowerOffStageRecord } from "#contracts/power-off.ts";
import type { WakeStageRecord } from "#contracts/wake.ts";
import type { CopiedCredentials } from "../agents/copied-credentials.ts";
import type { Presence } from "../agents/presence.ts";
import { Allowance } from "../kernel/allowance.ts";
import type { Link } from "../kernel/link.ts";
import type { Directory } from "../members/directory.ts";
import type { PowerStates } from "../power/power-states.ts";
import { reasonOf } from "../power-off/last-power-offs.ts";
import type { PowerOffService } from "../power-off/power-off.service.ts";
import type { HeardPackets } from "../wake/heard-packets.ts";
import type { Recipes } from "../wake/recipes.ts";
import { windowMsOf } from "../wake/wake.rules.ts";
import type { WakeService } from "../wake/wake.service.ts";

export type EventDetails = Partial<Omit<EventMessage, "event_type" | "at">>;

const WAKE_EVENTS: Readonly<Partial<Record<WakeStageRecord["stage"], EventType>>> = {
  waiting: "wake_requested",
  accepted: "wake_requested",
  awake: "wake_succeeded",
  "no-answer": "wake_failed",
  failed: "wake_failed",
  cancelled: "wake_cancelled",
};

const POWER_OFF_EVENTS: Readonly<Partial<Record<PowerOffStageRecord["stage"], EventType>>> = {
  accepted: "power_off_requested",
  off: "power_off_succeeded",
  rebooted: "power_off_succeeded",
  "still-on": "power_off_failed",
  failed: "power_off_failed",
  cancelled: "power_off_cancelled",
};

/** How the log tells of each; who and why stand in its fields. */
const SENTENCES: Readonly<Record<EventType, string>> = {
  wake_requested: "a device is being woken",
  wake_succeeded: "a device is awake",
  wake_failed: "a device did not wake",
  wake_cancelled: "a wake was cancelled",
  power_off_requested: "a device is being powered off",
  power_off_succeeded: "a device is off",
  power_off_failed: "a device did not power off",
  came_up_by_itself: "a device came up by itself",
  agent_online: "an agent is online",
  agent_offline: "an agent is offline",
  agent_copied: "the credential of an agent is in use twice; remove the agent and let it join again",
  schedule_ran: "a schedule ran",
  schedule_skipped: "a schedule was skipped",
  power_off_cancelled: "a power-off was cancelled",
  magic_packet_seen: "somebody else sent a magic packet",
  lease_started: "a device is held on",
  lease_ended: "a device is not held on any more",
  request_refused: "a request was refused",
};

/** Refusals may come in floods; so many a second of a site are told and logged, the broker counts all. */
const REFUSALS_TOLD = { each: 10, all: 50, periodMs: 1_000 };

/** Publishes what happened, on `event` and on the device's own event topic. */
export function startEvents(options: {
  readonly link: Link;
  readonly directory: Directory;
  readonly presence: Presence;
  readonly copies: CopiedCredentials;
  readonly power: PowerStates;
  readonly wakes: WakeService;
  readonly powerOffs: PowerOffService;
  readonly heard: HeardPackets;
  readonly recipes: Pick<Recipes, "of">;
  readonly log: Logger;
}) {
  const { link, directory, presence, copies, power, wakes, powerOffs, heard, recipes, log } = options;
  const refusals = new Allowance(REFUSALS_TOLD);

  /** @param siteId whose clients read of it. */
  function publish(event_type: EventType, siteId: string | null, details: EventDetails): void {
    const nothing = {
      cluster: null,
      device: null,
      agent: null,
      by: null,
      transaction: null,
      reason: null,
      seconds: null,
    };
    const payload = JSON.stringify({
      event_type,
      at: new Date().toISOString(),
      ...nothing,
      ...details,
    } satisfies EventMessage);
    log[event_type === "agent_copied" ? "warn" : "info"](details, SENTENCES[event_type]);
    // a refusal happened to whoever asked, and not to the device
    const device = event_type === "request_refused" ? null : details.device;
    const names = device ? [topics.event.name, topics.deviceEvent.for(device)] : [topics.event.name];
    for (const name of names) {
      link
        .publish(name, payload, { ...topics.event.options, siteId })
        .catch((error: unknown) => log.warn({ err: error }, "an event could not be published"));
    }
  }

  wakes.onNews((wake, record) => {
    const event = WAKE_EVENTS[record.stage];
    // it was requested once, whether it began at once or waited for others
    if (!event || (event === "wake_requested" && wake.stages.length > 1)) return;
    const asker = wake.askers[0];
    publish(event, wake.siteId, {
      cluster: Key.parse(wake.clusterKey),
      device: wake.deviceKey,
      by: wake.requestedBy,
      transaction: asker?.transaction ?? null,
      reason: reasonOfWake(record),
      seconds: "seconds" in record ? record.seconds : null,
    });
  });

  powerOffs.onNews((powerOff, record) => {
    const event = POWER_OFF_EVENTS[record.stage];
    if (!event) return;
    publish(event, powerOff.siteId, {
      cluster: Key.parse(powerOff.clusterKey),
      device: powerOff.deviceKey,
      agent: powerOff.agent?.key ?? null,
      by: record.stage === "cancelled" ? record.by : powerOff.requestedBy,
      transaction: powerOff.askers[0]?.transaction ?? null,
      reason: reasonOf(record),
      seconds: "seconds" in record ? record.seconds : null,
    });
  });

  /** Devices that went down to come back: they do not come up by themselves. */
  const rebooting = new Set<string>();
  powerOffs.onNews(({ deviceId }, { stage }) => {
    if (stage === "failed" || stage === "cancelled") rebooting.delete(deviceId);
  });

  power.onChange(({ device, before, after }) => {
    if (after.power === "off" && powerOffs.runningOf(device.id)?.action === "reboot") rebooting.add(device.id);
    if (before.power !== "off" || after.power !== "on") return; // after a wake it was "waking"
    if (rebooting.delete(device.id)) return;
    const withinMs = windowMsOf(null, recipes.of(device.id).slowSeconds);
    const from = heard.foreignOf(device.id, withinMs, performance.now());
    publish("came_up_by_itself", device.siteId, {
      cluster: Key.parse(directory.clusterOf(device).key),
      device: Key.parse(device.key),
      reason: from === null ? null : `After a magic packet from ${from}`,
    });
  });

  heard.onForeign(({ device, agent, from }) => {
    publish("magic_packet_seen", device.siteId, {
      cluster: Key.parse(directory.clusterOf(device).key),
      device: Key.parse(device.key),
      agent: Key.parse(agent.key),
      reason: `from ${from}`,
    });
  });

  function tellOfAgent(event_type: EventType, id: string, details: EventDetails = {}): void {
    const agent = directory.agents.byId(id);
    if (!agent) return;
    const cluster = Key.parse(directory.clusterOf(agent).key);
    publish(event_type, agent.siteId, { agent: Key.parse(agent.key), cluster, ...details });
  }

  presence.onChange((agentId, status) => tellOfAgent(status === "online" ? "agent_online" : "agent_offline", agentId));
  copies.onCopied((agentId, addresses) => {
    tellOfAgent("agent_copied", agentId, { reason: `Its credential is in use from ${addresses.join(" and ")}` });
  });

  return {
    tell: publish,
    refused: (refusal: {
      siteId: string | null;
      by: string;
      cluster: string | null;
      device: string | null;
      transaction: string | null;
      reason: string;
    }): void => {
      if (!refusals.take(refusal.siteId ?? "", performance.now())) return;
      const device = Key.safeParse(refusal.device).data ?? null;
      const cluster = Key.safeParse(refusal.cluster).data ?? null;
      publish("request_refused", refusal.siteId, {
        by: refusal.by.replace(PERSON_MARK, ""),
        transaction: refusal.transaction,
        reason: refusal.reason,
        device,
        cluster,
      });
    },
  };
}

/** Why a wake went as it did, with the gravest thing that the doctor found. */
function reasonOfWake(record: WakeStageRecord): string | null {
  if ("reason" in record) return record.reason;
  if (record.stage !== "no-answer") return null;
  const [found] = record.findings;
  return `No answer after ${record.seconds} s${found ? `: ${found.title}` : ""}`;
}
