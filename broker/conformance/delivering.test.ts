import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isMissing } from "#test/fixtures/commands.ts";
import { mosquitto, ours, type RunningCandidate } from "./candidates.ts";

/** MQTT 5 §3.3 to §3.7, §4.3, §4.4, §4.6, §4.9: messages on their way, and those that wait. */

const retained = { qos: 1, retain: true } as const;
const lasting = (more: object = {}) => ({ clean: false, properties: { sessionExpiryInterval: 60, ...more } });

/** Time passes for the broker, which reads the clock. */
async function after(ms: number): Promise<void> {
  const begin = Date.now();
  await expect.poll(() => Date.now() - begin, { timeout: ms + 2_000 }).toBeGreaterThan(ms);
}

describe.each([ours, mosquitto])("$name", ({ command, start }) => {
  describe.skipIf(command !== null && isMissing(command))("with MQTT 5", () => {
    let at: RunningCandidate;
    beforeAll(async () => {
      at = await start();
    });
    afterAll(() => at.close());

    /** A client that went away with a subscription, and how it comes back. */
    async function away(topic: string, fields: object = lasting()) {
      const clientId = `away-${topic}`;
      const first = await at.connect(5, { clientId, fields });
      await first.subscribe([topic]);
      await first.leave();
      return (more: object = {}) => at.connect(5, { clientId, fields, ...more });
    }

    test("[MQTT-3.3.2-4], [MQTT-3.3.2-15] to [MQTT-3.3.2-20] properties are forwarded as they came, and in their order", async () => {
      const [peer, topic] = [await at.connect(5), at.topic()];
      await peer.subscribe([topic]);
      const properties = {
        payloadFormatIndicator: true,
        contentType: "text/plain",
        responseTopic: "powerbeacon/client/ha/response/1",
        correlationData: Buffer.from([0, 255]),
        userProperties: { b: ["2", "1"], a: "3" },
      };
      await at.publish(topic, "x", { properties });
      expect((await peer.messages()).map((message) => message.properties)).toEqual([properties]);
    });

    test("[MQTT-4.6.0-6] messages come in the order in which they were published, also those that waited", async () => {
      const topic = at.topic();
      const comeBack = await away(topic);
      for (let sent = 0; sent < 5; sent++) await at.publish(topic, `${sent}`);
      const peer = await comeBack();
      expect(await peer.payloads()).toEqual(["0", "1", "2", "3", "4"]);
    });

    test("[MQTT-3.3.2-6] a message that waits is sent with what is left of its lifetime", async () => {
      const topic = at.topic();
      const comeBack = await away(topic);
      await at.publish(topic, "x", { properties: { messageExpiryInterval: 100 } });
      await after(1_000);
      const [message] = await (await comeBack()).messages();
      expect(message?.properties?.messageExpiryInterval).toBeLessThan(100);
      expect(message?.properties?.messageExpiryInterval).toBeGreaterThan(50);
    });

    test("[MQTT-3.3.2-5] a message whose lifetime is over is not sent, whether it waited or was retained", async () => {
      const topic = at.topic();
      const comeBack = await away(topic);
      await at.publish(topic, "over", { ...retained, properties: { messageExpiryInterval: 1 } });
      await at.publish(topic, "waits on");
      await after(2_000);
      expect(await (await comeBack()).payloads()).toEqual(["waits on"]);
      const late = await at.connect(5);
      await late.subscribe([topic]);
      expect(await late.messages()).toEqual([]);
    });

    test("[MQTT-3.3.1-6], [MQTT-3.3.1-7] an empty retained message clears its topic, and is delivered", async () => {
      const [peer, topic] = [await at.connect(5), at.topic()];
      await at.publish(topic, "kept", retained);
      await peer.subscribe([topic]);
      await at.publish(topic, "", retained);
      expect(await peer.payloads()).toEqual(["kept", ""]);
      await peer.subscribe([topic]);
      expect(await peer.messages()).toEqual([]);
    });

    test("[MQTT-3.3.4-9] no more messages are under way than the client takes", async () => {
      const topic = at.topic();
      const peer = await at.connect(5, { acknowledges: false, fields: { properties: { receiveMaximum: 2 } } });
      await peer.subscribe([topic]);
      for (let sent = 0; sent < 4; sent++) await at.publish(topic, `${sent}`);
      expect(await peer.payloads()).toEqual(["0", "1"]);
      expect(await peer.messages()).toEqual([]);
    });

    test("[MQTT-4.4.0-1], [MQTT-3.3.1-1] what was not acknowledged is sent again with its identifier, marked as repeated", async () => {
      const topic = at.topic();
      const comeBack = await away(topic);
      const first = await comeBack({ acknowledges: false });
      await at.publish(topic, "again");
      const [message] = await first.messages();
      await first.leave();
      const [repeated] = await (await comeBack()).messages();
      expect(message).toMatchObject({ dup: false });
      expect(repeated).toMatchObject({ dup: true, messageId: message?.messageId, payload: message?.payload });
    });

    test("[MQTT-3.1.2-25] a message that is too large for its reader is left out, and the next one sent", async () => {
      const topic = at.topic();
      const peer = await at.connect(5, { fields: { properties: { maximumPacketSize: 200 } } });
      await peer.subscribe([topic]);
      await at.publish(topic, "x".repeat(300));
      await at.publish(topic, "small");
      expect(await peer.payloads()).toEqual(["small"]);
    });

    test("[MQTT-4.3.3-10], [MQTT-4.3.3-12] a message of QoS 2 counts once until its PUBREL, over a reconnect too", async () => {
      const { username, topic } = at.agent();
      const observer = await at.connect(5);
      await observer.subscribe([topic]);
      const options = { username, clientId: username, fields: lasting() };
      const first = await at.connect(5, options);
      expect(await first.publish(topic, "once", { qos: 2, messageId: 9 })).toMatchObject({ messageId: 9 });
      await first.leave();
      const second = await at.connect(5, options);
      await second.publish(topic, "once", { qos: 2, messageId: 9, dup: true });
      second.raw.send({ cmd: "pubrel", messageId: 9 });
      await second.take("pubcomp");
      await second.publish(topic, "another", { qos: 2, messageId: 9 });
      second.raw.send({ cmd: "pubrel", messageId: 9 });
      await second.take("pubcomp");
      expect(await observer.payloads()).toEqual(["once", "another"]);
    });

    test("[MQTT-3.3.2-9] a topic alias beyond what was announced ends the connection", async () => {
      const { username, topic } = at.agent();
      const peer = await at.connect(5, { username });
      const allowed = peer.connack.properties?.topicAliasMaximum ?? 0;
      const publishing = peer.publish(topic, "x", { properties: { topicAlias: allowed + 1 } });
      await expect(publishing).rejects.toThrow("closed");
    });

    test("[MQTT-3.3.2-2] a wildcard in a topic name ends the connection, or is refused", async () => {
      const peer = await at.connect(5);
      const answer = await peer.publish("powerbeacon/+/x", "x").catch(() => null);
      expect(answer?.reasonCode ?? 0x90).toBe(0x90);
    });
  });
});

