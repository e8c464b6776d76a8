import { z } from "zod";

/**
 * The payload of `hub/update` and `agent/<agent>/update`, with the names that Home Assistant reads: one that it does not know, or
 * a null, and it drops the whole message. A latest version that nobody knows is the installed one.
 *
 * @see https://www.home-assistant.io/integrations/update.mqtt/
 */
export const UpdateInfo = z
  .object({
    installed_version: z.string(),
    latest_version: z.string(),
    release_url: z.url().optional().describe("left out where none is known"),
    in_progress: z.boolean(),
  })
  .strict();
export type UpdateInfo = z.infer<typeof UpdateInfo>;

/** What whoever asks nobody for a newer version knows. */
export function updateOf(version: string): UpdateInfo {
  return { installed_version: version, latest_version: version, in_progress: false };
}
