import { afterAll, beforeAll, expect, test } from "vitest";
import { type TestHub, startTestHub } from "#test/fixtures/hub.ts";
import { type TestMqttClient, connectMqtt } from "#test/fixtures/mqtt.ts";

let hub: TestHub;
let client: TestMqttClient;

beforeAll(async () => {
  hub = await startTestHub({}, { discoveryTiming: { paceMs: 0, quietMs: 50 } });
  const { body } = await hub.api.post("/mqtt-clients", { name: "Scripts", permissions: ["read"] });
  const credential = { username: body.username, password: body.password, protocolVersion: 5 as const };
  client = await connectMqtt(hub.mqttUrl, credential, ["powerbeacon/#"]);
});

afterAll(async () => {
  await client.close();
  await hub.close();
});

const request = (verb: string, payload: string, options: object = {}) =>
  client.client.publishAsync(`powerbeacon/hub/request/${verb}`, payload, { qos: 1, ...options });
const responses = (verb: string) =>
  client.on(/\/response\//).flatMap(({ topic, text }) => (topic.endsWith(`/${verb}`) ? [JSON.parse(text)] : []));

test.each([["nonsense"], ["constructor"], ["__proto__"], ["toString"]])(
  "the unknown verb %s is answered as such",
  async (verb) => {
    await request(verb, '{"transaction":"t-1"}');
    await expect
      .poll(() => responses(verb))
      .toEqual([
        {
          status: "error",
          error: { code: "UNKNOWN_REQUEST", reason: `There is no request "${verb}"` },
          transaction: "t-1",
        },
      ]);
  },
);

test.each([
  ["broken JSON", "{", null],
  ["a list", "[]", null],
  ["text", '"now"', null],
  ["a transaction that is no text", '{"transaction":{}}', null],
])("a request that is %s is refused", async (_name, payload, transaction) => {
  const before = responses("send-discovery").length;
  await request("send-discovery", payload);
  await expect
    .poll(() => responses("send-discovery").slice(before))
    .toEqual([{ status: "error", error: { code: "INVALID_REQUEST", reason: expect.any(String) }, transaction }]);
});

test("send-discovery answers with what it sent, once the broker has it, and repeats the transaction", async () => {
  await hub.api.post("/clusters", { name: "Home" });
  const before = responses("send-discovery").length;
  await request("send-discovery", '{"transaction":7}');
  await expect
    .poll(() => responses("send-discovery").slice(before))
    .toEqual([{ status: "ok", data: { configs: 2 }, transaction: "7" }]);
  await request("send-discovery", "");
  await expect
    .poll(() => responses("send-discovery").slice(before + 1))
    .toEqual([{ status: "ok", data: { configs: 2 }, transaction: null }]);
});

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

test("the answer also comes on the asker's own MQTT 5 response topic, with the correlation data", async () => {
  const responseTopic = "powerbeacon/client/scripts/response/hub";
  await request("nonsense", "{}", { properties: { responseTopic, correlationData: Buffer.from("42") } });
  await expect.poll(() => client.lastJson(responseTopic)).toMatchObject({ error: { code: "UNKNOWN_REQUEST" } });
  const [answer] = client.on(/^powerbeacon\/client\/scripts\/response\/hub$/);
  expect(answer?.packet.properties?.correlationData?.toString()).toBe("42");
});
