import { z } from "zod";
import { Instant } from "./instant.ts";
import { Key } from "./key.ts";
import { PowerOffAction } from "./power-action.ts";

/** What was observed of a device, or is awaited. `off` covers sleep and hibernation too. */
export const PowerState = z.enum(["unknown", "off", "waking", "on", "stopping", "unreachable"]);
export type PowerState = z.infer<typeof PowerState>;

/** How a device was seen to be up: ICMP echo, neighbour table with its MAC address, TCP connect, mDNS, its own agent, or the power that its plug draws. */
export const EvidenceKind = z.enum(["icmp", "arp", "tcp", "mdns", "agent", "plug"]);
export type EvidenceKind = z.infer<typeof EvidenceKind>;

/** Who saw a device up, how and when. */
export const Evidence = z.object({
  by: Key.describe("the agent that saw it; `hub` where the hub itself did"),
  how: EvidenceKind,
  at: Instant,
});
export type Evidence = z.infer<typeof Evidence>;

/** The payload of `device/<device>/state` and `cluster/<cluster>/state`. `None` is Home Assistant's word for unknown. */
export const SwitchState = z.enum(["ON", "OFF", "None"]);
export type SwitchState = z.infer<typeof SwitchState>;

/** The payload of every presence topic: hub, agents, and whether a device's switch works. */
export const Availability = z.enum(["online", "offline"]);
export type Availability = z.infer<typeof Availability>;

export const WakeOutcome = z.enum(["awake", "already-on", "no-answer", "failed", "cancelled"]);
export type WakeOutcome = z.infer<typeof WakeOutcome>;

export const LastWake = z.object({
  at: Instant,
  outcome: WakeOutcome,
  seconds: z.number().nullable().describe("from the request to the sighting; null unless it was seen awake"),
  agents: z.array(Key),
  by: z.string(),
});
export type LastWake = z.infer<typeof LastWake>;

export const PowerOffOutcome = z.enum(["off", "rebooted", "already-off", "still-on", "failed", "cancelled"]);
export type PowerOffOutcome = z.infer<typeof PowerOffOutcome>;

export const LastPowerOff = z.object({
  at: Instant,
  action: PowerOffAction,
  outcome: PowerOffOutcome,
  seconds: z.number().nullable().describe("from the request until it was seen off; null unless it was"),
  reason: z.string().nullable(),
  by: z.string(),
});
export type LastPowerOff = z.infer<typeof LastPowerOff>;

/** The payload of `device/<device>/info`. */
export const DeviceInfo = z.object({
  power: PowerState,
  since: Instant.nullable().describe("when the power state last changed"),
  name: z.string(),
  cluster: Key.nullable(),
  enabled: z.boolean(),
  reachable: z.boolean().nullable().describe("does it answer on the network now; null when nobody can look"),
  evidence: Evidence.nullable(),
  lastWake: LastWake.nullable(),
  lastPowerOff: LastPowerOff.nullable(),
  typicalWakeSeconds: z.number().nullable().describe("the median of its last wakes"),
  armed: z.boolean().nullable().describe("will the network card answer a magic packet; null = unknown"),
  canPowerOff: z.boolean(),
  powerActions: z.array(PowerOffAction).describe("the ways in which it can be made to go down now"),
  heldUntil: Instant.nullable().describe("when the last lease ends; null = nobody holds it, or without an end"),
  leases: z.int().describe("how many hold it on"),
  watts: z.number().nullable().describe("what it draws now, where its plug tells"),
  energyKwh: z.number().nullable().describe("what it has used since the hub counts"),
});
export type DeviceInfo = z.infer<typeof DeviceInfo>;

const PowerCounts = z.object({
  total: z.int(),
  on: z.int(),
  off: z.int(),
  waking: z.int(),
  stopping: z.int(),
  unreachable: z.int(),
  unknown: z.int(),
});
export type PowerCounts = z.infer<typeof PowerCounts>;

const AgentCounts = z.object({ total: z.int(), online: z.int() });
export type AgentCounts = z.infer<typeof AgentCounts>;

/** The payload of `cluster/<cluster>/info`. */
export const ClusterInfo = z.object({
  name: z.string(),
  devices: PowerCounts,
  agents: AgentCounts,
  problem: z.boolean(),
  problems: z.array(z.string()),
});
export type ClusterInfo = z.infer<typeof ClusterInfo>;

/** The payload of `hub/info`. */
export const HubInfo = z.object({
  version: z.string(),
  api: z.literal(1).describe("counts incompatible changes of the MQTT API"),
  startedAt: Instant,
  database: z.enum(["ok", "unavailable"]),
  broker: z.enum(["ok", "unavailable"]).describe("whether the hub has a connection to its MQTT broker"),
  audit: z
    .enum(["ok", "failing"])
    .describe("whether the audit log can be written; while it cannot, changes are refused"),
  devices: PowerCounts,
  agents: AgentCounts,
});
export type HubInfo = z.infer<typeof HubInfo>;
