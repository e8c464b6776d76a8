import type { IPublishPacket } from "mqtt";
import type { Logger } from "pino";
import { MAX_PACKET_BYTES } from "#contracts/limits.ts";
import { looksSigned } from "#contracts/signed.ts";
import { type FixedTopic, type KeyedTopic, topics } from "#contracts/topics.ts";
import { type BrokerAddress, createClient } from "../kernel/broker-client.ts";
import type { Link, LinkMessage } from "../kernel/link.ts";
import { LoopGuard } from "./loop-guard.ts";
import { ResponseRoutes } from "./response-routes.ts";

/** What others read, and nothing else: no order, watch list or inventory leaves the hub's broker. */
const STATES: readonly (FixedTopic | KeyedTopic)[] = [
  topics.hubStatus,
  topics.hubInfo,
  topics.hubUpdate,
  topics.clusterState,
  topics.clusterInfo,
  topics.deviceState,
  topics.deviceAvailability,
  topics.deviceInfo,
  topics.agentStatus,
  topics.agentHeartbeat,
  topics.agentUpdate,
  topics.scheduleState,
  topics.scheduleInfo,
];
const NEWS: readonly (FixedTopic | KeyedTopic)[] = [
  topics.clusterWakeResult,
  topics.deviceResult,
  topics.deviceEvent,
  topics.hubResponse,
  topics.event,
];
/** What others may ask for. The two lists have no topic in common with those above. */
const REQUESTS: readonly KeyedTopic[] = [
  topics.clusterWake,
  topics.clusterSet,
  topics.deviceSet,
  topics.scheduleSet,
  topics.hubRequest,
];

/** What is left in a packet for topics and properties. The hub refuses longer correlation data, too. Bytes. */
const FRAME_BYTES = 16 * 1024;
const MAX_CORRELATION_BYTES = 1_024;
/** By then both brokers have told what they keep. */
const SWEEP_AFTER_MS = 5_000;
const SAY_AGAIN_MS = 60_000;

export interface BridgeOptions {
  readonly baseTopic: string;
  /** The hub's broker, on which the bridge has the hub's rights. */
  readonly own: BrokerAddress;
  /** The link to the other broker, such as Home Assistant's. It is connected by whoever made it, after the bridge has begun. */
  readonly other: Link;
  readonly log: Logger;
  readonly sweepAfterMs?: number;
}

/**
 * Offers state, news and requests of the hub on another broker: an ordinary client of both, that knows nothing of either.
 *
 * State goes out and requests come in, never the other way around. After each connect the other broker gets all retained
 * state, and what it kept of things that are gone is cleared.
 */
