import { z } from "zod";
import { type Channel, channels, discoveryChannels, topicPattern } from "#contracts/channels.ts";

/** What the free level of a topic is. */
const PARAMETERS: Readonly<Record<NonNullable<Channel["parameter"]>, string>> = {
  device: "the key of the device",
  cluster: "the key of the cluster",
  agent: "the key of the agent",
  schedule: "the key of the schedule",
  verb: "what is asked for",
  object_id: "powerbeacon_, the kind of thing, _ and the id of its row",
  component: "the platform, the object id and the key of the component, with / between",
};

/** The AsyncAPI 3.0 document of the MQTT API, made from the contracts. */
export function asyncApiDocument({
  version,
  baseTopic,
  discoveryPrefix,
}: {
  version: string;
  baseTopic: string;
  discoveryPrefix: string;
}): object {
  const ours = channels.map((channel) => [idOf(channel), channelOf(channel, `${baseTopic}/`)] as const);
  const homeAssistants = discoveryChannels(discoveryPrefix);
  const outside = homeAssistants.map((channel) => [idOf(channel), channelOf(channel, "")] as const);
  const operations = [...channels, ...homeAssistants].map((channel) => [idOf(channel), operationOf(channel)] as const);
  return {
    asyncapi: "3.0.0",
    info: {
      title: "PowerBeacon",
      version,
      description: `Every topic but Home Assistant's stands under "${baseTopic}/". Orders are compact JWS (EdDSA) of the payload shown. Who connects belongs to one site, and reads and reaches nothing of another: an agent and an integration by the credential that it was given, a person with the user name ~<username> and a personal token as the password.`,
    },
    channels: Object.fromEntries([...ours, ...outside]),
    operations: Object.fromEntries(operations),
  };
}

function channelOf(channel: Channel, base: string): object {
  const { parameter, topic, summary, payload } = channel;
  const messages =
    "messages" in payload ? Object.entries(payload.messages) : [["message", { summary, payload }] as const];
  return {
    address: `${base}${topic.filter.replace(/\+(\/\+)*/, `{${parameter}}`)}`,
    ...(parameter && { parameters: { [parameter]: { description: PARAMETERS[parameter] } } }),
    messages: Object.fromEntries(
      messages.map(([name, { summary, payload }]) => [
        name,
        { summary, payload: z.toJSONSchema(payload, { io: "output", unrepresentable: "any" }) },
      ]),
    ),
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
