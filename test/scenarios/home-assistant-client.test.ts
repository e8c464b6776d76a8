import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { needsCommand } from "#test/fixtures/commands.ts";
import { FAST_DISCOVERY } from "#test/fixtures/home-assistant.ts";
import {
  HomeAssistantClient,
  type HomeAssistantClientOptions,
  type SeenEntity,
  topicsOf,
} from "#test/fixtures/home-assistant-client.ts";
import { type TestHub, startTestHub } from "#test/fixtures/hub.ts";
import { type MosquittoServer, startMosquitto } from "#test/fixtures/mosquitto-server.ts";
import { connectMqtt } from "#test/fixtures/mqtt.ts";
import { freshMac, freshName } from "#test/fixtures/scripted-agent.ts";

/** Home Assistant and the hub start, end and lose each other in any order; both always end with the same picture. */

const PATIENCE = { timeout: 40_000, interval: 100 };

let hub: TestHub;
let credential: { username: string; password: string };
let clusterId: string;
let mosquitto: MosquittoServer | undefined;
let running: HomeAssistantClient[] = [];
/** It was there all the time. */
let witness: HomeAssistantClient;

async function begin(): Promise<void> {
  hub = await startTestHub({}, { mosquitto, discoveryTiming: { ...FAST_DISCOVERY, settleMs: 5_000 } });
  running = [];
  clusterId = (await hub.api.post("/clusters", { name: "Home" })).body.id;
  await hub.startAgent({ name: "Pi", clusterId });
  for (const name of ["NAS", "Desk", "Attic"]) await addDevice({ name });
  const permissions = ["read", "wake", "discovery"];
  credential = (await hub.api.post("/mqtt-clients", { name: "Home Assistant", permissions })).body;
  witness = start({ reconnectMs: 50 });
  await expectSame(witness);
}

afterEach(async () => {
  for (const client of running.splice(0)) await client.kill();
  await hub.close();
  await mosquitto?.close();
  mosquitto = undefined;
});

function start(options: Partial<HomeAssistantClientOptions> = {}): HomeAssistantClient {
  const { username, password } = credential;
  const common = { url: hub.mqttUrl, username, password, protocolVersion: 5 as const, reconnectMs: 200 };
  const client = new HomeAssistantClient({ ...common, ...options });
  running.push(client);
  return client;
}

const WAKE = { addresses: ["127.0.0.1"], ports: [40_009] };

async function addDevice(fields: object = {}): Promise<{ id: string; name: string }> {
  const device = { name: freshName("Box"), mac: freshMac(), clusterId, wake: WAKE, ...fields };
  return (await hub.api.post("/devices", device)).body;
}

interface Shown {
  readonly id: string;
  readonly name: string;
  readonly showInHomeAssistant: boolean;
}
const devices = async (): Promise<Shown[]> => (await hub.api.get("/devices")).body.items;

/** What two of them see differently, as far as it is of use to whoever reads it. */
function differences(one: HomeAssistantClient, other: HomeAssistantClient): string[] {
  const [left, right] = [one.seen(), other.seen()];
  const ids = [...new Set([...Object.keys(left), ...Object.keys(right)])];
  const text = (entity: SeenEntity | undefined) => JSON.stringify(entity) ?? "missing";
  return ids.flatMap((id) =>
    text(left[id]) === text(right[id]) ? [] : `${id}: ${text(left[id])} | ${text(right[id])}`,
  );
}

/** Waits until what is seen is what there is, and the witness sees it alike. */
async function expectSame(client: HomeAssistantClient): Promise<void> {
  const shown = (await devices()).filter(({ showInHomeAssistant }) => showInHomeAssistant);
  const names = shown.map(({ name }) => name).toSorted((a, b) => a.localeCompare(b));
  const switches = () =>
    Object.entries(client.seen())
      .filter(([id]) => /_device_.*_power$/.test(id))
      .map(([, { name }]) => String(name))
      .toSorted((a, b) => a.localeCompare(b));
  await expect.poll(switches, PATIENCE).toEqual(names);
  await expect.poll(() => unavailable(client), PATIENCE).toEqual([]);
  await expect.poll(() => differences(witness, client), PATIENCE).toEqual([]);
  expect([...client.problems, ...client.refused]).toEqual([]);
}

/** The hub and its agent run, so everything that they offer works, and all but events and buttons has a state. */
function unavailable(client: HomeAssistantClient): string[] {
  return Object.entries(client.seen()).flatMap(([id, { available, state }]) => {
    const platform = client.entities.get(id)?.platform;
    return available && (state !== null || platform === "event" || platform === "button") ? [] : id;
  });
}

