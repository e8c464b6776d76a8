import { z } from "zod";

/** An instant on the wire: ISO 8601 in UTC, with milliseconds. There was no year 0, and Postgres knows that. */
export const Instant = z.iso.datetime().refine((instant) => !instant.startsWith("0000"), "is before the year 1");
export type Instant = z.infer<typeof Instant>;
