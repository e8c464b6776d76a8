import { expect, test } from "vitest";
import { channels } from "#contracts/channels.ts";
import { hubRequests } from "#contracts/request.ts";
import { asyncApiDocument } from "./asyncapi.ts";

interface Document {
  readonly channels: Record<
    string,
    { address: string; messages: Record<string, { payload: { properties?: object } }> }
  >;
  readonly operations: Record<string, { channel: { $ref: string } }>;
}

const made = asyncApiDocument({ version: "1.0.0", baseTopic: "base", discoveryPrefix: "homeassistant" });
const document = JSON.parse(JSON.stringify(made)) as Document;

test("every topic has a channel with a payload, and an operation that names it", () => {
  const addresses = new Set(Object.values(document.channels).map(({ address }) => address.replace(/\{\w+\}/, "+")));
  for (const { topic } of channels) expect(addresses).toContain(`base/${topic.filter}`);
  const named = Object.values(document.operations).map(({ channel }) => channel.$ref.replace("#/channels/", ""));
  expect(new Set(named)).toEqual(new Set(Object.keys(document.channels)));
});

test("requests to the hub and their answers are told verb by verb", () => {
  const verbs = Object.keys(hubRequests);
  const { "hub-request-verb": request, "hub-response-verb": response } = document.channels;
  expect(Object.keys(request?.messages ?? {})).toEqual(verbs);
  expect(Object.keys(response?.messages ?? {})).toEqual(verbs);
  expect(Object.keys(request?.messages["power"]?.payload.properties ?? {})).toEqual([
    "device",
    "cluster",
    "action",
    "force",
    "transaction",
  ]);
});
