import { z } from "zod";
import { Instant } from "../instant.ts";
import { Evidence, PowerState } from "../power.ts";

export const PowerHistoryQuery = z
  .object({
    from: Instant.optional().describe("the last seven days, unless said otherwise"),
    to: Instant.optional(),
    limit: z.coerce.number().int().min(1).max(2_000).default(500),
  })
  .strict();

/** A device came into a power state. */
export const PowerPeriod = z.object({
  at: Instant,
  power: PowerState,
  because: z
    .string()
    .describe("a word for the cause: seen, missed, wake, power-off, own-agent, nobody-looks, hub-start …"),
  evidence: Evidence.nullable(),
});
export type PowerPeriod = z.infer<typeof PowerPeriod>;

/** One day (UTC) of a device, kept when its single states are gone. */
export const PowerDay = z.object({
  day: z.iso.date(),
  onSeconds: z.int(),
  offSeconds: z.int(),
  unknownSeconds: z.int().describe("unreachable or unknown, or the hub was not running"),
  wakes: z.int().describe("times it came on"),
});
export type PowerDay = z.infer<typeof PowerDay>;

/** `GET /api/devices/{id}/history`, oldest first. */
export const PowerHistory = z.object({ states: z.array(PowerPeriod), days: z.array(PowerDay) });
export type PowerHistory = z.infer<typeof PowerHistory>;