describe("this broker", () => {
  let at: RunningCandidate;
  beforeAll(async () => {
    at = await ours.start();
  });
  afterAll(() => at.close());

  test.each([
    [1, "puback"],
    [2, "pubrec"],
  ])("§3.4.2, §3.5.2 a message of QoS %i that is refused is answered with the reason in %s", async (qos) => {
    const peer = await at.connect(5, { username: "reader" });
    const refused = await peer.publish("powerbeacon/cluster/home/wake", "*", { qos });
    expect(refused).toMatchObject({ reasonCode: 0x87, properties: { reasonString: "needs the permission wake" } });
    const accepted = await (await at.connect(5)).publish("powerbeacon/cluster/home/wake", "*", { qos });
    expect(accepted).toMatchObject({ reasonCode: 0 });
    expect(accepted).not.toHaveProperty("properties.reasonString");
  });

  test.each([
    ["told", {}, "the cluster is not one of its own"],
    ["left out where it is not wanted", { requestProblemInformation: false }, undefined],
    ["left out where it makes the packet too large", { maximumPacketSize: 40 }, undefined],
  ])("[MQTT-3.4.2-2], [MQTT-3.1.2-29] the reason of a PUBACK is %s", async (_what, properties, reasonString) => {
    const peer = await at.connect(5, { username: "waker", fields: { properties } });
    const refused = await peer.publish("powerbeacon/cluster/office/wake", "*");
    expect(refused.reasonCode).toBe(0x87);
    expect(refused.properties?.reasonString).toBe(reasonString);
  });

  test("§3.7.2.1 a PUBREL of nothing is answered with 0x92", async () => {
    const peer = await at.connect(5);
    peer.raw.send({ cmd: "pubrel", messageId: 77 });
    expect(await peer.take("pubcomp")).toMatchObject({ messageId: 77, reasonCode: 0x92 });
  });

  test("§3.3.1.2 a reader gets no more than QoS 1", async () => {
    const [peer, topic] = [await at.connect(5), at.topic()];
    await peer.subscribe([{ topic, qos: 2 }]);
    await at.publish(topic, "x", { qos: 2 });
    expect(await peer.messages()).toMatchObject([{ qos: 1 }]);
  });

  test("§4.9 who sends more without PUBREL than it was told is disconnected", async () => {
    const peer = await at.connect(5);
    const allowed = peer.connack.properties?.receiveMaximum ?? 0;
    for (let sent = 1; sent <= allowed; sent++)
      await peer.publish("powerbeacon/device/nas/set", "x", { qos: 2, messageId: sent });
    await expect(peer.publish("powerbeacon/device/nas/set", "x", { qos: 2, messageId: allowed + 1 })).rejects.toThrow(
      "closed",
    );
    expect(await peer.take("disconnect")).toMatchObject({ reasonCode: 0x93 });
  });

  test("§4.13.1 DISCONNECT tells the code and the reason", async () => {
    const peer = await at.connect(5);
    peer.raw.send({
      cmd: "publish",
      topic: "a",
      payload: "",
      qos: 0,
      retain: false,
      dup: false,
      properties: { topicAlias: 1 },
    });
    const reasonString = "a topic alias, of which this broker takes none";
    expect(await peer.take("disconnect")).toMatchObject({ reasonCode: 0x94, properties: { reasonString } });
  });

  test("§4.1 rights are looked at when what waited is sent", async () => {
    const reader = at.ours?.people["reader"];
    const clientId = "loses-rights";
    const fields = lasting();
    const first = await at.connect(5, { username: "reader", clientId, fields });
    await first.subscribe(["powerbeacon/device/nas/state"]);
    await first.leave();
    await at.publish("powerbeacon/device/nas/state", "ON");
    if (reader?.type === "integration") reader.clusters = new Set();
    const back = await at.connect(5, { username: "reader", clientId, fields });
    expect(await back.messages()).toEqual([]);
    if (reader?.type === "integration") reader.clusters = new Set(["home"]);
  });
});
