import { z } from "zod";
import { Heartbeat, InventoryMessage, Receipt, SightingBatch } from "./agent.ts";
import { ScheduleInfo } from "./api/schedules.ts";
import { ComponentConfig, DiscoveryConfig, discoveryTopics } from "./discovery.ts";
import { EventMessage } from "./event.ts";
import { AgentOrder, WakeOrder, WatchList } from "./order.ts";
import { Availability, ClusterInfo, DeviceInfo, HubInfo, SwitchState } from "./power.ts";
import { hubMessages } from "./request.ts";
import { PowerOffResult } from "./power-off.ts";
import { type FixedTopic, type KeyedTopic, topics } from "./topics.ts";
import { UpdateInfo } from "./update.ts";
import { Refusal, WakeResult } from "./wake.ts";

/** One topic with who speaks on it to whom, and what. `docs/protocol.md` and the AsyncAPI document come from this list. */
export interface Channel {
  readonly topic: FixedTopic | KeyedTopic;
  /** What the free level of the topic stands for. */
  readonly parameter?: "device" | "cluster" | "agent" | "schedule" | "verb" | "object_id" | "component";
  readonly from: "hub" | "agent" | "anyone";
  readonly to: "hub" | "agent" | "all";
  readonly summary: string;
  readonly payload: z.ZodType | ChannelMessages;
  /** The payload is a compact JWS of this content. */
  readonly signed?: true;
}

/** What stands on a topic depends on its free level. */
export interface ChannelMessages {
  readonly messages: Readonly<Record<string, { readonly summary: string; readonly payload: z.ZodType }>>;
}

const wakeRequest = z
  .string()
  .describe("empty or *, device keys with commas between, or JSON with devices or mac, transaction, force");
const setRequest = z
  .string()
  .describe("ON, OFF, WAKE, SHUTDOWN, SLEEP, HIBERNATE, REBOOT, or JSON with action, transaction, force");

