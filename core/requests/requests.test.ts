import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { MAX_PACKET_BYTES } from "#contracts/limits.ts";
import { type TestHub, startTestHub } from "#test/fixtures/hub.ts";
import { type TestMqttClient, connectMqtt } from "#test/fixtures/mqtt.ts";

let hub: TestHub;
let client: TestMqttClient;
let credential: { username: string; password: string };

beforeAll(async () => {
  hub = await startTestHub({}, { discoveryTiming: { paceMs: 0, quietMs: 50 } });
  const permissions = ["read", "wake", "discovery"];
  ({ body: credential } = await hub.api.post("/mqtt-clients", { name: "Scripts", permissions }));
  const { username, password } = credential;
  client = await connectMqtt(hub.mqttUrl, { username, password, protocolVersion: 5 }, ["powerbeacon/#"]);
});

afterAll(async () => {
  await client.close();
  await hub.close();
});

const request = (verb: string, payload: string, options: object = {}) =>
  client.client.publishAsync(`powerbeacon/hub/request/${verb}`, payload, { qos: 1, ...options });
const messages = (verb: string) =>
  client.on(/^powerbeacon\/hub\/response\//).filter(({ topic }) => topic.endsWith(`/${verb}`));
const responses = (verb: string) => messages(verb).map(({ text }) => JSON.parse(text));

/** Asks, and waits for the one answer. */
async function ask(verb: string, payload: string, options: object = {}) {
  const before = responses(verb).length;
  await request(verb, payload, options);
  await expect.poll(() => responses(verb)).toHaveLength(before + 1);
  return responses(verb).at(-1);
}

test("a retained request is refused, answered and reported", async () => {
  const before = responses("send-discovery").length;
  await request("send-discovery", "{}", { retain: true }).catch(() => {}); // the broker refuses it
  await expect
    .poll(() => responses("send-discovery").slice(before))
    .toMatchObject([{ status: "error", error: { code: "RETAINED_COMMAND" } }]);
  await expect
    .poll(() => client.lastJson("powerbeacon/event"))
    .toMatchObject({ event_type: "request_refused", by: "scripts", reason: "Requests are never retained" });
});

test.each([["nonsense"], ["constructor"], ["__proto__"], ["toString"], ["hasOwnProperty"]])(
  "the unknown verb %s is answered as such",
  async (verb) => {
    expect(await ask(verb, '{"transaction":"t-1"}')).toEqual({
      status: "error",
      error: { code: "UNKNOWN_REQUEST", reason: `There is no request "${verb}"`, field: null },
      transaction: "t-1",
    });
  },
);

test.each([
  ["broken JSON", "{", null],
  ["a list", "[]", null],
  ["text", '"now"', null],
  ["deep", "[".repeat(60_000), null],
  ["deep in a field", `{"cluster":${"[".repeat(60_000)}${"]".repeat(60_000)}}`, "cluster"],
  ["made for prototypes", '{"__proto__":{"cluster":"home"},"constructor":{}}', "__proto__"],
  ["a transaction that is no text", '{"transaction":{}}', "transaction"],
  ["a field that nobody knows", '{"colour":"red"}', "colour"],
  ["a field with the wrong kind of value", '{"limit":"many"}', "limit"],
  [
    "a thousand fields",
    JSON.stringify(Object.fromEntries(Array.from({ length: 9_999 }, (_, i) => [`f${i}`, i]))),
    "f0",
  ],
])("a request that is %s is refused, and the field is named", async (_name, payload, field) => {
  expect(await ask("inventory", payload)).toEqual({
    status: "error",
    error: { code: "INVALID_REQUEST", reason: expect.stringMatching(/^.{5,400}$/u), field },
    transaction: null,
  });
});

test("a verb of many letters is answered, and repeated in part", async () => {
  const verb = "v".repeat(300);
  expect((await ask(verb, "")).error.reason).toBe(`There is no request "${"v".repeat(40)}…"`);
});

test("send-discovery answers with what it sent, once the broker has it", async () => {
  await hub.api.post("/clusters", { name: "Home" });
  const answered = { status: "ok", data: { configs: 2 }, transaction: null };
  expect(await ask("send-discovery", '{"transaction":7}')).toEqual({ ...answered, transaction: "7" });
  expect(await ask("send-discovery", "")).toEqual(answered);
});

describe("an answer", () => {
  const own = "powerbeacon/client/scripts/response/hub";

  test("also comes on the asker's own MQTT 5 response topic, with the correlation data", async () => {
    await request("nonsense", "{}", { properties: { responseTopic: own, correlationData: Buffer.from("42") } });
    await expect.poll(() => client.lastJson(own)).toMatchObject({ error: { code: "UNKNOWN_REQUEST" } });
    const [answer] = client.on(/^powerbeacon\/client\/scripts\/response\/hub$/);
    expect(answer?.packet.properties?.correlationData?.toString()).toBe("42");
  });

  test.each([
    ["a response topic that is too long", { responseTopic: `${own}/${"x".repeat(1_100)}` }],
    ["correlation data that are too long", { responseTopic: own, correlationData: Buffer.alloc(1_025) }],
  ])("to %s comes on the usual topic alone, and says so", async (_name, properties) => {
    const before = client.on(/client\/scripts\/response\/hub/).length;
    expect(await ask("health", "", { properties })).toMatchObject({ error: { code: "RESPONSE_TOPIC_NOT_ALLOWED" } });
    expect(client.on(/client\/scripts\/response\/hub/)).toHaveLength(before);
  });

  test("tells transaction and code as user properties", async () => {
    await ask("health", '{"transaction":"t-9"}');
    expect(messages("health").at(-1)?.packet.properties?.userProperties).toEqual({ transaction: "t-9" });
    await ask("nonsense", '{"transaction":"t-9"}');
    const marks = { transaction: "t-9", code: "UNKNOWN_REQUEST" };
    expect(messages("nonsense").at(-1)?.packet.properties?.userProperties).toEqual(marks);
  });

  test("leaves characters that MQTT does not allow in its payload", async () => {
    for (const transaction of ["\u0000", "\ud800", "a\u0007", "\uffff"]) {
      expect(await ask("nonsense", JSON.stringify({ transaction }))).toMatchObject({ transaction });
      expect(messages("nonsense").at(-1)?.packet.properties?.userProperties).toEqual({ code: "UNKNOWN_REQUEST" });
    }
  });

  test("reaches a client with MQTT 3.1.1 on its own topic, as it gives none", async () => {
    const { body } = await hub.api.post("/mqtt-clients", { name: "Old", permissions: ["wake"], clusterIds: [] });
    const old = await connectMqtt(
      hub.mqttUrl,
      { username: body.username, password: body.password, protocolVersion: 4 },
      ["powerbeacon/client/old/response/#"],
    );
    await old.client.publishAsync("powerbeacon/hub/request/wake", '{"device":"nas","transaction":"1"}', { qos: 1 });
    await expect
      .poll(() => old.lastJson("powerbeacon/client/old/response/wake"))
      .toEqual({
        status: "error",
        error: { code: "UNKNOWN_DEVICE", reason: 'There is no device "nas"', field: "device" },
        transaction: "1",
      });
    await old.close();
  });
});

describe("a transaction", () => {
  const inProperties = (transaction: string | string[]) => ({ properties: { userProperties: { transaction } } });

  test("may stand in the user properties; that of the payload comes first", async () => {
    expect(await ask("nonsense", "", inProperties("from afar"))).toMatchObject({ transaction: "from afar" });
    expect(await ask("nonsense", '{"transaction":"near"}', inProperties("afar"))).toMatchObject({
      transaction: "near",
    });
  });

  test.each([["x".repeat(129)], [["one", "two"]]])("that is none there is refused: %.20s", async (transaction) => {
    expect(await ask("health", "", inProperties(transaction))).toMatchObject({
      error: { code: "INVALID_REQUEST", field: "transaction" },
      transaction: null,
    });
  });

  test("repeats the answer; used for something else it is a conflict", async () => {
    const first = await ask("inventory", '{"transaction":"again"}');
    expect(first).toMatchObject({ status: "ok" });
    await hub.api.post("/clusters", { name: "Made meanwhile" });
    expect(await ask("inventory", '{"transaction":"again"}')).toEqual(first);
    expect(await ask("inventory", '{"transaction":"another"}')).not.toEqual(first);
    const conflict = { status: "error", error: { code: "CONFLICT" }, transaction: "again" };
    expect(await ask("inventory", '{"transaction":"again","limit":1}')).toMatchObject(conflict);
    expect(await ask("health", '{"transaction":"again"}')).toMatchObject(conflict);
  });

  test("that was refused may be tried again, and is its client's alone", async () => {
    const payload = '{"cluster":"later","transaction":"retry"}';
    expect(await ask("inventory", payload)).toMatchObject({ error: { code: "UNKNOWN_CLUSTER", field: "cluster" } });
    await hub.api.post("/clusters", { name: "Later" });
    expect(await ask("inventory", payload)).toMatchObject({ status: "ok" });
    const { body } = await hub.api.post("/mqtt-clients", { name: "Another", permissions: ["read"] });
    const another = await connectMqtt(hub.mqttUrl, { username: body.username, password: body.password });
    const before = responses("health").length;
    await another.client.publishAsync("powerbeacon/hub/request/health", '{"transaction":"retry"}', { qos: 1 });
    await expect.poll(() => responses("health").slice(before)).toMatchObject([{ status: "ok", transaction: "retry" }]);
    await another.close();
  });
});

test("a request that is larger than a packet ends its sender's connection alone", async () => {
  const { username, password } = credential;
  const large = await connectMqtt(hub.mqttUrl, { username, password, protocolVersion: 4, clientId: "large" });
  large.client.publish("powerbeacon/hub/request/health", Buffer.alloc(MAX_PACKET_BYTES + 1, " "), { qos: 1 });
  await expect.poll(() => large.client.connected).toBe(false);
  expect(await ask("health", "")).toMatchObject({ status: "ok" });
  await large.close();
});

test("who asks for everything without end is told to wait, and others are answered as before", async () => {
  const { body } = await hub.api.post("/mqtt-clients", { name: "Greedy", permissions: ["read"] });
  const login = { username: body.username, password: body.password, protocolVersion: 5 } as const;
  const greedy = await connectMqtt(hub.mqttUrl, login, [`powerbeacon/client/${body.username}/response/#`]);
  const many = Array.from({ length: 125 }, () =>
    greedy.client.publishAsync("powerbeacon/hub/request/inventory", "{}", { qos: 1 }),
  );
  await Promise.all(many);
  const answers = () => greedy.on(/\/inventory$/).map(({ text }) => JSON.parse(text));
  await expect.poll(answers, { timeout: 15_000 }).toHaveLength(125);
  const refused = answers().filter(({ error }) => error?.code === "TOO_MANY_REQUESTS");
  expect(refused.length).toBeGreaterThanOrEqual(5); // two minutes may lie in it
  expect(await ask("inventory", "{}")).toMatchObject({ status: "ok" });
  await greedy.close();
});
