import { z } from "zod";
import { Instant } from "./instant.ts";
import { Key } from "./key.ts";
import { MAX_TARGETS_PER_ORDER, MAX_WATCHED_DEVICES } from "./limits.ts";
import { EvidenceKind } from "./power.ts";
import { PowerOffAction } from "./power-action.ts";
import { text } from "./text.ts";

/** What agents publish. Fields are always present; null = unknown. */

/** `agent/<agent>/heartbeat`. */
export const Heartbeat = z.object({
  at: Instant,
  sequence: z.int().nonnegative().describe("counts up from 1 since the agent started"),
  startedAt: Instant,
  version: text(40),
  load1: z.number().nullable().describe("load average over one minute"),
  memoryUsedPercent: z.number().nullable(),
  diskUsedPercent: z.number().nullable().describe("of the file system that holds the agent's state"),
  temperatureC: z.number().nullable(),
  clockOffsetMs: z.number().nullable().describe("hub time minus the agent's clock"),
});
export type Heartbeat = z.infer<typeof Heartbeat>;

export const OperatingSystem = z.enum(["linux", "windows", "macos", "other"]);
export type OperatingSystem = z.infer<typeof OperatingSystem>;

export const NetworkInterface = z.object({
  name: text(64),
  mac: text(17).nullable(),
  addresses: z.array(text(64)).max(32).describe("in CIDR notation, such as 192.168.1.5/24"),
  broadcast: z.array(text(45)).max(32).describe("the directed broadcast address of each IPv4 network"),
  kind: z.enum(["ethernet", "wifi", "virtual", "other"]).nullable().default(null),
  link: z.boolean().nullable().default(null).describe("whether there is a carrier; null = unknown"),
  armed: z.boolean().nullable().default(null).describe("whether it is set to wake on a magic packet; null = unknown"),
  secureOn: z
    .boolean()
    .nullable()
    .default(null)
    .describe("whether it asks for a SecureOn password in the magic packet; null = unknown"),
});
export type NetworkInterface = z.infer<typeof NetworkInterface>;

export const AgentCapability = z.enum(["wake", "icmp", "arp", "tcp", "mdns", "listen", "pin", "power"]);
export type AgentCapability = z.infer<typeof AgentCapability>;

/** What matters about a machine for waking it and taking it down. */
export const Machine = z.object({
  container: z.enum(["host-network", "bridge"]).nullable().describe("null = it runs in no container"),
  virtual: z.boolean().nullable().describe("whether it is a virtual machine; null = unknown"),
  fastStartup: z.boolean().nullable().describe("Windows: a shutdown only half shuts down; null = does not apply"),
  powerActions: z.array(PowerOffAction).describe("what it says that it can do"),
  powerProblem: text(300).nullable().describe("why it can do nothing, where that is so"),
  listensOn: z.array(z.int()).max(8).describe("UDP ports on which it hears magic packets of others"),
});
export type Machine = z.infer<typeof Machine>;

/** What an agent says of its machine, when it joins and on `agent/<agent>/inventory`. */
export const Inventory = z.object({
  hostname: text(253),
  os: OperatingSystem,
  arch: text(32),
  version: text(40),
  interfaces: z.array(NetworkInterface).max(64),
  capabilities: z.array(AgentCapability).max(32),
  machine: Machine.nullable().default(null).describe("null: an agent of an earlier version"),
});
export type Inventory = z.infer<typeof Inventory>;

/** `agent/<agent>/inventory`: the inventory, and a nonce that the hub answers with signed time on `agent/<agent>/order`. */
export const InventoryMessage = Inventory.extend({ nonce: z.string().min(16).max(64) });
export type InventoryMessage = z.infer<typeof InventoryMessage>;

export const PacketDestination = z.object({
  address: text(64),
  port: z.int(),
  interface: text(64).nullable().describe("the interface it left by; null = the system's choice"),
  error: text(200).nullable(),
});
export type PacketDestination = z.infer<typeof PacketDestination>;