export const channels: readonly Channel[] = [
  { topic: topics.hubStatus, from: "hub", to: "all", summary: "Whether the hub runs; its Will", payload: Availability },
  {
    topic: topics.hubInfo,
    from: "hub",
    to: "all",
    summary: "Version, counts, and whether the database answers and the audit log can be written",
    payload: HubInfo,
  },
  {
    topic: topics.clusterWake,
    parameter: "cluster",
    from: "anyone",
    to: "hub",
    summary: "A wake request",
    payload: wakeRequest,
  },
  {
    topic: topics.clusterWake,
    parameter: "cluster",
    from: "hub",
    to: "agent",
    summary: "A wake order",
    payload: WakeOrder,
    signed: true,
  },
  {
    topic: topics.clusterWakeResult,
    parameter: "cluster",
    from: "hub",
    to: "all",
    summary: "One message for each stage of a wake, or a refusal",
    payload: z.union([WakeResult, Refusal]),
  },
  {
    topic: topics.clusterSet,
    parameter: "cluster",
    from: "anyone",
    to: "hub",
    summary: "A request for the whole cluster",
    payload: setRequest,
  },
  {
    topic: topics.clusterState,
    parameter: "cluster",
    from: "hub",
    to: "all",
    summary: "ON when at least one device is on",
    payload: SwitchState,
  },
  {
    topic: topics.clusterInfo,
    parameter: "cluster",
    from: "hub",
    to: "all",
    summary: "Counts and problems",
    payload: ClusterInfo,
  },
  {
    topic: topics.deviceSet,
    parameter: "device",
    from: "anyone",
    to: "hub",
    summary: "A request for one device",
    payload: setRequest,
  },
  {
    topic: topics.deviceState,
    parameter: "device",
    from: "hub",
    to: "all",
    summary: "The switch: ON, OFF, or None for unknown",
    payload: SwitchState,
  },
  {
    topic: topics.deviceAvailability,
    parameter: "device",
    from: "hub",
    to: "all",
    summary: "Whether the switch works, not whether the machine is on",
    payload: Availability,
  },
  {
    topic: topics.deviceInfo,
    parameter: "device",
    from: "hub",
    to: "all",
    summary: "The power state and why",
    payload: DeviceInfo,
  },
  {
    topic: topics.deviceResult,
    parameter: "device",
    from: "hub",
    to: "all",
    summary: "One message for each stage of a power-off, or a refusal",
    payload: z.union([PowerOffResult, Refusal]),
  },
  {
    topic: topics.deviceEvent,
    parameter: "device",
    from: "hub",
    to: "all",
    summary: "What happened to the device",
    payload: EventMessage,
  },
  {
    topic: topics.agentStatus,
    parameter: "agent",
    from: "agent",
    to: "all",
    summary: "Whether the agent runs; its Will",
    payload: Availability,
  },
  {
    topic: topics.agentHeartbeat,
    parameter: "agent",
    from: "agent",
    to: "all",
    summary: "Figures of the agent's machine, every 30 s",
    payload: Heartbeat,
  },
  {
    topic: topics.agentInventory,
    parameter: "agent",
    from: "agent",
    to: "hub",
    summary: "The machine, its interfaces, and a nonce that the hub answers with signed time",
    payload: InventoryMessage,
  },
  {
    topic: topics.agentOrder,
    parameter: "agent",
    from: "hub",
    to: "agent",
    summary: "An order for this agent alone",
    payload: AgentOrder,
    signed: true,
  },
  {
    topic: topics.agentWatch,
    parameter: "agent",
    from: "hub",
    to: "agent",
    summary: "Which devices to watch, and how",
    payload: WatchList,
    signed: true,
  },
  {
    topic: topics.agentReceipt,
    parameter: "agent",
    from: "agent",
    to: "hub",
    summary: "What the agent did with an order",
    payload: Receipt,
  },
  {
    topic: topics.agentSightings,
    parameter: "agent",
    from: "agent",
    to: "hub",
    summary: "A batch of changes seen",
    payload: SightingBatch,
  },
  {
    topic: topics.hubUpdate,
    from: "hub",
    to: "all",
    summary: "The installed version of the hub, and the latest that it knows",
    payload: UpdateInfo,
  },
  {
    topic: topics.agentUpdate,
    parameter: "agent",
    from: "agent",
    to: "all",
    summary: "The installed version of the agent, and the latest that it knows",
    payload: UpdateInfo,
  },
  {
    topic: topics.hubRequest,
    parameter: "verb",
    from: "anyone",
    to: "hub",
    summary: "A request to the hub itself",
    payload: { messages: hubMessages("request") },
  },
  {
    topic: topics.hubResponse,
    parameter: "verb",
    from: "hub",
    to: "all",
    summary: "How a request to the hub ended",
    payload: { messages: hubMessages("response") },
  },
  {
    topic: topics.scheduleState,
    parameter: "schedule",
    from: "hub",
    to: "all",
    summary: "Whether the schedule is enabled",
    payload: SwitchState,
  },
  {
    topic: topics.scheduleInfo,
    parameter: "schedule",
    from: "hub",
    to: "all",
    summary: "When it fires next, and what became of its last firing",
    payload: ScheduleInfo,
  },
  {
    topic: topics.scheduleSet,
    parameter: "schedule",
    from: "anyone",
    to: "hub",
    summary: "Enables or disables it",
    payload: z.enum(["ON", "OFF"]),
  },
  { topic: topics.event, from: "hub", to: "all", summary: "What happened, anywhere", payload: EventMessage },
];

/** Home Assistant's topics. They stand outside of the base topic. */
export function discoveryChannels(prefix: string): readonly Channel[] {
  const { status, config, component } = discoveryTopics(prefix);
  return [
    {
      topic: status,
      from: "anyone",
      to: "hub",
      summary: "Home Assistant's birth message, which the hub answers with all states",
      payload: Availability,
    },
    {
      topic: config,
      parameter: "object_id",
      from: "hub",
      to: "all",
      summary: "A thing for Home Assistant; empty once it is gone, or when a person deletes it there",
      payload: DiscoveryConfig,
    },
    {
      topic: component,
      parameter: "component",
      from: "hub",
      to: "all",
      summary: "The same for one component, where HA_DISCOVERY_FORMAT is single",
      payload: ComponentConfig,
    },
  ];
}

/** The topic as documents write it: `device/<device>/state`. */
export function topicPattern({ topic, parameter }: Pick<Channel, "topic" | "parameter">): string {
  return topic.filter.replace(/\+(\/\+)*/, `<${parameter ?? "key"}>`);
}
