import { toast } from "../app/toast-list.ts";

/** Dialogs whose code is fetched when somebody opens them. */
const DIALOGS = {
  import: () => import("../imports/import-devices.ts"),
  export: () => import("../imports/export-devices.ts"),
  plan: () => import("../power/plan-dialog.ts"),
  "power-off": () => import("../power/power-dialog.ts"),
  doctor: () => import("../power/doctor-dialog.ts"),
  "power-method": () => import("../power/power-method-form.ts"),
  schedule: () => import("../schedules/schedule-form.ts"),
} as const;
export type FetchedDialog = keyof typeof DIALOGS;

/** @returns whether it can be shown; if not, the page has said so. */
export async function fetched(type: FetchedDialog): Promise<boolean> {
  try {
    await DIALOGS[type]();
    return true;
  } catch {
    // the hub is away, or has another version of the page by now
    toast("This part of the page could not be loaded. Load the page anew.", "bad");
    return false;
  }
}
