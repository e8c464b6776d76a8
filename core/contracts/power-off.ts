import { z } from "zod";
import { Instant } from "./instant.ts";
import { Key } from "./key.ts";
import { Evidence } from "./power.ts";
import { PowerOffAction } from "./power-action.ts";
import { Transaction } from "./wake.ts";

/** Who carries a power-off out: the agent on the machine itself, or the way that was set for the device. */
export const PowerOffWay = z.enum(["agent", "ssh", "mqtt", "http"]);
export type PowerOffWay = z.infer<typeof PowerOffWay>;

/** Where a power-off stands. Whoever carries it out says `announced` and `acknowledged`; only looking proves `off`. */
export const PowerOffStage = z.enum([
  "accepted",
  "sent",
  "announced",
  "acknowledged",
  "off",
  "rebooted",
  "already-off",
  "still-on",
  "failed",
  "cancelled",
]);
export type PowerOffStage = z.infer<typeof PowerOffStage>;

export const FINAL_POWER_OFF_STAGES: ReadonlySet<PowerOffStage> = new Set<PowerOffStage>([
  "off",
  "rebooted",
  "already-off",
  "still-on",
  "failed",
  "cancelled",
]);

const common = { at: Instant };

/** One thing that happened in a power-off, with what is known by then. Published as a result and kept as history. */
export const PowerOffStageRecord = z.discriminatedUnion("stage", [
  z.object({
    stage: z.literal("accepted"),
    ...common,
    way: PowerOffWay,
    agent: Key.nullable().describe("the agent on the machine; null where another way is taken"),
  }),
  z.object({ stage: z.literal("sent"), ...common }),
  z.object({
    stage: z.literal("announced"),
    ...common,
    until: Instant.describe("when it goes down unless somebody there says not now"),
    users: z.int().nullable().describe("how many people are logged in there; null = unknown"),
  }),
  z.object({ stage: z.literal("acknowledged"), ...common }),
  z.object({
    stage: z.literal("off"),
    ...common,
    seconds: z.number().describe("since the request"),
  }),
  z.object({ stage: z.literal("rebooted"), ...common, seconds: z.number(), evidence: Evidence.nullable() }),
  z.object({ stage: z.literal("already-off"), ...common }),
  z.object({ stage: z.literal("still-on"), ...common, seconds: z.number(), evidence: Evidence.nullable() }),
  z.object({ stage: z.literal("failed"), ...common, code: z.string(), reason: z.string() }),
  z.object({ stage: z.literal("cancelled"), ...common, by: z.string(), reason: z.string().nullable() }),
]);
export type PowerOffStageRecord = z.infer<typeof PowerOffStageRecord>;

/** `device/<device>/result`, and the MQTT 5 response topic where one was given. */
export const PowerOffResult = z.intersection(
  z.object({ transaction: Transaction.nullable(), powerOff: z.uuid(), device: Key, action: PowerOffAction }),
  PowerOffStageRecord,
);
export type PowerOffResult = z.infer<typeof PowerOffResult>;
