import { z } from "zod";
import { Port } from "./address.ts";

/** What of a needed device counts as ready: that it is seen on, or that one of its services accepts connections. */
export const ReadyCheck = z.discriminatedUnion("type", [
  z.object({ type: z.literal("on") }).strict(),
  z.object({ type: z.literal("tcp"), port: Port }).strict(),
]);
export type ReadyCheck = z.infer<typeof ReadyCheck>;

/** A device that has to be up first. */
export const Need = z.object({ deviceId: z.uuid(), ready: ReadyCheck.default({ type: "on" }) }).strict();
export type Need = z.infer<typeof Need>;

export const Needs = z
  .array(Need)
  .max(20, "holds more than 20")
  .refine((needs) => new Set(needs.map((need) => need.deviceId)).size === needs.length, "names a device twice");

/** How a cluster is woken and powered down: so many at a time, and so long between two. */
export const Pace = z
  .object({
    staggerMs: z.int().min(0).max(600_000).describe("between the starts of two devices; 0 = all at once"),
    atOnce: z.int().min(1).max(1_000).nullable().describe("so many devices are under way at a time; null = all"),
  })
  .strict();
export type Pace = z.infer<typeof Pace>;
