import { afterAll, beforeAll, expect, test } from "vitest";
import { type HubVerb, hubMessages, hubRequests } from "#contracts/request.ts";
import { type TestHub, startTestHub } from "#test/fixtures/hub.ts";
import { type TestMqttClient, connectMqtt } from "#test/fixtures/mqtt.ts";
import { freshMac } from "#test/fixtures/scripted-agent.ts";

/** Payloads by chance: each is answered once, as the contract says, and none does anything that it does not say. */

const ROUNDS = 1_500;

let hub: TestHub;
let client: TestMqttClient;

beforeAll(async () => {
  hub = await startTestHub({}, { discoveryTiming: { paceMs: 0, quietMs: 50 } });
  const { id: clusterId } = (await hub.api.post("/clusters", { name: "Home" })).body;
  await hub.api.post("/devices", { name: "NAS", mac: "02:00:00:00:ff:01", clusterId });
  await hub.api.post("/devices", { name: "Desk", mac: freshMac() });
  const permissions = ["read", "wake", "power"];
  const { body } = await hub.api.post("/mqtt-clients", { name: "Fuzz", permissions });
  const { username, password } = body;
  client = await connectMqtt(hub.mqttUrl, { username, password, protocolVersion: 5 }, ["powerbeacon/client/fuzz/#"]);
});

afterAll(async () => {
  await client.close();
  await hub.close();
});

/** A sequence that is the same in every run. */
let state = 987_654_321;
function chance(below: number): number {
  // mulberry32
  state = (state + 0x6d2b79f5) | 0;
  let mixed = Math.imul(state ^ (state >>> 15), state | 1);
  mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
  return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
}
function oneOf<T>(all: readonly T[]): T {
  return all[chance(all.length)] as T; // none is empty
}

const VERBS = Object.keys(hubRequests) as HubVerb[];
const OWN = (verb: HubVerb) => [...Object.keys(hubRequests[verb].fields.shape), "transaction"];
const NAMES = [...VERBS.flatMap(OWN), "__proto__", "constructor", "toString", "", "Device"];
const VALUES: readonly (() => unknown)[] = [
  () => oneOf(["nas", "desk", "home", "nobody", "NAS", "", "a b", "x".repeat(64), "\u0000", "\ud800"]),
  () => oneOf(["02:00:00:00:ff:01", "0200.0000.ff01", "ff:ff:ff:ff:ff:ff", "02:00"]),
  () => oneOf(["wake", "ON", "off", "Shutdown", "explode", "cluster:home", "device:nas", "device:"]),
  () => oneOf([true, false, null, 0, 1, -1, 0.5, 7, 1e300]),
  () => Array.from({ length: chance(4) }, anything),
  () => ["nas", "desk", "nobody"].slice(chance(3)),
  () => Object.fromEntries([[oneOf(NAMES), anything()]]),
];
/** What a field may well hold; the others hold anything. */
const LIKELY = new Map<string, () => unknown>([
  ["device", () => oneOf(["nas", "desk", "nobody"])],
  ["devices", () => ["nas", "nobody"].slice(chance(2))],
  ["cluster", () => oneOf(["home", "unassigned", "nowhere"])],
  ["mac", () => oneOf(["02:00:00:00:ff:01", "02-00-00-00-FF-02"])],
  ["action", () => oneOf(["ON", "wake", "off", "sleep"])],
  ["force", () => chance(2) === 0],
  ["limit", () => chance(5)],
  ["cursor", () => oneOf(["cluster:home", "device:nas"])],
  ["transaction", () => oneOf(["1", 2, `t-${chance(500)}`])],
]);
function valueOf(name: string): unknown {
  return chance(3) === 0 ? anything() : (LIKELY.get(name) ?? anything)();
}
function anything(): unknown {
  return oneOf(VALUES)();
}

function payloadFor(verb: HubVerb): string {
  if (chance(12) === 0) return oneOf(["", "{", "[]", "null", "{}", '"now"', "nas,desk", "*", "\u0000", "{'a':1}"]);
  const names = Array.from({ length: chance(4) }, () => oneOf(chance(4) === 0 ? NAMES : OWN(verb)));
  return `{${names.map((name) => `${JSON.stringify(name)}:${JSON.stringify(valueOf(name))}`).join(",")}}`;
}

/** Whether a payload is a request of this verb, by the contract that is documented. */
function isRequest(verb: HubVerb, text: string): boolean {
  try {
    return hubMessages("request")[verb]?.payload.safeParse(JSON.parse(text.trim() || "{}")).success === true;
  } catch {
    return false;
  }
}

test("any payload is answered once, and carried out only where it is a request", { timeout: 60_000 }, async () => {
  const responseTopic = "powerbeacon/client/fuzz/response/all";
  const asked = Array.from({ length: ROUNDS }, () => {
    const verb = oneOf(VERBS);
    return { verb, text: payloadFor(verb) };
  });
  await Promise.all(
    asked.map(({ verb, text }, number) => {
      const properties = { responseTopic, correlationData: Buffer.from(String(number)) };
      return client.client.publishAsync(`powerbeacon/hub/request/${verb}`, text, { qos: 1, properties });
    }),
  );
  const answers = () => client.on(/\/all$/).filter(({ text }) => text.startsWith('{"status"'));
  await expect.poll(() => answers().length, { timeout: 30_000 }).toBeGreaterThanOrEqual(ROUNDS);
  const numbers = new Set(answers().map(({ packet }) => String(packet.properties?.correlationData)));
  expect([answers().length, numbers.size]).toEqual([ROUNDS, ROUNDS]);

  const wrong = answers().filter(({ text, packet }) => {
    const { verb, text: question } = asked[Number(packet.properties?.correlationData)] ?? { verb: "health", text: "" };
    const answer = JSON.parse(text);
    const isKnown = hubMessages("response")[verb]?.payload.safeParse(answer).success === true;
    const code = answer.error?.code;
    const isForbidden = verb === "send-discovery" && code === "FORBIDDEN";
    const isAsExpected = isForbidden || (code === "INVALID_REQUEST") !== isRequest(verb, question);
    return !isKnown || !isAsExpected || code === "INTERNAL";
  });
  expect(wrong.map(({ text, packet }) => [asked[Number(packet.properties?.correlationData)], text])).toEqual([]);
  const codes = new Set(answers().map(({ text }) => JSON.parse(text).error?.code));
  expect([...codes]).toEqual(expect.arrayContaining([undefined, "INVALID_REQUEST", "UNKNOWN_DEVICE", "NOT_SUPPORTED"]));
});
