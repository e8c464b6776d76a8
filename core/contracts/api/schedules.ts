import { z } from "zod";
import { AnyInstant, Instant } from "../instant.ts";
import { Key } from "../key.ts";
import { PowerOffAction } from "../power-action.ts";
import { Description, ListQuery, Name, OwnerId, ShowInHomeAssistant, page } from "./common.ts";

/** A place on earth for sunrise and sunset, degrees. */
export const Place = z
  .object({ latitude: z.number().min(-90).max(90), longitude: z.number().min(-180).max(180) })
  .strict();
export type Place = z.infer<typeof Place>;

/** An IANA time zone that this system knows. */
export const TimeZone = z
  .string()
  .max(64)
  .refine((zone) => {
    try {
      return new Intl.DateTimeFormat("en", { timeZone: zone }).resolvedOptions().timeZone !== "";
    } catch {
      return false;
    }
  }, "is no IANA time zone such as Europe/Athens");

/**
 * When a schedule fires.
 *
 * `cron`: five fields, or six with the seconds, one number, first, in a time zone. A time that daylight saving leaves out fires at
 * the end of the gap; one that comes twice fires once. With `*` for the hour it goes by real hours. `once`: at one instant. `sun`: each
 * day at a position of the sun, moved by some minutes.
 */
export const ScheduleWhen = z.discriminatedUnion("type", [
  z.object({ type: z.literal("cron"), cron: z.string().trim().min(9).max(120), timeZone: TimeZone }).strict(),
  z.object({ type: z.literal("once"), at: AnyInstant }).strict(),
  z
    .object({
      type: z.literal("sun"),
      event: z.enum(["sunrise", "sunset", "dawn", "dusk"]),
      offsetMinutes: z.int().min(-720).max(720).default(0),
      place: Place,
      timeZone: TimeZone,
    })
    .strict(),
]);
export type ScheduleWhen = z.infer<typeof ScheduleWhen>;

const fields = {
  name: Name,
  description: Description.nullable(),
  enabled: z.boolean(),
  action: z.union([z.literal("wake"), z.literal("off"), PowerOffAction]),
  deviceIds: z.array(z.uuid()).max(1_000),
  clusterIds: z.array(z.uuid()).max(100),
  when: ScheduleWhen,
  jitterSeconds: z.int().min(0).max(3_600).describe("fires up to so much later, so that not all start at once"),
  catchUpMinutes: z.int().min(0).max(1_440).describe("a firing that the hub missed is made up for within so long"),
  force: z.boolean().describe("power off in spite of inhibitors, leases and dependents"),
  showInHomeAssistant: ShowInHomeAssistant,
  ownerId: OwnerId,
};

export const ScheduleCreate = z
  .object({ ...fields, key: Key })
  .partial()
  .required({ name: true, action: true, when: true })
  .strict();
export type ScheduleCreate = z.infer<typeof ScheduleCreate>;

export const ScheduleChange = z.object(fields).partial().strict();
export type ScheduleChange = z.infer<typeof ScheduleChange>;

export const ScheduleAnswer = z.object({
  id: z.uuid(),
  key: Key,
  ...fields,
  skipNext: z.boolean().describe("the next firing is left out"),
  nextAt: Instant.nullable().describe("null when it will not fire any more, or is disabled"),
  lastRun: z.lazy(() => ScheduleRun).nullable(),
  createdAt: Instant,
  updatedAt: Instant,
});
export type ScheduleAnswer = z.infer<typeof ScheduleAnswer>;

/** What became of one firing. */
export const ScheduleRun = z.object({
  id: z.uuid(),
  dueAt: Instant,
  at: Instant,
  outcome: z.enum(["ran", "skipped"]),
  because: z.string().describe("why it was skipped, or what it did, in a sentence"),
  code: z.string().nullable().describe("of what was skipped: SKIP_NEXT, DISABLED, MISSED, LEASED, NOTHING_TO_DO …"),
  devices: z.array(
    z.object({ device: Key, stage: z.string(), code: z.string().nullable(), reason: z.string().nullable() }),
  ),
});
export type ScheduleRun = z.infer<typeof ScheduleRun>;

/** A firing to come. */
export const Firing = z.object({
  at: Instant,
  local: z.string().describe("as a clock there shows it, with its offset from UTC"),
  skipped: z.boolean(),
  explanation: z.string(),
});
export type Firing = z.infer<typeof Firing>;

export const SkipNext = z.object({ skip: z.boolean() }).strict();

/** What somebody thinks of, before it is a schedule. */
export const SchedulePreview = z
  .object({ when: ScheduleWhen, jitterSeconds: fields.jitterSeconds.default(0) })
  .strict();

export const ScheduleList = page(ScheduleAnswer);
export const ScheduleRunList = page(ScheduleRun);
export const Firings = z.object({ firings: z.array(Firing).max(20) });
export const ScheduleQuery = ListQuery.extend({
  sort: z.enum(["name", "-name", "createdAt", "-createdAt"]).default("name"),
  device: z.string().max(63).optional().describe("key or id of a device that it is for"),
});
export type ScheduleQuery = z.infer<typeof ScheduleQuery>;

/** `schedule/<schedule>/info`. */
export const ScheduleInfo = z.object({
  name: z.string(),
  action: z.string(),
  enabled: z.boolean(),
  nextAt: Instant.nullable(),
  skipNext: z.boolean(),
  lastRun: ScheduleRun.pick({ at: true, outcome: true, because: true }).nullable(),
});
export type ScheduleInfo = z.infer<typeof ScheduleInfo>;
