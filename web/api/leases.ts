import type { z } from "zod";
import type { LeaseAnswer, LeaseCreate, LeaseList } from "#contracts/api/leases.ts";
import { call } from "./call.ts";

/** Those that hold the device on now. */
export async function leasesOf(deviceId: string): Promise<LeaseAnswer[]> {
  const { items } = await call<z.infer<typeof LeaseList>>("GET", `/devices/${deviceId}/leases?limit=200`);
  return items.filter(({ endedAt }) => endedAt === null);
}

/** It is woken where it is not on. */
export async function holdOn(deviceId: string, lease: z.input<typeof LeaseCreate>): Promise<LeaseAnswer> {
  return await call("POST", `/devices/${deviceId}/leases`, lease);
}

export async function giveBack(leaseId: string): Promise<void> {
  await call("DELETE", `/leases/${leaseId}`);
}
