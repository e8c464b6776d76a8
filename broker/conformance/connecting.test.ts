import { once } from "node:events";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isMissing } from "#test/fixtures/commands.ts";
import { connectPacket, packet, RawClient, text } from "../raw-client.ts";
import { mosquitto, ours, type RunningCandidate } from "./candidates.ts";

/** MQTT 5 §3.1, §3.2, §3.12, §3.14: how a client begins and ends. */

const lasting = (sessionExpiryInterval = 60) => ({ clean: false, properties: { sessionExpiryInterval } });

describe.each([ours, mosquitto])("$name", ({ command, start }) => {
  describe.skipIf(command !== null && isMissing(command))("with MQTT 5", () => {
    let at: RunningCandidate;
    beforeAll(async () => {
      at = await start();
    });
    afterAll(() => at.close());

    test("[MQTT-3.1.0-2] a second CONNECT ends the connection", async () => {
      const peer = await at.connect(5);
      peer.raw.send(connectPacket(5));
      expect(await peer.isClosed()).toBe(true);
    });

    test("[MQTT-3.1.2-4] Clean Start forgets the former session with what waited in it", async () => {
      const [clientId, topic] = ["starts-clean", at.topic()];
      const first = await at.connect(5, { clientId, fields: lasting() });
      await first.subscribe([topic]);
      await first.leave();
      await at.publish(topic, "waits");
      const second = await at.connect(5, { clientId, fields: { ...lasting(), clean: true } });
      expect(second.connack.sessionPresent).toBe(false);
      await at.publish(topic, "more");
      expect(await second.messages()).toEqual([]);
    });

    test("[MQTT-3.2.2-3] a session is present even where it holds nothing", async () => {
      const clientId = "empty";
      const first = await at.connect(5, { clientId, fields: lasting() });
      expect(first.connack.sessionPresent).toBe(false);
      await first.leave();
      const second = await at.connect(5, { clientId, fields: lasting() });
      expect(second.connack.sessionPresent).toBe(true);
    });

    test("[MQTT-3.1.2-5] a session that was not to outlive its connection is not present", async () => {
      const clientId = "short";
      const first = await at.connect(5, { clientId, fields: { clean: false } });
      await first.subscribe([at.topic()]);
      await first.leave();
      const second = await at.connect(5, { clientId, fields: { clean: false } });
      expect(second.connack.sessionPresent).toBe(false);
    });

    test("[MQTT-3.1.4-3] a second connection of a client takes over", async () => {
      const [clientId, topic] = ["same", at.topic()];
      const first = await at.connect(5, { clientId, fields: lasting() });
      await first.subscribe([topic]);
      const second = await at.connect(5, { clientId, fields: lasting() });
      expect(await first.isClosed()).toBe(true);
      expect(second.connack.sessionPresent).toBe(true);
      await at.publish(topic, "for the second");
      expect(await second.payloads()).toEqual(["for the second"]);
    });

    test("[MQTT-3.2.2-16] a client without an identifier is told the one it gets", async () => {
      const peer = await at.connect(5, { clientId: "" });
      expect(peer.connack.properties?.assignedClientIdentifier).toMatch(/./);
    });

    test("[MQTT-4.12.0-1] an authentication method that is not known is refused", async () => {
      const peer = await at.connect(5, { fields: { properties: { authenticationMethod: "SCRAM-SHA-1" } } });
      expect(peer.connack).toMatchObject({ reasonCode: 0x8c });
      expect(await peer.isClosed()).toBe(true);
    });

    test.each([{ receiveMaximum: 0 }, { maximumPacketSize: 0 }])(
      "§3.1.2.11 %o in CONNECT is refused",
      async (properties) => {
        const refused = await at.connect(5, { fields: { properties } }).then(
          ({ connack }) => (connack.reasonCode ?? 0) >= 0x80,
          () => true,
        );
        expect(refused).toBe(true);
      },
    );

    test("[MQTT-3.12.4-1] a PINGREQ is answered", async () => {
      const peer = await at.connect(5);
      peer.raw.send({ cmd: "pingreq" });
      expect(await peer.take("pingresp")).toBeDefined();
    });

    test("§3.14.2.2.2 DISCONNECT may end a session that was to last", async () => {
      const clientId = "changes-its-mind";
      const first = await at.connect(5, { clientId, fields: lasting() });
      await first.subscribe([at.topic()]);
      await first.leave(0, { sessionExpiryInterval: 0 });
      const second = await at.connect(5, { clientId, fields: lasting() });
      expect(second.connack.sessionPresent).toBe(false);
    });

    test("§3.14.2.2.2 DISCONNECT may not make a session last that was to end", async () => {
      const clientId = "wants-more";
      const first = await at.connect(5, { clientId });
      first.raw.send({ cmd: "disconnect", reasonCode: 0, properties: { sessionExpiryInterval: 60 } });
      expect(await first.isClosed()).toBe(true);
      const second = await at.connect(5, { clientId, fields: lasting() });
      expect(second.connack.sessionPresent).toBe(false);
    });
  });
});

