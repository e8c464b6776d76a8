import type { z } from "zod";
import type { SiteAnswer, SiteChange, SiteCreate } from "#contracts/api/sites.ts";
import { call } from "./call.ts";
import { wholeList } from "./whole-list.ts";

export async function sites(): Promise<SiteAnswer[]> {
  return await wholeList<SiteAnswer>("/sites");
}

export async function createSite(input: z.input<typeof SiteCreate>): Promise<void> {
  await call("POST", "/sites", input);
}

export async function changeSite(id: string, change: z.input<typeof SiteChange>): Promise<void> {
  await call("PATCH", `/sites/${id}`, change);
}

export async function deleteSite(id: string): Promise<void> {
  await call("DELETE", `/sites/${id}`);
}
