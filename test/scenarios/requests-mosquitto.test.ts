import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isMissing } from "#test/fixtures/commands.ts";
import { type TestHub, startTestHub } from "#test/fixtures/hub.ts";
import { type MosquittoServer, startMosquitto } from "#test/fixtures/mosquitto-server.ts";
import { type TestMqttClient, connectMqtt } from "#test/fixtures/mqtt.ts";
import { freshMac } from "#test/fixtures/scripted-agent.ts";

/** Requests on a broker that does not tell the hub who asks: its own rules say who may. */

describe.skipIf(isMissing("mosquitto"))("on Mosquitto a request", () => {
  let mosquitto: MosquittoServer;
  let hub: TestHub;
  let name: string;
  let client: TestMqttClient;
  let old: TestMqttClient;
  let everything: TestMqttClient;
  let device: { id: string; key: string };

  beforeAll(async () => {
    mosquitto = await startMosquitto();
    hub = await startTestHub({}, { mosquitto });
    device = (await hub.api.post("/devices", { name: "NAS", mac: freshMac() })).body;
    const { body } = await hub.api.post("/mqtt-clients", { name: "Scripts", permissions: ["read", "wake"] });
    name = body.username;
    const credential = { username: body.username, password: body.password };
    client = await hub.connect({ ...credential, protocolVersion: 5 }, ["powerbeacon/#"]);
    old = await hub.connect({ ...credential, protocolVersion: 4 }, ["powerbeacon/hub/response/+"]);
    const { MQTT_USERNAME: username = "", MQTT_PASSWORD: password = "" } = mosquitto.settings();
    everything = await connectMqtt(mosquitto.url, { username, password, protocolVersion: 5 }, ["powerbeacon/client/#"]);
  }, 60_000);

  afterAll(async () => {
    for (const one of [client, old, everything]) await one.close();
    await hub.close();
    await mosquitto.close();
  });

  const ask = (verb: string, fields: object, properties: object = {}) =>
    client.client.publishAsync(`powerbeacon/hub/request/${verb}`, JSON.stringify(fields), { qos: 1, properties });

  test("is answered to all who may read answers, with both versions of MQTT", async () => {
    await ask("inventory", { transaction: "i-1" });
    const response = "powerbeacon/hub/response/inventory";
    await expect
      .poll(() => client.lastJson(response))
      .toMatchObject({ status: "ok", data: { devices: [{ key: "nas" }] } });
    await expect.poll(() => old.last(response)).toBe(client.last(response));
    expect(client.on(/hub\/response\/inventory$/)[0]?.packet.properties?.userProperties).toEqual({
      transaction: "i-1",
    });
    await old.client.publishAsync("powerbeacon/hub/request/health", "", { qos: 1 });
    await expect
      .poll(() => old.lastJson("powerbeacon/hub/response/health"))
      .toMatchObject({ data: { hub: { broker: "ok" }, broker: { embedded: false, clients: null } } });
  });

  test("is answered on the asker's own response topic, with the correlation data", async () => {
    const responseTopic = `powerbeacon/client/${name}/response/mine`;
    await ask("wake", { device: device.key, transaction: "w-1" }, { responseTopic, correlationData: Buffer.from("7") });
    const received = () => client.on(/\/response\/mine$/);
    await expect
      .poll(() =>
        received()
          .map(({ text }) => JSON.parse(text))
          .map(({ stage, status }) => stage ?? status),
      )
      .toEqual(["failed", "ok"]);
    expect(received().map(({ packet }) => String(packet.properties?.correlationData))).toEqual(["7", "7"]);
    expect(received()[0]?.packet.properties?.userProperties).toEqual({ transaction: "w-1", code: "NO_AGENT" });
  });

  const healthOf = (transaction: string) =>
    client
      .on(/\/hub\/response\/health$/)
      .map(({ text }) => JSON.parse(text))
      .find((one) => one.transaction === transaction);

  test("is answered on anybody's response topic, as nobody tells whose it is", async () => {
    const responseTopic = "powerbeacon/client/anybody/response/here";
    await ask("health", { transaction: "h-1" }, { responseTopic });
    await expect.poll(() => everything.lastJson(responseTopic)).toMatchObject({ status: "ok", transaction: "h-1" });
  });

  test.each(["client/anybody/else/response/here", "client/anybody/response/", "device/nas/state", "hub/status"])(
    "that names the response topic %s is refused",
    async (topic) => {
      await ask("health", { transaction: topic }, { responseTopic: `powerbeacon/${topic}` });
      await expect.poll(() => healthOf(topic)).toMatchObject({ error: { code: "RESPONSE_TOPIC_NOT_ALLOWED" } });
    },
  );

  test("is nobody's whatever its sender claims", async () => {
    const userProperties = { "pb-by": "admin", "pb-site": "00000000-0000-4000-8000-000000000000", "pb-token": "x" };
    await ask("wake", { device: device.key, force: true, transaction: "claims" }, { userProperties });
    await expect
      .poll(() => client.lastJson("powerbeacon/hub/response/wake"))
      .toMatchObject({ transaction: "claims", status: "ok" });
    const { items } = (await hub.api.get(`/devices/${device.id}/wakes`)).body;
    expect(new Set(items.map(({ requestedBy }: { requestedBy: string }) => requestedBy))).toEqual(new Set(["mqtt"]));
  });
});
