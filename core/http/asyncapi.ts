import { z } from "zod";
import { type Channel, channels, topicPattern } from "#contracts/channels.ts";

/** The AsyncAPI 3.0 document of the MQTT API, made from the contracts. Topics are without the base topic, which is the server's path. */
export function asyncApiDocument({ version, baseTopic }: { version: string; baseTopic: string }): object {
  return {
    asyncapi: "3.0.0",
    info: {
      title: "PowerBeacon",
      version,
      description: `Every topic stands under "${baseTopic}/". Orders are compact JWS (EdDSA) of the payload shown.`,
    },
    channels: Object.fromEntries(channels.map((channel) => [idOf(channel), channelOf(channel, baseTopic)])),
    operations: Object.fromEntries(channels.map((channel) => [idOf(channel), operationOf(channel)])),
  };
}

function channelOf(channel: Channel, baseTopic: string): object {
  const { parameter, topic, summary, payload } = channel;
  return {
    address: `${baseTopic}/${topic.filter.replace("+", `{${parameter}}`)}`,
    ...(parameter && { parameters: { [parameter]: { description: `the key of the ${parameter}` } } }),
    messages: { message: { summary, payload: z.toJSONSchema(payload, { io: "output", unrepresentable: "any" }) } },
    bindings: { mqtt: {} },
  };
}

/** AsyncAPI sees the hub as the application: it sends what comes from the hub and receives the rest. */
function operationOf(channel: Channel): object {
  const { qos, retain } = channel.topic.options;
  return {
    action: channel.from === "hub" ? "send" : "receive",
    channel: { $ref: `#/channels/${idOf(channel)}` },
    summary: `${channel.from} → ${channel.to}: ${channel.summary}`,
    bindings: { mqtt: { qos, retain } },
  };
}

function idOf(channel: Channel): string {
  const levels = topicPattern(channel).replaceAll(/[<>]/g, "").split("/");
  return [...levels, ...(channel.signed ? ["order"] : [])].join("-");
}
