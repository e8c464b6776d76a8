import type { z } from "zod";
import type { ClusterAnswer, ClusterChange, ClusterCreate } from "#contracts/api/clusters.ts";
import type { DroppedLink } from "#contracts/api/common.ts";
import type { ClusterWakeAccepted, WakeAccepted } from "#contracts/api/wakes.ts";
import { call } from "./call.ts";

export async function createCluster(input: z.input<typeof ClusterCreate>): Promise<ClusterAnswer> {
  return await call("POST", "/clusters", input);
}

/** @returns the links between devices and agents that the change took away. */
export async function changeCluster(id: string, change: z.input<typeof ClusterChange>): Promise<DroppedLink[]> {
  const { droppedLinks } = await call<{ droppedLinks: DroppedLink[] }>("PATCH", `/clusters/${id}`, change);
  return droppedLinks;
}

/** Its devices and agents stay, in no cluster. */
export async function deleteCluster(id: string): Promise<void> {
  await call("DELETE", `/clusters/${id}`);
}

/** What became of each enabled device. */
export async function wakeCluster(id: string): Promise<WakeAccepted[]> {
  const { wakes } = await call<z.infer<typeof ClusterWakeAccepted>>("POST", `/clusters/${id}/wake`, {});
  return wakes;
}
