import { z } from "zod";
import { Instant } from "../instant.ts";
import { HubInfo } from "../power.ts";
import { PowerOffStageRecord } from "../power-off.ts";
import { WakeStageRecord } from "../wake.ts";
import { AgentAnswer } from "./agents.ts";
import { ClusterAnswer } from "./clusters.ts";
import { DeviceAnswer } from "./devices.ts";

/**
 * What `GET /api/events` sends as server-sent events: first a `snapshot`, then changes, each whole.
 *
 * The `id` of each event resumes the stream by `Last-Event-ID`; when too much was missed a new snapshot comes instead.
 */
export const LiveEvent = z.discriminatedUnion("event", [
  z.object({
    event: z.literal("snapshot"),
    data: z.object({
      at: Instant.describe("the hub's clock, so that a reader whose clock is wrong can count seconds all the same"),
      devices: z.array(DeviceAnswer),
      clusters: z.array(ClusterAnswer),
      agents: z.array(AgentAnswer),
      hub: HubInfo,
    }),
  }),
  z.object({
    event: z.literal("ping").describe("every 15 s, so that a reader knows that its data is of now"),
    data: z.object({ at: Instant }),
  }),
  z.object({ event: z.literal("device"), data: DeviceAnswer }),
  z.object({ event: z.literal("cluster"), data: ClusterAnswer }),
  z.object({ event: z.literal("agent"), data: AgentAnswer }),
  z.object({ event: z.literal("hub"), data: HubInfo }),
  z.object({
    event: z.literal("removed"),
    data: z.object({ kind: z.enum(["device", "cluster", "agent"]), id: z.uuid() }),
  }),
  z.object({
    event: z.literal("wake"),
    data: z.intersection(z.object({ wake: z.uuid(), deviceId: z.uuid() }), WakeStageRecord),
  }),
  z.object({
    event: z.literal("power-off"),
    data: z.intersection(z.object({ powerOff: z.uuid(), deviceId: z.uuid() }), PowerOffStageRecord),
  }),
  z.object({
    event: z.literal("schedules").describe("schedules or leases changed; who shows them asks again"),
    data: z.object({ at: Instant }),
  }),
]);
export type LiveEvent = z.infer<typeof LiveEvent>;
