import { z } from "zod";
import { DeviceAddress, PacketAddress, Port } from "../address.ts";
import { OperatingSystem } from "../agent.ts";
import { Instant } from "../instant.ts";
import { Key } from "../key.ts";
import { MacAddress, SecureOnPassword } from "../mac-address.ts";
import { Needs } from "../needs.ts";
import { Availability, Evidence, LastPowerOff, LastWake, PowerState } from "../power.ts";
import { OffAction, PowerOffAction } from "../power-action.ts";
import { PowerOffStage } from "../power-off.ts";
import {
  Description,
  DroppedLink,
  ListQuery,
  Name,
  OwnerId,
  Shares,
  ShowInHomeAssistant,
  Tags,
  page,
} from "./common.ts";

export const WakeSettings = z
  .object({
    addresses: z
      .array(PacketAddress)
      .max(8)
      .describe("where magic packets go; empty = every broadcast address of each agent"),
    ports: z.array(Port).min(1).max(4),
    windowSeconds: z.int().min(5).max(900).nullable().describe("how long to wait for the device; null = 120"),
  })
  .strict();

export const WatchSettings = z
  .object({
    icmp: z.boolean(),
    arp: z.boolean(),
    tcpPorts: z.array(Port).max(16),
    intervalSeconds: z.int().min(1).max(3_600),
  })
  .strict();

export const PowerSettings = z
  .object({
    ownAgentId: z
      .uuid()
      .nullable()
      .describe("the agent on this very machine; null = the one whose network card has its MAC address"),
    off: OffAction.describe("what a plain OFF does"),
    countdownSeconds: z.int().min(0).max(3_600).describe("how long people there may say not now"),
    graceSeconds: z
      .int()
      .min(10)
      .max(1_800)
      .nullable()
      .describe("how long it may take until it is seen off; null = 120"),
    offAfterLease: z.boolean().describe("goes down when the last lease on it ends"),
  })
  .strict();

/** What may be written. PATCH takes any part of it; null clears a field. */
const fields = {
  name: Name,
  mac: MacAddress,
  address: DeviceAddress.nullable(),
  os: OperatingSystem,
  clusterId: z.uuid().nullable(),
  agentIds: z.array(z.uuid()).max(64).describe("who wakes and watches it; empty = every agent of its cluster"),
  enabled: z.boolean(),
  showInHomeAssistant: ShowInHomeAssistant,
  description: Description.nullable(),
  tags: Tags,
  secureOn: SecureOnPassword.nullable(),
  wake: WakeSettings.partial(),
  watch: WatchSettings.partial(),
  power: PowerSettings.partial(),
  dependsOn: Needs.nullable().describe("devices that have to be up first: the whole list; null = none"),
  ownerId: OwnerId,
  shares: Shares,
};

export const DeviceCreate = z
  .object({ ...fields, key: Key })
  .partial()
  .required({ name: true, mac: true })
  .strict();
export type DeviceCreate = z.infer<typeof DeviceCreate>;

export const DeviceChange = z.object(fields).partial().strict();
export type DeviceChange = z.infer<typeof DeviceChange>;

export const DeviceAnswer = z.object({
  id: z.uuid(),
  key: Key,
  name: z.string(),
  mac: MacAddress,
  address: z.string().nullable(),
  os: OperatingSystem,
  enabled: z.boolean(),
  showInHomeAssistant: ShowInHomeAssistant,
  description: z.string().nullable(),
  tags: z.array(z.string()),
  clusterId: z.uuid().nullable(),
  agentIds: z.array(z.uuid()).describe("empty for whoever may not see agents"),
  secureOnSet: z.boolean().describe("whether a SecureOn password is kept; it is never shown"),
  wake: WakeSettings,
  watch: WatchSettings,
  powerSettings: PowerSettings,
  dependsOn: Needs,
  powerMethod: z
    .enum(["ssh", "mqtt", "http"])
    .nullable()
    .describe("the other way of powering it off, where one is set"),
  ownerId: OwnerId,
  shares: Shares,
  power: PowerState,
  since: Instant.nullable(),
  availability: Availability,
  reachable: z.boolean().nullable(),
  evidence: Evidence.nullable(),
  lastWake: LastWake.nullable(),
  lastPowerOff: LastPowerOff.nullable(),
  powerOff: z
    .object({ id: z.uuid(), action: PowerOffAction, stage: PowerOffStage, until: Instant.nullable() })
    .nullable()
    .describe("the power-off under way; `until` is the end of its countdown"),
  typicalWakeSeconds: z.number().nullable(),
  slowWakeSeconds: z.number().nullable().describe("nine of ten of its wakes took no longer"),
  armed: z.boolean().nullable(),
  canPowerOff: z.boolean(),
  powerActions: z.array(PowerOffAction),
  whyNoPowerOff: z.string().nullable().describe("in a sentence; null where it can be powered off"),
  heldUntil: Instant.nullable(),
  leases: z.int(),
  watts: z.number().nullable(),
  energyKwh: z.number().nullable(),
  createdAt: Instant,
  updatedAt: Instant,
});
export type DeviceAnswer = z.infer<typeof DeviceAnswer>;

/** The part of an answer that is observed, not configured. */
export const DeviceNow = DeviceAnswer.pick({
  power: true,
  since: true,
  availability: true,
  reachable: true,
  evidence: true,
  lastWake: true,
  lastPowerOff: true,
  powerOff: true,
  typicalWakeSeconds: true,
  slowWakeSeconds: true,
  armed: true,
  canPowerOff: true,
  powerActions: true,
  whyNoPowerOff: true,
  heldUntil: true,
  leases: true,
  watts: true,
  energyKwh: true,
});
export type DeviceNow = z.infer<typeof DeviceNow>;

export const DeviceChanged = DeviceAnswer.extend({ droppedLinks: z.array(DroppedLink) });

export const DeviceList = page(DeviceAnswer);

export const DeviceQuery = ListQuery.extend({
  sort: z.enum(["name", "-name", "createdAt", "-createdAt"]).default("name"),
  cluster: z.string().max(63).optional().describe("key or id of a cluster; `none` for devices in none"),
  power: PowerState.optional(),
  tag: z.string().max(40).optional(),
  os: OperatingSystem.optional(),
  agent: z.string().max(63).optional().describe("key or id of a linked agent"),
});
export type DeviceQuery = z.infer<typeof DeviceQuery>;
