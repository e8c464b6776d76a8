import { z } from "zod";

/** The stable, readable id of a device, agent or cluster in topics. Made from the name at creation, unchanged by a rename. */
export const Key = z
  .string()
  .regex(/^[a-z0-9-]{1,63}$/, "must be 1 to 63 characters of a-z, 0-9 and -")
  .brand("Key");
export type Key = z.infer<typeof Key>;

/** The key of the cluster row that stands for "no cluster"; keys that begin so belong to the hub. */
export const UNASSIGNED = Key.parse("unassigned");
