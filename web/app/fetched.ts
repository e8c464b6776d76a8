import { toast } from "./toast-list.ts";

/** Dialogs, and parts of them, whose code is fetched when somebody opens them. */
const PARTS = {
  import: () => import("../imports/import-devices.ts"),
  export: () => import("../imports/export-devices.ts"),
  plan: () => import("../power/plan-dialog.ts"),
  "power-off": () => import("../power/power-dialog.ts"),
  doctor: () => import("../power/doctor-dialog.ts"),
  "power-method": () => import("../power/power-method-form.ts"),
  schedule: () => import("../schedules/schedule-form.ts"),
  "power-off-history": () => import("../power/power-off-history.ts"),
  "power-days": () => import("../power/power-days.ts"),
} as const;
export type FetchedPart = keyof typeof PARTS;

/** @returns whether it can be shown; if not, the page has said so. */
export async function fetched(type: FetchedPart): Promise<boolean> {
  try {
    await PARTS[type]();
    return true;
  } catch {
    // the hub is away, or has another version of the page by now
    toast("This part of the page could not be loaded. Load the page anew.", "bad");
    return false;
  }
}
