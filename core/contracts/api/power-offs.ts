import { z } from "zod";
import { Instant } from "../instant.ts";
import { Key } from "../key.ts";
import { PowerOffAction } from "../power-action.ts";
import { PowerOffStage, PowerOffStageRecord, PowerOffWay } from "../power-off.ts";
import { PowerActionWord, Transaction } from "../wake.ts";
import { ListQuery, page } from "./common.ts";

export const PowerBody = z
  .object({
    action: PowerActionWord.describe("off = the device's own way of going down; wake and on wake it"),
    force: z
      .boolean()
      .default(false)
      .describe("in spite of inhibitors, leases, dependents, or that nobody could wake it"),
    transaction: Transaction.optional(),
  })
  .strict();
export type PowerBody = z.infer<typeof PowerBody>;

/** One device's part of a power request. `powerOff` is null when none was made, then `stage` is `refused` and `code` says why. */
export const PowerAccepted = z.object({
  powerOff: z.uuid().nullable(),
  wake: z.uuid().nullable().describe("where the action was a wake"),
  device: Key,
  action: z.union([PowerOffAction, z.literal("wake")]),
  stage: z.string(),
  code: z.string().optional(),
  reason: z.string().optional(),
  seconds: z.number().optional(),
});
export type PowerAccepted = z.infer<typeof PowerAccepted>;

export const ClusterPowerAccepted = z.object({ devices: z.array(PowerAccepted) });

export const PowerOffAnswer = z.object({
  id: z.uuid(),
  device: Key,
  deviceId: z.uuid(),
  action: PowerOffAction,
  way: PowerOffWay,
  force: z.boolean(),
  stage: PowerOffStage,
  requestedAt: Instant,
  requestedBy: z.string(),
  finishedAt: Instant.nullable(),
  seconds: z.number().nullable(),
  stages: z.array(PowerOffStageRecord),
});
export type PowerOffAnswer = z.infer<typeof PowerOffAnswer>;

export const PowerOffList = page(PowerOffAnswer);
export const PowerOffListQuery = ListQuery.omit({ q: true });