describe("this broker", () => {
  let at: RunningCandidate;
  beforeAll(async () => {
    at = await ours.start();
  });
  afterAll(() => at.close());

  test("§3.2.2.3 CONNACK announces what is offered, and nothing else", async () => {
    const properties = { sessionExpiryInterval: 0xffff_ffff };
    const { connack } = await at.connect(5, { fields: { keepalive: 20, properties } });
    expect(connack).toMatchObject({ sessionPresent: false, reasonCode: 0 });
    expect(connack.properties).toEqual({
      sessionExpiryInterval: 24 * 60 * 60,
      receiveMaximum: 64,
      retainAvailable: true,
      maximumPacketSize: 256 * 1024,
      topicAliasMaximum: 0,
      wildcardSubscriptionAvailable: true,
      subscriptionIdentifiersAvailable: true,
      sharedSubscriptionAvailable: true,
    });
  });

  test("§3.2.2.3.2 a Session Expiry Interval that stands is not told again", async () => {
    const { connack } = await at.connect(5, { fields: { properties: { sessionExpiryInterval: 60 } } });
    expect(connack.properties).not.toHaveProperty("sessionExpiryInterval");
  });

  test("[MQTT-3.2.2-21] a keep-alive that is too long is replaced", async () => {
    const { connack } = await at.connect(5, { fields: { keepalive: 3_000 } });
    expect(connack.properties).toMatchObject({ serverKeepAlive: 300 });
  });

  test("[MQTT-3.14.0-1] who is taken over, and who sends a second CONNECT, is told so before the end", async () => {
    const first = await at.connect(5, { clientId: "told" });
    const second = await at.connect(5, { clientId: "told" });
    const properties = { reasonString: "another connection has this client identifier" };
    expect(await first.take("disconnect")).toMatchObject({ reasonCode: 0x8e, properties });
    second.raw.send(connectPacket(5));
    expect(await second.take("disconnect")).toMatchObject({ reasonCode: 0x82 });
  });

  test("[MQTT-3.14.4-1] a client whose session cannot be made to last is told so", async () => {
    const peer = await at.connect(5);
    peer.raw.send({ cmd: "disconnect", reasonCode: 0, properties: { sessionExpiryInterval: 60 } });
    expect(await peer.take("disconnect")).toMatchObject({ reasonCode: 0x82, properties: { reasonString: /./ } });
  });

  test.each([
    [{ password: Buffer.from("wrong") }, 0x86, "bad user name or password"],
    [{ properties: { receiveMaximum: 0 } }, 0x82, "Receive Maximum 0"],
    [{ properties: { authenticationMethod: "x" } }, 0x8c, "this broker knows no enhanced authentication"],
  ])(
    "[MQTT-3.2.2-7] a client with %o is told %i and why, and its connection ends",
    async (fields, reasonCode, reasonString) => {
      const peer = await at.connect(5, { fields });
      expect(peer.connack).toMatchObject({ sessionPresent: false, reasonCode, properties: { reasonString } });
      expect(await peer.isClosed()).toBe(true);
    },
  );

  test("[MQTT-3.1.2-29] a client that wants no problem information is told the code alone", async () => {
    const fields = { password: Buffer.from("wrong"), properties: { requestProblemInformation: false } };
    const peer = await at.connect(5, { fields });
    expect(peer.connack).toMatchObject({ reasonCode: 0x86 });
    expect(peer.connack.properties).toBeUndefined();
  });

  test("[MQTT-3.1.2-24] a client that takes no packet as large as CONNACK is not let in", async () => {
    const connecting = at.connect(5, { fields: { properties: { maximumPacketSize: 10 } } });
    await expect(connecting).rejects.toThrow("closed after nothing");
  });

  test("[MQTT-3.1.3-8] of MQTT 3.1.1: a lasting session needs an identifier", async () => {
    const raw = new RawClient(at.ours?.port ?? 0);
    // what no generator would write: flags without Clean Session, keep-alive 0, an empty identifier
    raw.send(packet(0x10, text("MQTT"), Buffer.from([4, 0, 0, 0]), text("")));
    await expect.poll(() => raw.packets).toMatchObject([{ cmd: "connack", returnCode: 2 }]);
    await expect.poll(() => raw.isClosed).toBe(true);
  });

  test("[MQTT-3.1.0-1] what comes before CONNECT ends the connection", async () => {
    const raw = new RawClient(at.ours?.port ?? 0);
    await once(raw.socket, "connect");
    raw.send({ cmd: "pingreq" });
    await expect.poll(() => raw.isClosed).toBe(true);
    expect(raw.packets).toEqual([]);
  });

  test("[MQTT-4.1.0-2] somebody who leaves before being let in does not disturb who has that identifier", async () => {
    const there = await at.connect(5, { clientId: "there" });
    const refused = await at.connect(5, { clientId: "there", fields: { password: Buffer.from("wrong") } });
    expect(await refused.isClosed()).toBe(true);
    expect(await there.messages()).toEqual([]);
    const next = await at.connect(5, { clientId: "there" });
    expect(await there.take("disconnect")).toMatchObject({ reasonCode: 0x8e });
    expect(await next.messages()).toEqual([]);
  });
});
