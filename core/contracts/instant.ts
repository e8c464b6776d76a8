import { z } from "zod";

/** An instant on the wire: ISO 8601 in UTC, with milliseconds. There was no year 0, and Postgres knows that. */
export const Instant = z.iso.datetime().refine((instant) => !instant.startsWith("0000"), "is before the year 1");
export type Instant = z.infer<typeof Instant>;

/** An instant as people and their programs write it: with any offset from UTC. Read as UTC. */
export const AnyInstant = z.iso
  .datetime({ offset: true, abort: true })
  .overwrite((instant) => (Number.isNaN(Date.parse(instant)) ? instant : new Date(instant).toISOString()))
  .refine((instant) => /^(?!0000)\d{4}-/.test(instant), "is before the year 1 or after the year 9999");
