import type { z } from "zod";
import type { AgentChange, EnrolmentCreate, EnrolmentCreated } from "#contracts/api/agents.ts";
import type { DroppedLink } from "#contracts/api/common.ts";
import { call } from "./call.ts";

export type Enrolment = z.infer<typeof EnrolmentCreated>;

/** @returns the links between devices and agents that the change took away. */
export async function changeAgent(id: string, change: z.input<typeof AgentChange>): Promise<DroppedLink[]> {
  const { droppedLinks } = await call<{ droppedLinks: DroppedLink[] }>("PATCH", `/agents/${id}`, change);
  return droppedLinks;
}

/** Its credential ends at once. */
export async function deleteAgent(id: string): Promise<void> {
  await call("DELETE", `/agents/${id}`);
}

export async function createEnrolment(input: z.input<typeof EnrolmentCreate>): Promise<Enrolment> {
  return await call("POST", "/enrolments", input);
}
