import { z } from "zod";
import { DiscoveryFormat, ThingType } from "../discovery.ts";
import { Instant } from "../instant.ts";
import { Key } from "../key.ts";
import { ListQuery, page } from "./common.ts";

/** What Home Assistant is told, before and after it is told, and whether anybody listens. */

/** Where Home Assistant reads: the hub's own broker, the one that the hub was given, or its own, over a bridge. */
export const HomeAssistantBroker = z.enum(["embedded", "own", "bridge"]);
export type HomeAssistantBroker = z.infer<typeof HomeAssistantBroker>;

/**
 * `published`: the broker has what is to be there. `waiting`: a change is on its way. `failed`: the broker did not take it, and
 * it is tried again at the next birth. `hidden`: a person does not want it to be shown. `not-yet`: nothing was published,
 * because discovery is off, the hub has only just started, or there are too many things.
 */
export const ThingState = z.enum(["published", "waiting", "failed", "hidden", "not-yet"]);
export type ThingState = z.infer<typeof ThingState>;

export const HomeAssistantAnswer = z.object({
  settings: z.object({
    enabled: z.boolean().describe("the setting HA_DISCOVERY"),
    prefix: z.string().describe("the setting HA_DISCOVERY_PREFIX"),
    format: DiscoveryFormat.describe("the setting HA_DISCOVERY_FORMAT"),
    broker: HomeAssistantBroker.describe("follows from the settings MQTT_URL and HA_MQTT_URL"),
  }),
  listening: z.object({
    reached: z.boolean().describe("whether the hub is connected to the broker that Home Assistant uses"),
    bornAt: Instant.nullable().describe(
      "when Home Assistant last said that it has started; null = not since the hub started",
    ),
    clients: z
      .array(z.object({ name: z.string(), clientId: z.string(), since: Instant }))
      .describe(
        "credentials with the permission discovery that are connected now; empty where the broker is not the hub's",
      ),
  }),
  counts: z.record(ThingState, z.int()).describe("things of the site, and the hub"),
});
export type HomeAssistantAnswer = z.infer<typeof HomeAssistantAnswer>;

export const ThingParams = z.object({ type: ThingType, id: z.uuid() });
export type ThingParams = z.infer<typeof ThingParams>;

const ThingRef = ThingParams.strict();

export const ThingAnswer = ThingParams.extend({
  key: Key.nullable().describe("null for the hub"),
  name: z.string(),
  shown: z.boolean().describe("false: hidden, here or in Home Assistant"),
  topics: z.array(z.string()).describe("one in the format device, one for each component in the format single"),
  state: ThingState,
  publishedAt: Instant.nullable().describe("when the broker last took a config of it; null = never"),
  bytes: z.int().describe("of all its configs, as they are to be"),
});
export type ThingAnswer = z.infer<typeof ThingAnswer>;

export const ThingList = page(ThingAnswer);

export const ThingQuery = ListQuery.extend({ type: ThingType.optional(), state: ThingState.optional() });
export type ThingQuery = z.infer<typeof ThingQuery>;

const Payload = z.record(z.string(), z.unknown());

export const ThingConfig = z.object({
  topic: z.string(),
  published: Payload.nullable().describe("what stands there; null = nothing, or what a former run of the hub left"),
  wanted: Payload.nullable().describe("what is to be there, or would be if the thing were shown; null = nothing"),
  differs: z.boolean().describe("what stands there is not what is to be there"),
});
export type ThingConfig = z.infer<typeof ThingConfig>;

export const ThingDetails = ThingAnswer.extend({ configs: z.array(ThingConfig) });
export type ThingDetails = z.infer<typeof ThingDetails>;

/** A change that is not made, only looked at. What is left out stays as it is. */
export const PreviewRequest = z
  .object({
    format: DiscoveryFormat.optional(),
    prefix: z
      .string()
      .regex(/^(?!\$)[^+#/\s]+(\/[^+#/\s]+)*$/, "is not a topic name, or has an empty level")
      .max(100)
      .optional(),
    shown: z
      .array(ThingRef.extend({ shown: z.boolean() }))
      .max(1_000)
      .default([]),
    thing: ThingRef.optional().describe("whose payloads are wanted, as they would be"),
  })
  .strict();
export type PreviewRequest = z.infer<typeof PreviewRequest>;

/** So many topics are named; the counts are of all. */
export const MAX_PREVIEW_TOPICS = 200;

export const PreviewAnswer = z.object({
  settings: z
    .array(z.object({ name: z.string(), value: z.string() }))
    .describe("what an operator sets in the hub's environment for it; empty where nothing is to be set"),
  published: z.object({ messages: z.int(), bytes: z.int(), topics: z.array(z.string()) }),
  cleared: z.object({ messages: z.int(), topics: z.array(z.string()) }),
  unchanged: z.object({ messages: z.int() }),
  configs: z.array(z.object({ topic: z.string(), payload: Payload })).describe("of `thing`; empty without one"),
});
export type PreviewAnswer = z.infer<typeof PreviewAnswer>;

export const SendRequest = z.object({ thing: ThingRef.optional().describe("left out: everything") }).strict();
export type SendRequest = z.infer<typeof SendRequest>;

export const SendAnswer = z.object({
  configs: z.int().describe("messages that the broker has taken"),
  waiting: z.int().describe("those that it did not take within 10 s"),
});
export type SendAnswer = z.infer<typeof SendAnswer>;

/** `gone`: its thing is removed or hidden. `format`, `prefix`: it stands where another format or prefix had it. */
export const ClearedWhy = z.enum(["gone", "format", "prefix"]);
export type ClearedWhy = z.infer<typeof ClearedWhy>;

export const CleanUpAnswer = z.object({ cleared: z.array(z.object({ topic: z.string(), why: ClearedWhy })) });
export type CleanUpAnswer = z.infer<typeof CleanUpAnswer>;