/** A sequence that differs from seed to seed and not from run to run. */
function chances(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const ways = [
  { protocolVersion: 4, transport: "TCP", seed: 1_111_111_111 },
  { protocolVersion: 5, transport: "TCP", seed: 2_222_222_222 },
  { protocolVersion: 4, transport: "WebSocket", seed: 3_333_333_333 },
  { protocolVersion: 5, transport: "WebSocket", seed: 4_044_444_444 },
  { protocolVersion: 5, transport: "Mosquitto", seed: 555_555_555 },
] as const;

describe.each(ways)("Home Assistant with MQTT version $protocolVersion over $transport", (way) => {
  const options = () => ({
    protocolVersion: way.protocolVersion,
    url: way.transport === "WebSocket" ? `${hub.url.replace("http", "ws")}/mqtt` : hub.mqttUrl,
    startMs: 200,
  });

  test(
    "ends with what there is, whoever restarts when, whatever changes meanwhile",
    { timeout: 120_000 },
    async (context) => {
      if (way.transport === "Mosquitto") {
        needsCommand(context, "mosquitto", "mosquitto");
        mosquitto = await startMosquitto();
      }
      await begin();
      const pick = chances(way.seed);
      let client: HomeAssistantClient | undefined = start(options());
      await expectSame(client);
      const some = async () => {
        const all = await devices();
        return `/devices/${all[pick(all.length)]?.id}`;
      };
      const end = async () => {
        await client?.kill();
        client = undefined;
      };
      const steps: (() => Promise<unknown>)[] = [
        async () => hub.api.patch(await some(), { name: freshName("Renamed") }),
        async () => hub.api.patch(await some(), { showInHomeAssistant: pick(2) === 0 }),
        async () => hub.api.delete(await some()),
        () => addDevice(),
        async () => hub.api.post(`${await some()}/wake`),
        () => hub.restart(),
        async () => client?.cut(),
        end,
        async () => (client ??= start(options())),
        // both at once
        async () => {
          await end();
          const restarted = hub.restart();
          client = start(options());
          await restarted;
        },
        // a broker of one's own, with and without what it kept
        async () => {
          await mosquitto?.stop();
          await mosquitto?.start({ empty: pick(2) === 0 });
        },
      ];
      while (steps.length > 0) for (const step of steps.splice(pick(steps.length), 1)) await step();
      const last = (client ??= start(options()));
      await expectSame(last);
      const fresh = start({ ...options(), startMs: 0 });
      await expectSame(fresh);
      await expect.poll(() => differences(last, fresh), PATIENCE).toEqual([]);
    },
  );
});

describe("Home Assistant", () => {
  beforeEach(begin);

  test("hears that a thing is gone, although it broke away again before it was told", async () => {
    const client = start();
    await expectSame(client);
    const births = () => client.births;
    const before = births();
    client.cut();
    await hub.api.delete(`/devices/${(await devices())[0]?.id}`);
    await expect.poll(births, { ...PATIENCE, interval: 1 }).toBe(before + 1);
    client.cut();
    await expectSame(client);
  });

  test("finds a value on every topic that a config names, and an answer to every command", async () => {
    const client = start();
    await expectSame(client);
    const answers = await connectMqtt(hub.mqttUrl, { ...credential, protocolVersion: 5 }, ["powerbeacon/#"]);
    const commands = [...client.entities.values()].flatMap(({ uniqueId, platform, config }) =>
      ["payload_press", "payload_on", "payload_off"].flatMap((key) =>
        key in config && (platform === "switch" || platform === "button")
          ? [{ uniqueId, topic: String(config["command_topic"]), payload: config[key] }]
          : [],
      ),
    );
    expect(commands.length).toBeGreaterThan(10);
    for (const { uniqueId, topic, payload } of commands) {
      const [, kind = "", key = ""] = topic.split("/");
      const isAnswer = new RegExp(kind === "hub" ? "/hub/response/" : `/${kind}/${key}/.*result$|/wake/result$`);
      const count = () => answers.on(isAnswer).length;
      const before = count();
      await client.command(uniqueId, payload);
      await expect.poll(count, { message: `${topic} ${String(payload)}` }).toBeGreaterThan(before);
    }
    for (const entity of client.entities.values())
      for (const topic of topicsOf(entity))
        await expect.poll(() => client.valueOf(topic), { ...PATIENCE, message: topic }).toBeTruthy();
    const events = [...client.entities.values()].filter(({ platform }) => platform === "event");
    for (const { config } of events)
      expect(config["event_types"]).toContain(
        JSON.parse(client.valueOf(String(config["state_topic"])) ?? "{}").event_type,
      );
    await answers.close();
  });
});
