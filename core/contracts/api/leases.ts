import { z } from "zod";
import { AnyInstant, Instant } from "../instant.ts";
import { Key } from "../key.ts";
import { text } from "../text.ts";
import { ListQuery, page } from "./common.ts";
import { WakeAccepted } from "./wakes.ts";

/** Somebody wants a device to stay on: until an instant, for a while, or until it is given back. */
export const leaseFields = {
  until: AnyInstant.optional(),
  forMinutes: z.number().positive().max(525_600).optional(),
  reason: text(200).optional(),
  wake: z.boolean().default(true).describe("wake it now, where it is not on"),
};

/** For a refinement: there are two ways to name an end, and none means until it is given back. */
export function namesOneEnd({ until, forMinutes }: { until?: string | undefined; forMinutes?: number | undefined }) {
  return until === undefined || forMinutes === undefined;
}
export const NAME_ONE_END = { error: "give either until or forMinutes", path: ["until"] };

export const LeaseCreate = z.object(leaseFields).strict().refine(namesOneEnd, NAME_ONE_END);
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

/** What came of asking for one. Who asks again with the same reason moves the end of the lease that there is. */
export const LeaseCreated = LeaseAnswer.extend({
  wake: WakeAccepted.nullable().describe("null where the device was on already, or nobody asked to wake it"),
});
export type LeaseCreated = z.infer<typeof LeaseCreated>;

export const LeaseQuery = ListQuery.omit({ q: true }).extend({
  state: z.enum(["open", "ended", "all"]).default("open"),
});
export type LeaseQuery = z.infer<typeof LeaseQuery>;

export const LeaseList = page(LeaseAnswer);
