import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isMissing } from "#test/fixtures/commands.ts";
import { mosquitto, ours, type RunningCandidate, startOurs } from "./candidates.ts";
import { connectPacket } from "../raw-client.ts";
import type { Peer } from "./peer.ts";

/** MQTT 5 §3.1.2.5, §3.1.3.2: what is published when a client is gone. */

interface WillFields {
  readonly qos?: 0 | 1 | 2;
  readonly retain?: boolean;
  readonly properties?: object;
  readonly payload?: string;
}

/** A client with a Will, and somebody who sees it. */
async function withWill(at: RunningCandidate, will: WillFields, fields: object = {}, version: 4 | 5 = 5) {
  const { username, topic } = at.agent();
  const { payload = "gone", ...others } = will;
  const wanted = { topic, payload: Buffer.from(payload), qos: 1, retain: false, ...others };
  const connect = (more: object = {}) =>
    at.connect(version, { username, clientId: username, fields: { ...fields, will: wanted, ...more } });
  const observer = await at.connect(5);
  await observer.subscribe([{ topic, qos: 1, rap: true }]);
  return { client: await connect(), again: connect, observer, topic };
}

/** A Will of a moment ago is out by now: another one, of a client that leaves after it, has come. */
async function afterAnother(at: RunningCandidate, delaySeconds = 0): Promise<void> {
  const properties = delaySeconds > 0 ? { properties: { willDelayInterval: delaySeconds } } : {};
  const other = await withWill(at, properties, { properties: { sessionExpiryInterval: 60 } });
  other.client.drop();
  expect((await other.observer.take("publish")).payload.toString()).toBe("gone");
}

const text = ({ payload }: { readonly payload: string | Buffer }) => payload.toString();
const lasting = { properties: { sessionExpiryInterval: 60 } };

describe.each([ours, mosquitto])("$name", ({ command, start }) => {
  describe.skipIf(command !== null && isMissing(command))("publishes a Will", () => {
    let at: RunningCandidate;
    beforeAll(async () => {
      at = await start();
    });
    afterAll(() => at.close());

    describe.each([4, 5] as const)("of version %i", (version) => {
      test.each([
        { qos: 0, retain: false },
        { qos: 0, retain: true },
        { qos: 1, retain: false },
        { qos: 1, retain: true },
        { qos: 2, retain: false },
        { qos: 2, retain: true },
      ] as const)("[MQTT-3.1.2-8], [MQTT-3.1.2-14], [MQTT-3.1.2-15] with %o", async (will) => {
        const { client, observer, topic } = await withWill(at, will, {}, version);
        client.drop();
        const message = await observer.take("publish");
        expect(message).toMatchObject({ topic, qos: Math.min(will.qos, 1), retain: will.retain });
        expect(text(message)).toBe("gone");
        const late = await at.connect(5);
        await late.subscribe([topic]);
        expect(await late.payloads()).toEqual(will.retain ? ["gone"] : []);
      });
    });

    test("[MQTT-3.14.4-3] not of one that says goodbye", async () => {
      const { client, observer } = await withWill(at, {});
      await client.leave();
      await afterAnother(at);
      expect(await observer.messages()).toEqual([]);
    });

    test("§3.14.2.1 of one that says goodbye and wants it", async () => {
      const { client, observer } = await withWill(at, {});
      await client.leave(0x04);
      expect(text(await observer.take("publish"))).toBe("gone");
    });

    test("§3.1.3.2 with its properties, its delay apart", async () => {
      const properties = {
        payloadFormatIndicator: true,
        contentType: "text/plain",
        correlationData: Buffer.from([1, 2]),
        userProperties: { room: "attic", floor: ["2", "3"] },
      };
      const { client, observer } = await withWill(at, { properties: { ...properties, willDelayInterval: 0 } });
      client.drop();
      expect((await observer.take("publish")).properties).toEqual(properties);
    });

    test("§3.1.3.2.4 with its lifetime, which begins when it is published", async () => {
      const { client, topic } = await withWill(at, { retain: true, properties: { messageExpiryInterval: 100 } });
      client.drop();
      await afterAnother(at);
      const late = await at.connect(5);
      await late.subscribe([topic]);
      const [message] = await late.messages();
      const left = message?.properties?.messageExpiryInterval;
      expect(left).toBeGreaterThan(50);
      expect(left).toBeLessThanOrEqual(100);
    });

    test("§3.1.3.2.2 after its delay, and not before", async () => {
      const { client, observer } = await withWill(at, { properties: { willDelayInterval: 2 } }, lasting);
      client.drop();
      await afterAnother(at);
      expect(await observer.messages()).toEqual([]);
      expect(text(await observer.take("publish"))).toBe("gone");
    });

    test("[MQTT-3.1.3-9] not where the client is back within the delay", async () => {
      const { client, again, observer } = await withWill(at, { properties: { willDelayInterval: 1 } }, lasting);
      client.drop();
      const back = await again({ clean: false });
      await afterAnother(at, 2);
      expect(await observer.messages()).toEqual([]);
      await back.leave();
    });
  });
});

