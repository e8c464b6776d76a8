import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type TestHub, startTestHub } from "#test/fixtures/hub.ts";
import { type MosquittoServer, startMosquitto } from "#test/fixtures/mosquitto-server.ts";
import type { TestMqttClient } from "#test/fixtures/mqtt.ts";
import { type SimulatedMachine, startSimulatedMachine } from "#test/fixtures/simulated-machine.ts";

/** The main job, with everything real but the machines: request → order → magic packet → seen awake. */
export function wakeScenarios(broker: "embedded" | "mosquitto"): void {
  let hub: TestHub;
  let mosquitto: MosquittoServer | undefined;
  /** Who asked, where only the embedded broker tells. */
  const asker = (username: string) => (broker === "embedded" ? username : "mqtt");
  let clusterId: string;
  let home: TestMqttClient;
  const machines: SimulatedMachine[] = [];
  /** What the broker has no part in runs with one of them. */
  const isFirst = broker === "embedded";
  let octet = 0x10;

  beforeAll(async () => {
    mosquitto = broker === "mosquitto" ? await startMosquitto() : undefined;
    hub = await startTestHub({}, { mosquitto });
    clusterId = (await hub.api.post("/clusters", { name: "Home" })).body.id;
    await hub.startAgent({ name: "Pi Garage", clusterId });
    const { body } = await hub.api.post("/mqtt-clients", { name: "Home Assistant", permissions: ["read", "wake"] });
    const credential = { username: body.username, password: body.password, protocolVersion: 5 as const };
    home = await hub.connect(credential, ["powerbeacon/#"]);
  });

  afterAll(async () => {
    await home.close();
    await hub.close();
    await mosquitto?.close();
    for (const machine of machines) await machine.close();
  });

  /** A machine and the device that stands for it, already seen off. */
  async function addDevice(
    name: string,
    options: Partial<Parameters<typeof startSimulatedMachine>[0]> = {},
    device: object = {},
  ) {
    const mac = `02:00:00:00:00:${(octet++).toString(16)}`;
    const machine = await startSimulatedMachine({
      mac,
      host: `127.0.2.${octet}`,
      udpPort: 0,
      tcpPort: 0,
      bootMs: 500,
      ...options,
    });
    machines.push(machine);
    const { body, status } = await hub.api.post("/devices", {
      name,
      mac,
      clusterId,
      address: machine.host,
      wake: { addresses: ["127.255.255.255"], ports: [machine.udpPort], windowSeconds: 30 },
      watch: { icmp: false, arp: false, tcpPorts: [machine.tcpPort], intervalSeconds: 1 },
      ...device,
    });
    expect(status).toBe(201);
    return { machine, device: body };
  }

  /** Until no packet has come for longer than the packets of a burst are apart. */
  const untilQuiet = (machine: SimulatedMachine) =>
    expect.poll(() => performance.now() - (machine.packetsAt.at(-1) ?? 0)).toBeGreaterThan(500);
  const powerOf = async (id: string) => (await hub.api.get(`/devices/${id}`)).body.power;

  describe("a wake by HTTP", () => {
    test("goes from the request to a device that is seen awake, with seconds and evidence", async () => {
      const { machine, device } = await addDevice("NAS");
      await expect.poll(() => powerOf(device.id), { timeout: 20_000 }).toBe("off");

      const { status, body } = await hub.api.post(`/devices/${device.id}/wake?wait=10`);

      expect(status).toBe(202);
      expect(body).toMatchObject({ device: "nas", stage: "awake", agents: [{ key: "pi-garage", stage: "sent" }] });
      expect(machine.packets[0]).toHaveLength(102);
      const wake = (await hub.api.get(`/wakes/${body.wake}`)).body;
      expect(wake.stages.map(({ stage }: { stage: string }) => stage)).toEqual(["accepted", "sent", "awake"]);
      expect(wake).toMatchObject({ requestedBy: "admin", evidence: { by: "pi-garage", how: "tcp" } });
      expect(wake.seconds).toBeGreaterThan(0);
      expect(await powerOf(device.id)).toBe("on");
    });

    test("of a device that is on sends nothing, unless it is forced", async () => {
      const { machine, device } = await addDevice("Awake Box");
      await hub.api.post(`/devices/${device.id}/wake?wait=10`);
      await untilQuiet(machine); // the last burst is out
      const packets = machine.packets.length;

      const again = await hub.api.post(`/devices/${device.id}/wake`);
      expect(again.body).toMatchObject({ stage: "already-on", agents: [] });
      expect(machine.packets).toHaveLength(packets);

      await hub.api.post(`/devices/${device.id}/wake`, { force: true });
      await expect.poll(() => machine.packets.length).toBeGreaterThan(packets);
    });

    test.runIf(isFirst)("of a machine that needs a second burst is sent again and succeeds", async () => {
      const { machine, device } = await addDevice("Deep Sleeper", { packetsNeeded: 4 });
      await expect.poll(() => powerOf(device.id), { timeout: 20_000 }).toBe("off");
      const { body } = await hub.api.post(`/devices/${device.id}/wake?wait=15`);
      expect(body.stage).toBe("awake");
      expect(machine.packets.length).toBeGreaterThanOrEqual(4);
    });

    test.runIf(isFirst)("of a machine that never boots ends with no answer, and the device is off again", async () => {
      const { device } = await addDevice("Broken PC", { neverBoots: true }, {});
      await hub.api.patch(`/devices/${device.id}`, { wake: { windowSeconds: 5 } });
      await expect.poll(() => powerOf(device.id), { timeout: 20_000 }).toBe("off");

      const { body } = await hub.api.post(`/devices/${device.id}/wake`);
      expect(await powerOf(device.id)).toBe("waking");
      await expect
        .poll(async () => (await hub.api.get(`/wakes/${body.wake}`)).body.stage, { timeout: 20_000 })
        .toBe("no-answer");

      const wake = (await hub.api.get(`/wakes/${body.wake}`)).body;
      expect(wake.stages.at(-1)).toMatchObject({ stage: "no-answer", resent: 1 });
      expect(await powerOf(device.id)).toBe("off");
      expect((await hub.api.get(`/devices/${device.id}`)).body.lastWake).toMatchObject({
        outcome: "no-answer",
        by: "admin",
      });
    });

    test.runIf(isFirst)(
      "is refused with a code for a disabled device, a device nobody can wake, and an empty cluster",
      async () => {
        const { device: disabled } = await addDevice("Retired", {}, { enabled: false });
        const { body: alone } = await hub.api.post("/devices", { name: "Alone", mac: "02:00:00:00:01:01" });
        const { body: empty } = await hub.api.post("/clusters", { name: "Empty" });
        expect(await hub.api.post(`/devices/${disabled.id}/wake`)).toMatchObject({
          status: 409,
          body: { code: "DEVICE_DISABLED" },
        });
        expect(await hub.api.post(`/devices/${alone.id}/wake`)).toMatchObject({
          status: 409,
          body: { code: "NO_AGENT" },
        });
        expect(await hub.api.post(`/clusters/${empty.id}/wake`)).toMatchObject({
          status: 409,
          body: { code: "CLUSTER_EMPTY" },
        });
      },
    );

    test.runIf(isFirst)("can be cancelled once", async () => {
      const { device } = await addDevice("Never Mind", { neverBoots: true });
      const { body } = await hub.api.post(`/devices/${device.id}/wake`);
      expect(await hub.api.delete(`/wakes/${body.wake}`)).toMatchObject({ status: 200, body: { stage: "cancelled" } });
      expect(await hub.api.delete(`/wakes/${body.wake}`)).toMatchObject({ status: 409, body: { code: "WAKE_OVER" } });
    });
  });

  describe("a wake by MQTT", () => {
    const wakeTopic = "powerbeacon/cluster/home/wake";
    const results = () =>
      home.on(/^powerbeacon\/cluster\/home\/wake\/result$/).map((message) => JSON.parse(message.text));
    const resultsOf = (transaction: string) => results().filter((result) => result.transaction === transaction);
    const stagesOf = (transaction: string) => resultsOf(transaction).map((result) => result.stage);

    test("by key, by list, by JSON and by MAC address reaches the machine", async () => {
      const { machine: one, device: first } = await addDevice("One");
      const { machine: two } = await addDevice("Two");
      const { machine: three } = await addDevice("Three");
      await home.client.publishAsync(wakeTopic, "one, two", { qos: 1 });
      await home.client.publishAsync(
        wakeTopic,
        JSON.stringify({ mac: three.mac.replaceAll(":", "-").toUpperCase(), transaction: "by-mac" }),
        { qos: 1 },
      );
      await expect.poll(() => [one, two, three].map((machine) => machine.isUp)).toEqual([true, true, true]);
      await expect.poll(() => stagesOf("by-mac"), { timeout: 20_000 }).toEqual(["accepted", "sent", "awake"]);
      expect((await hub.api.get(`/devices/${first.id}/wakes`)).body.items[0]).toMatchObject({
        requestedBy: asker("home-assistant"),
      });
    });

    test("shows on the retained topics and does not bounce: ON from the request on, info with evidence at the end", async () => {
      const { device } = await addDevice("Media PC", { bootMs: 1_500 });
      await expect.poll(() => home.last("powerbeacon/device/media-pc/state"), { timeout: 20_000 }).toBe("OFF");
      await home.client.publishAsync("powerbeacon/device/media-pc/set", "ON", { qos: 1 });
      await expect.poll(() => home.lastJson("powerbeacon/device/media-pc/info")?.power).toBe("waking");
      await expect
        .poll(() => home.lastJson("powerbeacon/device/media-pc/info"), { timeout: 20_000 })
        .toMatchObject({
          power: "on",
          reachable: true,
          cluster: "home",
          evidence: { by: "pi-garage", how: "tcp" },
          lastWake: { outcome: "awake", by: asker("home-assistant"), agents: ["pi-garage"] },
        });
      const states = home.on(/^powerbeacon\/device\/media-pc\/state$/).map((message) => message.text);
      expect(states.slice(states.indexOf("OFF"))).toEqual(["OFF", "ON"]);
      expect(home.last("powerbeacon/device/media-pc/availability")).toBe("online");
      expect(
        home.on(/^powerbeacon\/device\/media-pc\/event$/).map((message) => JSON.parse(message.text).event_type),
      ).toEqual(["wake_requested", "wake_succeeded"]);
      expect(device.key).toBe("media-pc");
    });

    test.each([
      ["not a key", "Not A Key!", "INVALID_REQUEST"],
      ["broken JSON", "{", "INVALID_REQUEST"],
      ["an unknown field", '{"device":"nas","transaction":"t-unknown"}', "INVALID_REQUEST"],
      ["a device that is not there", "nobody", "UNKNOWN_DEVICE"],
      ["a MAC address that is not there", '{"mac":"02:99:99:99:99:99"}', "UNKNOWN_DEVICE"],
      ["__proto__", "__proto__", "INVALID_REQUEST"],
    ])("that names %s is answered with what is wrong", async (_name, payload, code) => {
      const before = results().length;
      await home.client.publishAsync(wakeTopic, payload, { qos: 1 });
      await expect
        .poll(() => results().slice(before))
        .toMatchObject([{ stage: "refused", code, reason: expect.any(String) }]);
    });

    test("with a repeated transaction repeats the answer and sends nothing again", async () => {
      const { machine } = await addDevice("Once");
      const request = JSON.stringify({ devices: ["once"], transaction: "tx-once" });
      await home.client.publishAsync(wakeTopic, request, { qos: 1 });
      await expect.poll(() => stagesOf("tx-once"), { timeout: 20_000 }).toEqual(["accepted", "sent", "awake"]);
      await untilQuiet(machine); // the last burst is out
      const packets = machine.packets.length;
      await home.client.publishAsync(wakeTopic, request, { qos: 1 });
      await expect.poll(() => stagesOf("tx-once")).toEqual(["accepted", "sent", "awake", "awake"]);
      expect(machine.packets).toHaveLength(packets);
      expect(new Set(resultsOf("tx-once").map((result) => result.wake)).size).toBe(1);
    });

    test("with a transaction that was used for another device is refused, and people's transactions are apart", async () => {
      const { device: first } = await addDevice("First Of Two");
      const { machine, device: second } = await addDevice("Second Of Two");
      expect((await hub.api.post(`/devices/${first.id}/wake`, { transaction: "tx-two" })).status).toBe(202);
      const other = await hub.api.post(`/devices/${second.id}/wake`, { transaction: "tx-two" });
      expect(other).toMatchObject({ status: 409, body: { code: "CONFLICT" } });
      expect(machine.packets).toHaveLength(0);
      await home.client.publishAsync(wakeTopic, JSON.stringify({ devices: [second.key], transaction: "tx-two" }), {
        qos: 1,
      });
      await expect.poll(() => machine.isUp).toBe(true);
    });

    test("answers on the MQTT 5 response topic of the asker, with the correlation data, and on nobody else's", async () => {
      await addDevice("Responder");
      const responseTopic = "powerbeacon/client/home-assistant/response/wake";
      const properties = { responseTopic, correlationData: Buffer.from("42") };
      await home.client.publishAsync(wakeTopic, "responder", { qos: 1, properties });
      await expect
        .poll(() => home.on(/response\/wake$/).map((message) => JSON.parse(message.text).stage), { timeout: 20_000 })
        .toEqual(["accepted", "sent", "awake"]);
      expect(home.on(/response\/wake$/)[0]?.packet.properties?.correlationData?.toString()).toBe("42");

      const foreign = { responseTopic: "powerbeacon/device/nas/state" };
      // the embedded broker refuses at once, of another one's message the hub does
      const before = results().length;
      const refusal = () =>
        results()
          .slice(before)
          .find(({ stage }) => stage === "refused")?.code;
      const asked = home.client.publishAsync(wakeTopic, "responder", { qos: 1, properties: foreign });
      const answer = await asked.then(
        () => vi.waitUntil(refusal),
        (error: Error) => error.message,
      );
      expect(answer).toMatch(broker === "embedded" ? /Not authorized/ : /^RESPONSE_TOPIC_NOT_ALLOWED$/);
    });

    test("OFF is refused with a reason, and never obeyed", async () => {
      await addDevice("Stays On");
      await home.client.publishAsync("powerbeacon/device/stays-on/set", "OFF", { qos: 1 }).catch(() => {}); // refused or answered, never obeyed
      const result = () =>
        home.on(/^powerbeacon\/device\/stays-on\/result$/).map((message) => JSON.parse(message.text));
      // only the embedded broker tells that this credential has no right to it
      const code = broker === "embedded" ? "FORBIDDEN" : "NOT_SUPPORTED";
      await expect.poll(result).toMatchObject([{ stage: "refused", code, device: "stays-on" }]);
    });
  });
}
