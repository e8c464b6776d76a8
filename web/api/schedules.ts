import type { z } from "zod";
import type {
  Firing,
  Firings,
  ScheduleAnswer,
  ScheduleChange,
  ScheduleCreate,
  SchedulePreview,
  ScheduleRun,
  ScheduleRunList,
} from "#contracts/api/schedules.ts";
import { call } from "./call.ts";
import { wholeList } from "./whole-list.ts";

export async function schedules(): Promise<ScheduleAnswer[]> {
  return await wholeList("/schedules");
}

export async function createSchedule(input: z.input<typeof ScheduleCreate>): Promise<ScheduleAnswer> {
  return await call("POST", "/schedules", input);
}

export async function changeSchedule(id: string, change: z.input<typeof ScheduleChange>): Promise<ScheduleAnswer> {
  return await call("PATCH", `/schedules/${id}`, change);
}

export async function deleteSchedule(id: string): Promise<void> {
  await call("DELETE", `/schedules/${id}`);
}

/** Leaves the next firing out, or not after all. */
export async function skipNext(id: string, skip: boolean): Promise<void> {
  await call("POST", `/schedules/${id}/skip`, { skip });
}

/** When it fires next, explained. */
export async function firingsOf(id: string): Promise<Firing[]> {
  return (await call<z.infer<typeof Firings>>("GET", `/schedules/${id}/next`)).firings;
}

/** What became of its firings, the newest first. */
export async function runsOf(id: string, limit: number): Promise<ScheduleRun[]> {
  return (await call<z.infer<typeof ScheduleRunList>>("GET", `/schedules/${id}/runs?limit=${limit}`)).items;
}

/** When it would fire next. Nothing is kept. @throws CallError naming what is wrong with it. */
export async function previewOf(preview: z.input<typeof SchedulePreview>): Promise<Firing[]> {
  return (await call<z.infer<typeof Firings>>("POST", "/schedules/preview", preview)).firings;
}