describe("this broker publishes a Will", () => {
  let at: RunningCandidate;
  beforeAll(async () => {
    at = await ours.start();
  });
  afterAll(() => at.close());

  const patient = { properties: { willDelayInterval: 600 } };
  const seen = async (observer: Peer) => text(await observer.take("publish"));

  test("[MQTT-3.1.2-8] of a client that breaks the protocol", async () => {
    const { client, observer } = await withWill(at, {});
    client.raw.send(connectPacket(5));
    expect(text(await observer.take("publish"))).toBe("gone");
  });

  test("§3.1.2.5 of one that ends with any other reason than normal", async () => {
    const { client, observer } = await withWill(at, {});
    await client.leave(0x98);
    expect(await seen(observer)).toBe("gone");
  });

  test("§3.1.4 of a connection that is taken over, where it has no delay", async () => {
    const { again, observer } = await withWill(at, {}, lasting);
    await again({ clean: false });
    expect(await seen(observer)).toBe("gone");
  });

  test("§3.1.4 not of one that is taken over within its delay", async () => {
    const { again, observer } = await withWill(at, patient, lasting);
    await again({ clean: false });
    expect(await observer.messages()).toEqual([]);
  });

  test("§3.1.4 of one that is taken over by a new session, which ends its own", async () => {
    const { again, observer } = await withWill(at, patient, lasting);
    await again({ clean: true });
    expect(await seen(observer)).toBe("gone");
  });

  test("§3.1.2.5 of one that is gone, once another session takes the place of its own", async () => {
    const { client, again, observer } = await withWill(at, patient, lasting);
    client.drop();
    await again({ clean: true });
    expect(await seen(observer)).toBe("gone");
  });

  test("§3.1.2.5 when the session ends before the delay does", async () => {
    const { client, observer } = await withWill(at, { properties: { willDelayInterval: 600 } });
    client.drop();
    expect(text(await observer.take("publish"))).toBe("gone");
  });

  test("§3.14.2.2.2 when DISCONNECT ends the session that was to wait for it", async () => {
    const { client, observer } = await withWill(at, patient, lasting);
    await client.leave(0x04, { sessionExpiryInterval: 0 });
    expect(await seen(observer)).toBe("gone");
  });

  test("and takes it back where a credential is revoked that may not say so any more", async () => {
    const { client, observer, topic } = await withWill(at, {});
    const [, , key = ""] = topic.split("/");
    at.ours?.places.agents.delete(key);
    at.ours?.broker.disconnect(key);
    expect(await client.isClosed()).toBe(true);
    expect(await observer.messages()).toEqual([]);
    expect(at.ours?.refusals.at(-1)).toMatchObject({ username: key, action: "will" });
  });
});

test("§4.1 a broker that stops publishes the Wills that have no delay", async () => {
  const at = await startOurs();
  const { observer } = await withWill(at, {});
  const { observer: patient } = await withWill(at, { properties: { willDelayInterval: 600 } }, lasting);
  await at.close();
  expect(text(await observer.take("publish"))).toBe("gone");
  expect(await observer.take("disconnect")).toMatchObject({ reasonCode: 0x8b });
  expect(patient.raw.commands).not.toContain("publish");
});