/** Why an agent did not do what an order says. */
export const RefusalReason = z.enum([
  "BAD_SIGNATURE",
  "UNKNOWN_ORDER",
  "WRONG_AUDIENCE",
  "EXPIRED",
  "NOT_YET_VALID",
  "CLOCK_UNKNOWN",
  "REPEATED",
  "BUSY",
  "WRONG_MACHINE",
  "NOT_ABLE",
  "INHIBITED",
  "NOT_ARMED",
  "SUPERSEDED",
]);
export type RefusalReason = z.infer<typeof RefusalReason>;

export const ReceiptTarget = z.object({
  device: Key,
  outcome: z.enum(["sent", "failed", "refused"]),
  reason: text(300).nullable().describe("null when sent; a RefusalReason when refused; a sentence when failed"),
  packets: z.int().nonnegative(),
  destinations: z.array(PacketDestination).max(256),
});
export type ReceiptTarget = z.infer<typeof ReceiptTarget>;

/** What an agent did with a wake order. */
export const WakeReceipt = z.object({
  order: z.uuid(),
  at: Instant,
  targets: z.array(ReceiptTarget).max(MAX_TARGETS_PER_ORDER),
});
export type WakeReceipt = z.infer<typeof WakeReceipt>;

/** How far an agent is with a power order. Several follow each other for one order. */
export const PowerReceipt = z.object({
  order: z.uuid(),
  at: Instant,
  power: z.object({
    device: Key,
    outcome: z.enum(["announced", "acknowledged", "refused", "failed", "cancelled"]),
    code: RefusalReason.nullable().describe("of a refusal"),
    reason: text(500).nullable().describe("for people: what holds it up, or who said not now"),
    until: Instant.nullable().describe("of `announced`: when it goes down"),
    users: z.int().nullable().describe("people who are logged in; null = unknown"),
    armed: z.boolean().nullable().describe("whether its network card will answer a magic packet"),
  }),
});
export type PowerReceipt = z.infer<typeof PowerReceipt>;

/** What came of a probe. */
export const ProbeReceipt = z.object({
  order: z.uuid(),
  at: Instant,
  probe: z.object({ device: Key, tcpPort: z.int(), open: z.boolean(), reason: text(300).nullable() }),
});
export type ProbeReceipt = z.infer<typeof ProbeReceipt>;

/** `agent/<agent>/receipt`: what an agent did with an order. */
export const Receipt = z.union([WakeReceipt, PowerReceipt, ProbeReceipt]);
export type Receipt = z.infer<typeof Receipt>;

/** What an agent found out about one device: `up` with how, or not up by any means that it was asked to try. */
export const Sighting = z.object({
  device: Key,
  up: z.boolean(),
  how: EvidenceKind.nullable().describe("null when it is not up"),
  at: Instant,
  address: z.string().max(64).nullable().describe("where it answered"),
  mac: z
    .string()
    .max(17)
    .nullable()
    .describe("the MAC address seen at that address; null where there is no neighbour entry"),
  takenBy: text(17).nullable().default(null).describe("another MAC address that answers where the device should be"),
});
export type Sighting = z.infer<typeof Sighting>;

/** A magic packet that an agent heard, of whomever. */
export const PacketHeard = z.object({
  mac: text(17).describe("whom it wakes"),
  at: Instant,
  from: text(64).describe("the address that it came from"),
  port: z.int(),
});
export type PacketHeard = z.infer<typeof PacketHeard>;

/** `agent/<agent>/sightings`: changes seen. The first batch of each connection is whole: `full` means that what it leaves out has no verdict yet. */
export const SightingBatch = z.object({
  at: Instant,
  full: z.boolean(),
  sightings: z.array(Sighting).max(MAX_WATCHED_DEVICES),
  packets: z.array(PacketHeard).max(500).default([]),
});
export type SightingBatch = z.infer<typeof SightingBatch>;
