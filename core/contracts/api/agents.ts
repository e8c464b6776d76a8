import { z } from "zod";
import { AgentCapability, Heartbeat, Machine, NetworkInterface, OperatingSystem } from "../agent.ts";
import { Instant } from "../instant.ts";
import { Key } from "../key.ts";
import { Availability } from "../power.ts";
import { DroppedLink, ListQuery, Name, ShowInHomeAssistant, page } from "./common.ts";

export const AgentAnswer = z.object({
  id: z.uuid(),
  key: Key,
  name: z.string(),
  hostname: z.string(),
  os: OperatingSystem,
  arch: z.string(),
  version: z.string(),
  clusterId: z.uuid().nullable(),
  showInHomeAssistant: ShowInHomeAssistant,
  status: Availability,
  statusSince: Instant.nullable(),
  lastSeenAt: Instant.nullable().describe("the newest heartbeat or change of presence"),
  heartbeat: Heartbeat.nullable(),
  interfaces: z.array(NetworkInterface),
  capabilities: z.array(AgentCapability),
  machine: Machine.nullable(),
  machineId: z.uuid().nullable().describe("the device that it runs on"),
  deviceIds: z.array(z.uuid()).describe("devices that are linked to it"),
  createdAt: Instant,
  updatedAt: Instant,
});
export type AgentAnswer = z.infer<typeof AgentAnswer>;

export const AgentList = page(AgentAnswer);

export const AgentQuery = ListQuery.extend({
  sort: z.enum(["name", "-name", "createdAt", "-createdAt"]).default("name"),
  cluster: z.string().max(63).optional().describe("key or id of a cluster; `none` for agents in none"),
  status: Availability.optional(),
});
export type AgentQuery = z.infer<typeof AgentQuery>;

export const AgentChange = z
  .object({ name: Name, clusterId: z.uuid().nullable(), showInHomeAssistant: ShowInHomeAssistant })
  .partial()
  .strict();
export type AgentChange = z.infer<typeof AgentChange>;

export const AgentChanged = AgentAnswer.extend({ droppedLinks: z.array(DroppedLink) });

export const EnrolmentCreate = z
  .object({
    clusterId: z.uuid().nullable().default(null),
    uses: z.int().min(1).max(1_000).default(1),
    expiresInMinutes: z.int().min(1).max(43_200).default(60),
  })
  .strict();
export type EnrolmentCreate = z.infer<typeof EnrolmentCreate>;

export const EnrolmentAnswer = z.object({
  id: z.uuid(),
  clusterId: z.uuid().nullable(),
  usesLeft: z.int(),
  expiresAt: Instant,
  createdBy: z.string(),
  createdAt: Instant,
});
export type EnrolmentAnswer = z.infer<typeof EnrolmentAnswer>;

export const EnrolmentCreated = EnrolmentAnswer.extend({
  code: z.string().describe("the join code; shown this once"),
  command: z.string().describe("the line to paste on the agent's machine"),
});

export const EnrolmentList = page(EnrolmentAnswer);
