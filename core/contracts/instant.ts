import { z } from "zod";

/** An instant on the wire: ISO 8601 in UTC, with milliseconds. There was no year 0, and Postgres knows that. */
export const Instant = z.iso.datetime().refine((instant) => !instant.startsWith("0000"), "is before the year 1");
export type Instant = z.infer<typeof Instant>;

/** An instant as people and their programs write it: with any offset from UTC. Read as UTC. */
export const AnyInstant = z.iso
  .datetime({ offset: true })
  .overwrite((instant) => new Date(instant).toISOString())
  .refine((instant) => !instant.startsWith("0000"), "is before the year 1");
