import { z } from "zod";
import { FindingNote } from "../finding.ts";
import { Key } from "../key.ts";

export const PlanQuery = z
  .object({
    action: z.enum(["wake", "off"]).default("wake"),
    force: z.stringbool().default(false),
  })
  .strict();

/** What would be done with one device, and why not where nothing would. */
export const PlanStep = z.object({
  device: Key,
  deviceId: z.uuid(),
  name: z.string(),
  verdict: z.enum(["go", "already", "refused"]),
  code: z.string().nullable(),
  reason: z.string().nullable(),
  after: z.array(Key).describe("devices that have to be up, or down, before"),
  startsAfterMs: z.int().nullable().describe("at the earliest, by the stagger alone; null where it is not started"),
  asked: z.boolean().describe("false: not asked for, but needed by one that is"),
  agents: z.array(Key).describe("who would send"),
  destinations: z.array(z.string()).describe("where magic packets would go: address:port, or a kind of address"),
  typicalSeconds: z.number().nullable(),
  way: z.string().nullable().describe("of a power-off: agent, ssh, mqtt or http, and the action"),
  findings: z.array(FindingNote).describe("what the doctor would say"),
});
export type PlanStep = z.infer<typeof PlanStep>;

/** What a wake or a power-off of a device or a cluster would do, in the order in which it would be done. Nothing is sent. */
export const PowerPlan = z.object({
  action: z.enum(["wake", "off"]),
  steps: z.array(PlanStep),
  staggerMs: z.int(),
  atOnce: z.int().nullable(),
});
export type PowerPlan = z.infer<typeof PowerPlan>;
