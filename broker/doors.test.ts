import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import http from "node:http";
import net, { type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import mqtt from "mqtt";
import { afterEach, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { follow, startTestBroker, type TestBroker } from "./testing.ts";

let test: TestBroker;
const closers: (() => Promise<unknown> | void)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

async function start(...options: Parameters<typeof startTestBroker>): Promise<void> {
  test = await startTestBroker(...options);
  closers.push(() => test.close());
}

function selfSigned(): { cert: Buffer; key: Buffer } {
  const folder = mkdtempSync(join(tmpdir(), "broker-tls-"));
  const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-days", "2"];
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  execFileSync("openssl", ["req", "-x509", ...curve, "-keyout", key, "-out", cert, ...subject], { stdio: "ignore" });
  const made = { cert: readFileSync(cert), key: readFileSync(key) };
  rmSync(folder, { recursive: true });
  return made;
}

/** An HTTP server that hands its upgrades at `/mqtt` to the broker, as the hub's does. */
async function startWeb(): Promise<number> {
  const server = http.createServer();
  server.on("upgrade", (request, socket, head) => test.broker.handleUpgrade(request, socket, head));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

describe("MQTT over WebSocket", () => {
  it.each([4, 5] as const)(
    "carries version %i, in packets that are larger than a frame or smaller",
    async (version) => {
      await start();
      const port = await startWeb();
      const hub = await test.hub();
      await hub.mqtt.subscribeAsync("powerbeacon/#", { qos: 1 });
      const options = { username: "ha", password: "right", protocolVersion: version, reconnectPeriod: 0 };
      const client = await follow(mqtt.connect(`ws://127.0.0.1:${port}/mqtt`, options));
      await client.mqtt.subscribeAsync("powerbeacon/#", { qos: 1 });
      const large = "x".repeat(200_000);
      await client.mqtt.publishAsync("powerbeacon/device/nas/set", large, { qos: 1 });
      await hub.mqtt.publishAsync("powerbeacon/device/nas/state", large, { qos: 1 });
      await hub.mqtt.publishAsync("powerbeacon/device/nas/state", "ON", { qos: 1 });
      await expect
        .poll(() => client.on("powerbeacon/device/nas/state").map((payload) => payload.length))
        .toEqual([200_000, 2]);
      expect(hub.on("powerbeacon/device/nas/set").map((payload) => payload.length)).toEqual([200_000]);
      expect(test.arrivals.find(({ who }) => who === "ha")?.connection.address).toBe("127.0.0.1");
      await client.mqtt.endAsync();
    },
  );

  it("is refused to who does not ask for MQTT", async () => {
    await start();
    const socket = new WebSocket(`ws://127.0.0.1:${await startWeb()}/mqtt`, "chat");
    const [error] = (await once(socket, "error")) as [Error];
    expect(error.message).toContain("400");
  });

  it("ends for a text frame, or a frame larger than any packet", async () => {
    await start();
    const port = await startWeb();
    for (const [data, code] of [
      ["hello", 1003],
      [Buffer.alloc(300 * 1024), 1009],
    ] as const) {
      const socket = new WebSocket(`ws://127.0.0.1:${port}/mqtt`, "mqtt");
      await once(socket, "open");
      socket.send(data);
      const [closed] = (await once(socket, "close")) as [number];
      expect([code, 1006]).toContain(closed);
    }
  });

  it("gives back the place of who left without a word", async () => {
    await start({ limits: { unauthenticatedPerAddress: 1 } });
    const port = await startWeb();
    const left = new WebSocket(`ws://127.0.0.1:${port}/mqtt`, "mqtt");
    await once(left, "open");
    const second = new WebSocket(`ws://127.0.0.1:${port}/mqtt`, "mqtt");
    await once(second, "close");
    left.terminate();
    await once(left, "close");
    await expect
      .poll(async () => {
        const options = { username: "ha", password: "right", reconnectPeriod: 0 };
        const client = mqtt.connect(`ws://127.0.0.1:${port}/mqtt`, options).on("error", () => {});
        await Promise.race(
          ["connect", "close"].map(
            async (event) => new Promise<void>((resolve) => client.once(event as "close", resolve)),
          ),
        );
        const isIn = client.connected;
        await client.endAsync(true);
        return isIn;
      })
      .toBe(true);
  });
});

describe("MQTT over TLS", () => {
  it("is spoken on a port of its own", async () => {
    const tls = selfSigned();
    await start({ tls });
    const options = {
      ca: tls.cert,
      username: "ha",
      password: "right",
      reconnectPeriod: 0,
      protocolVersion: 5,
    } as const;
    const client = await follow(mqtt.connect(`mqtts://127.0.0.1:${test.broker.tlsPort}`, options));
    await client.mqtt.subscribeAsync("powerbeacon/#", { qos: 1 });
    const hub = await test.hub();
    await hub.mqtt.publishAsync("powerbeacon/event", "{}", { qos: 1 });
    await expect.poll(() => client.messages.map(({ payload }) => payload)).toEqual(["{}"]);
    const closed = new Promise<number | undefined>((resolve) =>
      client.mqtt.once("disconnect", (packet) => resolve(packet.reasonCode)),
    );
    test.broker.disconnect("integration-ha");
    expect(await closed).toBe(0x98);
    await client.mqtt.endAsync(true);
  });

  it("holds an address to its quota from before the handshake", async () => {
    await start({ tls: selfSigned(), limits: { unauthenticatedPerAddress: 1 } });
    const port = test.broker.tlsPort ?? 0;
    const silent = net.connect(port, "127.0.0.1");
    await once(silent, "connect");
    const refused = net.connect(port, "127.0.0.1").on("error", () => {});
    await once(refused, "close");
    silent.destroy();
    expect(test.asked).toEqual([]);
  });
});

describe("the hub's link", () => {
  it("has all rights without credentials, and is told who published", async () => {
    await start();
    const hub = await test.hub();
    await hub.mqtt.subscribeAsync("#", { qos: 1 });
    await hub.mqtt.publishAsync("anything/at/all", "x", { qos: 1, retain: true });
    await expect.poll(() => hub.messages).toMatchObject([{ topic: "anything/at/all" }]);
    expect(hub.messages[0]?.properties?.userProperties).toBeUndefined();
    expect(test.asked).toEqual([]);
  });

  it("ends gracefully, and can be made again", async () => {
    await start();
    const first = await test.hub({ clientId: "hub" });
    await first.mqtt.endAsync();
    await expect.poll(() => test.departures).toEqual(["hub"]);
    const second = await test.hub({ clientId: "hub" });
    await second.mqtt.publishAsync("powerbeacon/hub/status", "online", { qos: 1 });
    expect(test.broker.figures().clients).toBe(1);
  });

  it("publishes its Will when its end is destroyed, and ends when the broker closes", async () => {
    await start();
    const ha = await test.connect("ha");
    await ha.mqtt.subscribeAsync("powerbeacon/hub/status");
    const will = { topic: "powerbeacon/hub/status", payload: Buffer.from("offline"), qos: 1 as const, retain: true };
    const hub = await test.hub({ will });
    hub.mqtt.stream.destroy();
    await expect.poll(() => ha.messages.map(({ payload }) => payload)).toEqual(["offline"]);
    const theirs = test.broker.connectHub();
    await test.broker.close();
    await expect.poll(() => theirs.destroyed).toBe(true);
  });

  it("takes many messages at once, in order", async () => {
    await start();
    const hub = await test.hub();
    const received: string[] = [];
    const ha = await test.connect("ha", { protocolVersion: 5 });
    ha.mqtt.on("message", (_topic, payload) => received.push(payload.toString()));
    await ha.mqtt.subscribeAsync("powerbeacon/event", { qos: 1 });
    const sent = Array.from({ length: 3_000 }, (_, at) => `${at}`);
    await Promise.all(sent.map(async (payload) => hub.mqtt.publishAsync("powerbeacon/event", payload, { qos: 1 })));
    await expect.poll(() => received).toEqual(sent);
  });
});

describe("starting", () => {
  it("fails with the system's error when the port is taken", async () => {
    const taken = net.createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    closers.push(() => void taken.close());
    const { port } = taken.address() as AddressInfo;
    await expect(startTestBroker({ port })).rejects.toMatchObject({ code: "EADDRINUSE" });
  });

  it("is undone by close, with clients in every state", async () => {
    await start();
    await test.connect("ha");
    await test.raw();
    await test.broker.close();
    const late = net.connect(test.port, "127.0.0.1");
    const [error] = (await once(late, "error")) as [NodeJS.ErrnoException];
    expect(error.code).toBe("ECONNREFUSED");
  });
});
