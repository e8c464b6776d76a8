import { z } from "zod";
import { Instant } from "../instant.ts";
import { Key } from "../key.ts";
import { page } from "./common.ts";
import { text } from "../text.ts";

/** Somebody wants a device to stay on: until an instant, for a while, or until it is given back. */
export const LeaseCreate = z
  .object({
    until: Instant.optional(),
    forMinutes: z.number().positive().max(525_600).optional(),
    reason: text(200).optional(),
    wake: z.boolean().default(true).describe("wake it now, where it is not on"),
  })
  .strict()
  .refine(({ until, forMinutes }) => until === undefined || forMinutes === undefined, {
    error: "give either until or forMinutes",
    path: ["until"],
  });
export type LeaseCreate = z.infer<typeof LeaseCreate>;

export const LeaseAnswer = z.object({
  id: z.uuid(),
  device: Key,
  deviceId: z.uuid(),
  heldBy: z.string(),
  holder: z.enum(["person", "token", "mqtt", "schedule"]),
  reason: z.string().nullable(),
  since: Instant,
  until: Instant.nullable().describe("null = until it is given back"),
  endedAt: Instant.nullable(),
  endedBecause: z.enum(["expired", "released", "forced", "device-removed"]).nullable(),
});
export type LeaseAnswer = z.infer<typeof LeaseAnswer>;

export const LeaseList = page(LeaseAnswer);
