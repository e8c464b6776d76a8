import { z } from "zod";
import { Instant } from "../instant.ts";
import { Key } from "../key.ts";
import { Name, page } from "./common.ts";

/** Names the site that a call is about, by its key. Without it: the account's first site. */
export const SITE_HEADER = "x-powerbeacon-site";

export const SiteRef = z.object({ id: z.uuid(), key: Key, name: z.string() });
export type SiteRef = z.infer<typeof SiteRef>;

export const SiteAnswer = SiteRef.extend({
  isDefault: z.boolean().describe("the one that a new hub has; it cannot be deleted"),
  devices: z.int(),
  agents: z.int(),
  members: z.int(),
  createdAt: Instant,
});
export type SiteAnswer = z.infer<typeof SiteAnswer>;

export const SiteList = page(SiteAnswer);

/** The row for "in no cluster" is called after its site, and its key has the same bound. */
const SITE_KEY_LENGTH = 50;

export const SiteCreate = z
  .object({
    name: Name,
    key: Key.refine((key) => key.length <= SITE_KEY_LENGTH, `is longer than ${SITE_KEY_LENGTH} characters`).optional(),
  })
  .strict();
export type SiteCreate = z.infer<typeof SiteCreate>;

export const SiteChange = z.object({ name: Name }).partial().strict();
export type SiteChange = z.infer<typeof SiteChange>;
