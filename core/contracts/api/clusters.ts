import { z } from "zod";
import { Instant } from "../instant.ts";
import { Key } from "../key.ts";
import { Needs, Pace } from "../needs.ts";
import { ClusterInfo, SwitchState } from "../power.ts";
import {
  Description,
  DroppedLink,
  ListQuery,
  Name,
  OwnerId,
  Shares,
  ShowInHomeAssistant,
  Tags,
  page,
} from "./common.ts";

const fields = {
  name: Name,
  description: Description.nullable(),
  tags: Tags,
  showInHomeAssistant: ShowInHomeAssistant,
  deviceIds: z.array(z.uuid()).max(10_000).describe("the whole membership; omitted = untouched"),
  agentIds: z.array(z.uuid()).max(1_000).describe("the whole membership; omitted = untouched"),
  pace: Pace.partial().nullable().describe("null = all at once"),
  dependsOn: Needs.nullable().describe("devices that have to be up before any device of the cluster; null = none"),
  ownerId: OwnerId,
  shares: Shares,
};

export const ClusterCreate = z
  .object({ ...fields, key: Key })
  .partial()
  .required({ name: true })
  .strict();
export type ClusterCreate = z.infer<typeof ClusterCreate>;

export const ClusterChange = z.object(fields).partial().strict();
export type ClusterChange = z.infer<typeof ClusterChange>;

export const ClusterAnswer = z.object({
  id: z.uuid(),
  key: Key,
  name: z.string(),
  description: z.string().nullable(),
  tags: z.array(z.string()),
  showInHomeAssistant: ShowInHomeAssistant,
  deviceIds: z.array(z.uuid()),
  agentIds: z.array(z.uuid()).describe("empty for whoever may not see agents"),
  pace: Pace,
  dependsOn: Needs,
  ownerId: OwnerId,
  shares: Shares,
  state: SwitchState,
  ...ClusterInfo.pick({ devices: true, agents: true, problem: true, problems: true }).shape,
  createdAt: Instant,
  updatedAt: Instant,
});
export type ClusterAnswer = z.infer<typeof ClusterAnswer>;

/** The part of an answer that is observed, not configured. */
export const ClusterNow = ClusterAnswer.pick({
  state: true,
  devices: true,
  agents: true,
  problem: true,
  problems: true,
});
export type ClusterNow = z.infer<typeof ClusterNow>;

export const ClusterChanged = ClusterAnswer.extend({ droppedLinks: z.array(DroppedLink) });

export const ClusterList = page(ClusterAnswer);

export const ClusterQuery = ListQuery.extend({
  sort: z.enum(["name", "-name", "createdAt", "-createdAt"]).default("name"),
  tag: z.string().max(40).optional(),
});
export type ClusterQuery = z.infer<typeof ClusterQuery>;