export async function startBridge({
  baseTopic,
  own,
  other,
  log,
  sweepAfterMs = SWEEP_AFTER_MS,
}: BridgeOptions): Promise<{ close(): Promise<void> }> {
  const base = `${baseTopic}/`;
  const guard = new LoopGuard();
  const routes = new ResponseRoutes();
  /** Topics with retained state, on the hub's broker and on the other one. */
  const kept = new Set<string>();
  const keptThere = new Set<string>();
  let sweep: NodeJS.Timeout | undefined;
  let saidMs = -SAY_AGAIN_MS;
  const client = createClient(own, { clientId: `powerbeacon-bridge-${baseTopic.replaceAll("/", "-")}`, log });

  client.on("message", (fullName, payload, packet) => {
    if (fullName.startsWith(base)) passOut(fullName.slice(base.length), payload, packet);
  });
  for (const topic of REQUESTS) other.on(topic, passIn);
  for (const topic of STATES)
    other.on(topic, ({ topic, payload, retained }) => {
      if (retained && payload.length > 0) keptThere.add(topic);
    });
  const resume = () => {
    clearTimeout(sweep);
    if (!client.connected || other.isAway) return;
    // each subscription brings the retained messages anew
    subscribe().catch((error: unknown) => log.warn({ err: error }, "the bridge could not read the hub's broker"));
    sweep = setTimeout(clearGone, sweepAfterMs);
  };
  other.onConnect(resume);
  other.onBreak(() => {
    clearTimeout(sweep);
    keptThere.clear();
  });
  client.on("connect", resume);
  const isOpen = own.type === "embedded" ? new Promise((resolve) => client.once("connect", resolve)) : undefined;
  client.connect();
  await isOpen;

  return {
    close: async () => {
      clearTimeout(sweep);
      await client.endAsync(true);
    },
  };

  async function subscribe(): Promise<void> {
    const filters = [...STATES, ...NEWS].map(({ filter, options }) => [base + filter, options.qos] as const);
    const all = [...filters, [base + routes.filter, 1 as const] as const];
    await client.subscribeAsync(Object.fromEntries(all.map(([filter, qos]) => [filter, { qos, rap: true, rh: 0 }])));
  }

  function passOut(topic: string, payload: Buffer, { qos, retain, properties }: IPublishPacket): void {
    if (retain && payload.length > 0) kept.add(topic);
    else if (retain) kept.delete(topic);
    if (other.isAway || guard.isOwn(properties?.userProperties)) return;
    const { messageExpiryInterval, correlationData, userProperties } = properties ?? {};
    const passed = {
      userProperties: guard.marked(userProperties),
      ...(messageExpiryInterval !== undefined && { messageExpiryInterval }),
      ...(correlationData !== undefined && { correlationData }),
    };
    const isResponse = topic.startsWith(routes.filter.slice(0, -1));
    const theirs = isResponse ? routes.back(topic) : topic;
    if (theirs === undefined) return;
    other
      .publish(theirs, payload.toString("utf8"), { qos: qos === 0 ? 0 : 1, retain, properties: passed })
      .catch((error: unknown) => log.debug({ err: error, topic }, "the other broker did not take a message"));
  }

  function passIn({ topic, payload, retained, userProperties, responseTopic, correlationData }: LinkMessage): void {
    // it would be carried out again at each connect
    if (retained) return say({ topic }, "a retained request on Home Assistant's broker is left alone");
    // the hub's broker would end the connection for it, and be sent it again after each break
    if (payload.length + Buffer.byteLength(topic) > MAX_PACKET_BYTES - FRAME_BYTES)
      return say({ bytes: payload.length }, "a request on Home Assistant's broker is larger than any may be");
    if (looksSigned(payload)) return; // an order, which the hub alone gives
    const now = performance.now();
    if (guard.isOwn(userProperties) || guard.isStorm(topic, payload, now))
      return say(
        { topic },
        "Home Assistant's broker brings back what it was given: it is joined with the hub's already",
      );
    // a request that waits would start a machine long after it was wished
    if (!client.connected) return say({ topic }, "the hub's broker is away; a request of Home Assistant's is lost");
    const theirs = responseTopic === undefined ? undefined : (other.ownName(responseTopic) ?? responseTopic);
    const isAnswerable = (correlationData?.length ?? 0) <= MAX_CORRELATION_BYTES;
    const answerTo = isAnswerable ? routes.to(theirs, now) : routes.nowhere;
    client.publish(
      base + topic,
      payload,
      {
        qos: 1,
        properties: {
          userProperties: guard.marked(userProperties),
          ...(answerTo !== undefined && { responseTopic: base + answerTo }),
          ...(correlationData !== undefined && isAnswerable && { correlationData }),
        },
      },
      (error) =>
        error && log.warn({ err: error, topic }, "the hub's broker did not take a request of Home Assistant's"),
    );
  }

  /** Things that were removed while the other broker was away. */
  function clearGone(): void {
    for (const topic of keptThere) {
      if (kept.has(topic) || topic === topics.hubStatus.name) continue;
      other
        .publish(topic, "", { qos: 1, retain: true })
        .catch((error: unknown) => log.warn({ err: error, topic }, "a retained state could not be cleared"));
    }
    keptThere.clear();
  }

  function say(details: object, words: string): void {
    if (performance.now() - saidMs < SAY_AGAIN_MS) return;
    saidMs = performance.now();
    log.warn(details, words);
  }
}
