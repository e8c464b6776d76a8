import { z } from "zod";
import { DeviceAddress, PacketAddress, Port } from "./address.ts";
import { Key } from "./key.ts";
import { MAX_TARGETS_PER_ORDER, MAX_WATCHED_DEVICES } from "./limits.ts";
import { MacAddress, SecureOnPassword } from "./mac-address.ts";
import { PowerOffAction } from "./power-action.ts";
import { text } from "./text.ts";

/**
 * What the hub signs. Each is a compact JWS (EdDSA; header `kid` = the hub key's RFC 7638 thumbprint); agents obey nothing else.
 *
 * `aud` is the topic it was published on, without base, so that nobody can replay it on another topic.
 */

/** RFC 7519 NumericDate: seconds since 1970 UTC. Ours carry a fraction, so that two orders of one second stay in order. */
const NumericDate = z.number().nonnegative();

/** The kinds of destination of a magic packet. `unicast` goes to the device's own address, with its MAC address pinned there where the system allows it. */
export const PacketReach = z.enum(["directed", "limited", "unicast", "all-nodes"]);
export type PacketReach = z.infer<typeof PacketReach>;

export const WakeTarget = z.object({
  device: Key,
  mac: MacAddress,
  secureOn: SecureOnPassword.nullable(),
  agents: z.array(Key).describe("who sends; empty = every agent that reads this order"),
  addresses: z.array(PacketAddress).describe("where to; empty = every broadcast address of the agent's own interfaces"),
  ports: z.array(Port).min(1).max(8),
  reach: z
    .array(PacketReach)
    .optional()
    .describe("which kinds of destination, where `addresses` is empty; without it directed, limited and all-nodes"),
  unicast: PacketAddress.nullable().optional().describe("the device's own address, for `unicast`"),
  interfaces: z.array(text(64)).optional().describe("only from these; without it from every interface"),
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

const orderClaims = { aud: z.string(), id: z.uuid(), iat: NumericDate, exp: NumericDate };

/**
 * Hub → the agent on a machine: take this machine down. Never twice, never when it is older than 30 s, and never when the machine
 * was woken after it was issued.
 */
export const PowerOrder = z.object({
  type: z.literal("power"),
  ...orderClaims,
  device: Key,
  mac: MacAddress.describe("an order for another machine is refused"),
  chosen: z
    .boolean()
    .describe(
      "whether a person chose this agent for the device, so that the MAC address may be one it does not know of",
    ),
  action: PowerOffAction,
  force: z.boolean().describe("in spite of inhibitors and running jobs"),
  countdownSeconds: z.int().min(0).max(3_600).describe("how long people there may say not now; 0 = at once"),
  strand: z.boolean().describe("whether it may go down although its network card would not answer a magic packet"),
});
export type PowerOrder = z.infer<typeof PowerOrder>;

/** Hub → the agent on a machine: do not go down after all. */
export const PowerCancelOrder = z.object({ type: z.literal("power-cancel"), ...orderClaims, order: z.uuid() });
export type PowerCancelOrder = z.infer<typeof PowerCancelOrder>;

/** Hub → one agent: does this service accept connections now? */
export const ProbeOrder = z.object({
  type: z.literal("probe"),
  ...orderClaims,
  device: Key,
  address: DeviceAddress.nullable().describe("null = find it by its MAC address"),
  mac: MacAddress,
  tcpPort: Port,
});
export type ProbeOrder = z.infer<typeof ProbeOrder>;

export const AgentOrder = z.discriminatedUnion("type", [
  TimeOrder,
  RevokedOrder,
  PowerOrder,
  PowerCancelOrder,
  ProbeOrder,
]);
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
