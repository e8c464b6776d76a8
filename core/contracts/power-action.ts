import { z } from "zod";

/** The ways in which a machine goes down. Of `reboot` it comes back by itself. */
export const PowerOffAction = z.enum(["shutdown", "sleep", "hibernate", "reboot"]);
export type PowerOffAction = z.infer<typeof PowerOffAction>;

/** What a plain `OFF` may stand for. */
export const OffAction = PowerOffAction.exclude(["reboot"]);
export type OffAction = z.infer<typeof OffAction>;
