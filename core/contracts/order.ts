import { z } from "zod";
import { DeviceAddress, PacketAddress, Port } from "./address.ts";
import { Key } from "./key.ts";
import { MAX_TARGETS_PER_ORDER, MAX_WATCHED_DEVICES } from "./limits.ts";
import { MacAddress, SecureOnPassword } from "./mac-address.ts";

/**
 * What the hub signs. Each is a compact JWS (EdDSA; header `kid` = the hub key's RFC 7638 thumbprint); agents obey nothing else.
 *
 * `aud` is the topic it was published on, without base, so that nobody can replay it on another topic.
 */

/** RFC 7519 NumericDate: seconds since 1970 UTC. Ours carry a fraction, so that two orders of one second stay in order. */
const NumericDate = z.number().nonnegative();

export const WakeTarget = z.object({
  device: Key,
  mac: MacAddress,
  secureOn: SecureOnPassword.nullable(),
  agents: z.array(Key).describe("who sends; empty = every agent that reads this order"),
  addresses: z.array(PacketAddress).describe("where to; empty = every broadcast address of the agent's own interfaces"),
  ports: z.array(Port).min(1).max(8),
});
export type WakeTarget = z.infer<typeof WakeTarget>;

/** Hub → agents on `cluster/<cluster>/wake`. At least once, so agents ignore an order id they have already seen. */
export const WakeOrder = z.object({
  type: z.literal("wake"),
  aud: z.string(),
  id: z.uuid(),
  iat: NumericDate,
  exp: NumericDate,
  targets: z.array(WakeTarget).min(1).max(MAX_TARGETS_PER_ORDER),
  burst: z.object({
    packets: z.int().min(1).max(10).describe("to each destination"),
    spacingMs: z.int().min(0).max(1_000),
  }),
});
export type WakeOrder = z.infer<typeof WakeOrder>;

/** Hub → one agent on `agent/<agent>/order`: the answer to the nonce on its inventory. */
export const TimeOrder = z.object({
  type: z.literal("time"),
  aud: z.string(),
  id: z.uuid(),
  iat: NumericDate.describe("the hub's time when it signed"),
  exp: NumericDate,
  nonce: z.string(),
});
export type TimeOrder = z.infer<typeof TimeOrder>;

/** Hub → one agent on `agent/<agent>/order`: its credential was taken back, it should stop. */
export const RevokedOrder = z.object({
  type: z.literal("revoked"),
  aud: z.string(),
  id: z.uuid(),
  iat: NumericDate,
  exp: NumericDate,
});
export type RevokedOrder = z.infer<typeof RevokedOrder>;

export const AgentOrder = z.discriminatedUnion("type", [TimeOrder, RevokedOrder]);
export type AgentOrder = z.infer<typeof AgentOrder>;

export const WatchedDevice = z.object({
  device: Key,
  mac: MacAddress,
  address: DeviceAddress.nullable().describe("null = find it by its MAC address in the neighbour table"),
  icmp: z.boolean(),
  arp: z.boolean(),
  tcpPorts: z.array(Port).max(16),
  intervalSeconds: z.int().min(1).max(3_600),
});
export type WatchedDevice = z.infer<typeof WatchedDevice>;

/** Hub → one agent on `agent/<agent>/watch`, retained. It has no expiry; its version rises within one connection and one run of the hub. */
export const WatchList = z.object({
  type: z.literal("watch"),
  aud: z.string(),
  version: z.int().nonnegative(),
  iat: NumericDate,
  devices: z.array(WatchedDevice).max(MAX_WATCHED_DEVICES),
});
export type WatchList = z.infer<typeof WatchList>;
