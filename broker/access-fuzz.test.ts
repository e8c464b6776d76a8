import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Client, type Message, mayPublish, mayRead } from "./access-oracle.ts";
import { type FuzzWorld, fuzzWorld } from "./fuzz-testing.ts";
import { type TestBroker, type TestClient, startTestBroker } from "./testing.ts";

/** Random clients say random things to a real broker, and an oracle that knows none of its code tells who hears what. */

const SEED = Number(process.env["FUZZ_SEED"] ?? 20_261_121);
const MESSAGES = Number(process.env["FUZZ_MESSAGES"] ?? 500);

let test: TestBroker;
let world: FuzzWorld;

beforeEach(async () => {
  world = fuzzWorld(SEED);
  test = await startTestBroker({
    directory: world.directory,
    authenticate: ({ username, password }) => {
      const principal = world.principalOf(username ?? "");
      if (!principal || password?.toString() !== "right") return { ok: false, reason: "bad-credentials" };
      return { ok: true, principal };
    },
  });
});
afterEach(() => test.close());

interface Listener {
  readonly client: Client;
  readonly version: 4 | 5;
  readonly filters: readonly string[];
  readonly connection: TestClient;
  readonly expected: string[];
}

async function connectAll(filtersOf: () => string[]): Promise<Listener[]> {
  const versions = [4, 5] as const;
  return await Promise.all(
    [...world.clients.values()].map(async (client): Promise<Listener> => {
      const version = world.chance.pick(versions);
      const asked = filtersOf();
      // who knows the identifier of another gets nothing by it
      const connection = await test.connect(client.username, { protocolVersion: version, clientId: "the same" });
      const granted = await Promise.all(asked.map(async (filter) => isGranted(connection, filter)));
      const filters = asked.filter((_filter, at) => granted[at]);
      const refused = asked.filter((_filter, at) => !granted[at]);
      expect(refused.filter((name) => couldRead(client, name))).toEqual([]);
      return { client, version, filters, connection, expected: [] };
    }),
  );
}

/** A filter with wildcards is granted, whoever asks. */
async function isGranted({ mqtt }: TestClient, filter: string): Promise<boolean> {
  try {
    await mqtt.subscribeAsync(filter, { qos: 1 });
    return true;
  } catch (error) {
    if (/[+#]/.test(filter)) throw error;
    return false;
  }
}

/** What could come on a topic at best. */
function couldRead(client: Client, topic: string): boolean {
  const site = client.kind === "agent" ? null : client.site;
  return mayRead(world, client, { topic, payload: "eyJ", retain: false, site });
}

const nameOf = ({ topic, payload }: { topic: string; payload: string }) => `${topic} ${payload}`;

/** MQTT 5 §4.7 */
function matches(filter: string, topic: string): boolean {
  if (topic.startsWith("$") && !filter.startsWith("$")) return false;
  const words = topic.split("/");
  const wanted = filter.split("/");
  for (const [at, want] of wanted.entries()) {
    if (want === "#") return true;
    if (at >= words.length || (want !== "+" && want !== words[at])) return false;
  }
  return wanted.length === words.length;
}

/** Publishes, and says whether the broker took it: MQTT 3.1.1 has no word for that. */
async function publish({ mqtt }: TestClient, version: 4 | 5, { topic, payload, retain, site }: Message) {
  const claims = { "pb-by": "hub", "pb-token": "id-~house-admin-0", ...(site !== null && { "pb-site": site }) };
  const properties = version === 5 ? { properties: { userProperties: claims } } : {};
  try {
    await mqtt.publishAsync(topic, payload, { qos: 1, retain, ...properties });
    return version === 5 ? true : undefined;
  } catch {
    return false;
  }
}

async function settle(listeners: readonly Listener[]): Promise<void> {
  // acknowledged after everything that was published before
  await Promise.all(listeners.map(async ({ connection }) => connection.mqtt.subscribeAsync("settled/#")));
}

/** One round: everybody hears what the oracle says, in order, and nothing else. */
async function play(listeners: readonly Listener[], hub: TestClient, retained: Map<string, Message>): Promise<void> {
  for (let at = 0; at < MESSAGES; at++) {
    const isOfHub = world.chance.of(0.3);
    const speaker = world.chance.pick(listeners);
    const message = world.message(world.chance.pick(["house", "shop", null]));
    const sender = isOfHub ? ({ kind: "hub" } as const) : speaker.client;
    const isAllowed = mayPublish(world, sender, message);
    const taken = await (isOfHub ? publish(hub, 5, message) : publish(speaker.connection, speaker.version, message));
    expect([nameOf(message), sender, taken ?? isAllowed]).toEqual([nameOf(message), sender, isAllowed]);
    if (!isAllowed) continue;
    const site = isOfHub ? message.site : "site" in speaker.client ? speaker.client.site : null;
    const heard = { ...message, site };
    if (message.retain && message.payload === "") retained.delete(message.topic);
    else if (message.retain) retained.set(message.topic, heard);
    for (const { client, filters, expected } of listeners)
      if (filters.some((filter) => matches(filter, message.topic)) && mayRead(world, client, heard))
        expected.push(nameOf(message));
  }
  await settle(listeners);
  for (const { client, connection, expected } of listeners)
    expect([client, connection.messages.map(nameOf)]).toEqual([client, expected]);
}

describe(`random clients (seed ${SEED})`, () => {
  it("hear what they may, and nothing else, while their rights change; and so do those who come later", async () => {
    const hub = await test.hub();
    const listeners = await connectAll(() => world.filters());
    const retained = new Map<string, Message>();
    await play(listeners, hub, retained);
    expect(listeners.filter(({ expected }) => expected.length > 0).length).toBeGreaterThan(60);
    world.shuffle();
    await play(listeners, hub, retained);

    for (const { connection } of listeners) connection.mqtt.end(true);
    await expect.poll(() => test.departures.length).toBe(listeners.length);
    const late = await connectAll(() => ["#"]);
    for (const { client, connection } of late) {
      const readable = [...retained.values()].filter(
        (message) => !message.topic.startsWith("$") && mayRead(world, client, message),
      );
      await expect
        .poll(() => [client.username, connection.messages.map(nameOf).toSorted()])
        .toEqual([client.username, readable.map(nameOf).toSorted()]);
    }
    expect(test.broker.figures()).toMatchObject({ retained: retained.size, droppedClients: 0, droppedMessages: 0 });
  });

  it("leave a Will where they may publish, and nowhere else", async () => {
    const hub = await test.hub();
    await hub.mqtt.subscribeAsync("#", { qos: 1, rap: true });
    const expected: string[] = [];
    for (const client of world.clients.values()) {
      const { topic, payload, retain } = world.message(null);
      const isName = topic !== "" && !/[+#]/.test(topic);
      if (!isName) continue;
      const will = { topic, payload: Buffer.from(payload), qos: 1 as const, retain };
      const connection = await test.connect(client.username, { will });
      if (mayPublish(world, client, { topic, payload, retain, site: null }))
        expected.push(`${topic} ${payload} ${retain}`);
      connection.mqtt.stream.destroy();
    }
    await expect.poll(() => test.departures.length).toBe(world.clients.size);
    await hub.mqtt.subscribeAsync("settled");
    const heard = hub.messages.filter(({ topic }) => !topic.startsWith("$"));
    expect(heard.map(({ topic, payload, retain }) => `${topic} ${payload} ${retain}`).toSorted()).toEqual(
      expected.toSorted(),
    );
    expect(expected.length).toBeGreaterThan(0);
  });
});
