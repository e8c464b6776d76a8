import { z } from "zod";
import { Instant } from "../instant.ts";
import { Key } from "../key.ts";
import { FindingNote } from "../finding.ts";
import { Evidence } from "../power.ts";
import { Transaction, WakeStage, WakeStageRecord } from "../wake.ts";
import { ListQuery, page } from "./common.ts";

export const WakeBody = z.object({ transaction: Transaction.optional(), force: z.boolean().default(false) }).strict();

export const WakeQuery = z
  .object({
    wait: z.coerce.number().int().min(0).max(300).default(0).describe("seconds to hold the answer until a final stage"),
  })
  .strict();

export const WakeAgent = z.object({
  id: z.uuid(),
  key: Key,
  stage: z.enum(["asked", "sent", "failed", "refused", "offline"]),
  reason: z.string().optional(),
});
export type WakeAgent = z.infer<typeof WakeAgent>;

/** One device's part of a wake. `wake` is null when none was made, then `stage` is `refused` and `code` says why. */
export const WakeAccepted = z.object({
  wake: z.uuid().nullable(),
  device: Key,
  stage: z.union([WakeStage, z.literal("refused")]),
  agents: z.array(WakeAgent),
  code: z.string().optional(),
  reason: z.string().optional(),
  evidence: Evidence.optional().describe("how it was seen up"),
  findings: z.array(FindingNote).optional().describe("what the doctor found, where it did not wake"),
  seconds: z.number().optional(),
});
export type WakeAccepted = z.infer<typeof WakeAccepted>;

export const ClusterWakeAccepted = z.object({ wakes: z.array(WakeAccepted) });

export const WakeAnswer = z.object({
  id: z.uuid(),
  device: Key,
  deviceId: z.uuid(),
  stage: WakeStage,
  requestedAt: Instant,
  requestedBy: z.string(),
  finishedAt: Instant.nullable(),
  seconds: z.number().nullable(),
  evidence: Evidence.nullable(),
  stages: z.array(WakeStageRecord),
});
export type WakeAnswer = z.infer<typeof WakeAnswer>;

export const WakeList = page(WakeAnswer);

export const WakeListQuery = ListQuery.omit({ q: true });
