import { z } from "zod";
import { Instant } from "./instant.ts";
import { Key } from "./key.ts";

/** What can happen to a device. */
export const DeviceEventType = z.enum([
  "wake_requested",
  "wake_succeeded",
  "wake_failed",
  "wake_cancelled",
  "power_off_requested",
  "power_off_succeeded",
  "power_off_failed",
  "came_up_by_itself",
  "power_off_cancelled",
  "magic_packet_seen",
  "lease_started",
  "lease_ended",
]);

/** What can happen. Adding a type is compatible: readers ignore what they do not know. */
export const EventType = z.enum([
  ...DeviceEventType.options,
  "agent_online",
  "agent_offline",
  "agent_copied",
  "schedule_ran",
  "schedule_skipped",
  "request_refused",
]);
export type EventType = z.infer<typeof EventType>;

/** `event` and `device/<device>/event`. Never retained. */
export const EventMessage = z.object({
  event_type: EventType,
  at: Instant,
  cluster: Key.nullable(),
  device: Key.nullable(),
  agent: Key.nullable(),
  by: z.string().nullable(),
  transaction: z.string().nullable(),
  reason: z.string().nullable(),
  seconds: z.number().nullable(),
});
export type EventMessage = z.infer<typeof EventMessage>;
