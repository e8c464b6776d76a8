import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createApi } from "#test/fixtures/api.ts";
import { ADMIN, type TestHub, startTestHub } from "#test/fixtures/hub.ts";
import { type TestMqttClient, connectMqtt } from "#test/fixtures/mqtt.ts";
import { type ScriptedAgent, freshMac, freshName, startScriptedAgent } from "#test/fixtures/scripted-agent.ts";

let hub: TestHub;
let clusterId: string;
let pi: ScriptedAgent;
let home: TestMqttClient;
const streams: Stream[] = [];

beforeAll(async () => {
  hub = await startTestHub();
  clusterId = (await hub.api.post("/clusters", { name: "Home" })).body.id;
  pi = await startScriptedAgent(hub, { name: "Pi", clusterId });
  const { body } = await hub.api.post("/mqtt-clients", { name: "HA", permissions: ["read", "wake"] });
  const { username, password } = body;
  home = await connectMqtt(hub.mqttUrl, { username, password, protocolVersion: 5 }, ["powerbeacon/#"]);
});

afterAll(async () => {
  for (const stream of streams) stream.close();
  await home.close();
  await pi.close();
  await hub.close();
});

const addDevice = async () =>
  (await hub.api.post("/devices", { name: freshName("Box"), mac: freshMac(), clusterId })).body;

/** Wakes a device; the agent sends, and sees it come up. */
async function wakeUp(device: { id: string; key: string }): Promise<string> {
  const { body } = await hub.api.post(`/devices/${device.id}/wake`);
  const order = () => pi.orders().find(({ targets }) => targets.some((target) => target.device === device.key));
  await expect.poll(order).toBeDefined();
  await pi.answers(order() as NonNullable<ReturnType<typeof order>>, "sent");
  await pi.sees({ [device.key]: true });
  return body.wake;
}

interface LiveEvent {
  readonly id: string;
  readonly event: string;
  // oxlint-disable-next-line typescript/no-explicit-any -- each kind of event has its own fields, and the tests read them
  readonly data: any;
}

interface Stream {
  readonly events: LiveEvent[];
  readonly ended: () => boolean;
  close(): void;
}

/** Server-sent events as a browser reads them. */
async function listen({
  token = hub.api.token,
  lastEventId,
}: { token?: string | null; lastEventId?: string } = {}): Promise<Stream> {
  const abort = new AbortController();
  const answer = await fetch(`${hub.url}/api/events`, {
    signal: abort.signal,
    headers: { authorization: `Bearer ${token}`, ...(lastEventId !== undefined && { "last-event-id": lastEventId }) },
  });
  expect(answer.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
  const events: LiveEvent[] = [];
  let ended = false;
  const read = async () => {
    let rest = "";
    for await (const chunk of answer.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      const blocks = (rest + chunk).split("\n\n");
      rest = blocks.pop() ?? "";
      for (const block of blocks) {
        const [, id = "", event = "", data = ""] = /^id: (.*)\nevent: (.*)\ndata: (.*)$/.exec(block) ?? [];
        if (event) events.push({ id, event, data: JSON.parse(data) });
      }
    }
  };
  void read()
    .catch(() => {}) // closed by the test
    .finally(() => (ended = true));
  const stream = { events, ended: () => ended, close: () => abort.abort() };
  streams.push(stream);
  return stream;
}

const named = ({ events }: Stream, event: string) => events.filter((one) => one.event === event);

describe("the live stream", () => {
  test("begins with a snapshot of everything, as lists show it", async () => {
    const device = await addDevice();
    const stream = await listen();
    await expect.poll(() => stream.events[0]?.event).toBe("snapshot");
    const { data } = stream.events[0] as LiveEvent;
    expect(data.devices).toEqual((await hub.api.get("/devices?limit=200&sort=createdAt")).body.items);
    expect(data.devices).toContainEqual((await hub.api.get(`/devices/${device.id}`)).body);
    expect(data.clusters.map(({ key }: { key: string }) => key)).toEqual(["home"]);
    expect(data.agents).toMatchObject([{ key: "pi", status: "online" }]);
    expect(data.hub).toMatchObject({ api: 1, database: "ok", agents: { total: 1, online: 1 } });
  });

  test("tells each change as the whole thing, wakes stage by stage, and what was removed", async () => {
    const stream = await listen();
    await expect.poll(() => stream.events.length).toBeGreaterThan(0);
    const device = await addDevice();
    const ofDevice = () => named(stream, "device").filter(({ data }) => data.id === device.id);
    await expect
      .poll(() => ofDevice().at(-1)?.data)
      .toMatchObject({ key: device.key, power: "unknown", availability: "online" });
    const wake = await wakeUp(device);
    expect(ofDevice().map(({ data }) => data.power)).toContain("waking");
    const stages = () =>
      named(stream, "wake")
        .filter(({ data }) => data.wake === wake)
        .map(({ data }) => data.stage);
    await expect.poll(stages).toEqual(["accepted", "sent", "awake"]);
    await expect.poll(() => ofDevice().at(-1)?.data).toMatchObject({ power: "on", lastWake: { outcome: "awake" } });
    await expect.poll(() => named(stream, "cluster").at(-1)?.data).toMatchObject({ id: clusterId, state: "ON" });
    await hub.api.delete(`/devices/${device.id}`);
    await expect
      .poll(() => named(stream, "removed").map(({ data }) => data))
      .toEqual([{ kind: "device", id: device.id }]);
    await pi.says("offline");
    await expect.poll(() => named(stream, "agent").at(-1)?.data).toMatchObject({ id: pi.id, status: "offline" });
    await expect.poll(() => named(stream, "hub").at(-1)?.data.agents).toEqual({ total: 1, online: 0 });
    await pi.says("online");
  });

  test("resumes after the last event that was read, without gap and without double", async () => {
    const whole = await listen();
    const broken = await listen();
    const device = await addDevice();
    await expect.poll(() => named(broken, "device").some(({ data }) => data.id === device.id)).toBe(true);
    broken.close();
    await expect.poll(broken.ended).toBe(true);
    for (const name of ["one", "two", "three"]) await hub.api.patch(`/devices/${device.id}`, { name });
    await expect.poll(() => named(whole, "device").at(-1)?.data.name).toBe("three");
    const resumed = await listen({ lastEventId: broken.events.at(-1)?.id ?? "" });
    await hub.api.patch(`/devices/${device.id}`, { name: "four" });
    await expect.poll(() => named(resumed, "device").at(-1)?.data.name).toBe("four");
    await expect.poll(() => named(whole, "device").at(-1)?.data.name).toBe("four");
    const from = whole.events.findIndex(({ id }) => id === broken.events.at(-1)?.id) + 1;
    const count = Math.min(resumed.events.length, whole.events.length - from);
    expect(resumed.events.slice(0, count)).toEqual(whole.events.slice(from, from + count));
    expect(named(resumed, "snapshot")).toEqual([]);
  });

  test.each([[""], ["nonsense"], ["00000000-1"], ["constructor"]])(
    "begins anew for the unknown id %j",
    async (lastEventId) => {
      const stream = await listen({ lastEventId });
      await expect.poll(() => stream.events[0]?.event).toBe("snapshot");
    },
  );

  test("begins anew for an id that has not been given out yet", async () => {
    const stream = await listen();
    await expect.poll(() => stream.events.length).toBeGreaterThan(0);
    const [run] = (stream.events[0]?.id ?? "").split("-");
    const ahead = await listen({ lastEventId: `${run}-999999` });
    await expect.poll(() => ahead.events[0]?.event).toBe("snapshot");
  });

  test("ends with the session, and tells nothing more", async () => {
    const api = await createApi(hub.url).logIn(ADMIN);
    const stream = await listen({ token: api.token });
    await expect.poll(() => stream.events.length).toBeGreaterThan(0);
    await api.post("/auth/logout");
    const device = await addDevice();
    await expect.poll(stream.ended).toBe(true);
    expect(JSON.stringify(stream.events)).not.toContain(device.id);
  });

  test("is refused without a session", async () => {
    expect(await createApi(hub.url).get("/events")).toMatchObject({ status: 401, body: { code: "UNAUTHENTICATED" } });
  });
});

describe("the retained topics", () => {
  test("are published when something changed, and not otherwise", async () => {
    const device = await addDevice();
    const topic = `powerbeacon/device/${device.key}/`;
    await expect.poll(() => home.last(`${topic}info`)).toBeDefined();
    await pi.sees({ [device.key]: false });
    await expect.poll(() => home.last(`${topic}state`)).toBe("OFF");
    const count = () => home.on(new RegExp(`${topic}(state|info|availability)$`)).length;
    const before = count();
    await pi.sees({ [device.key]: false });
    await hub.api.patch(`/devices/${device.id}`, { description: "not told by MQTT" });
    await hub.api.patch(`/devices/${device.id}`, { name: "Told" });
    await expect.poll(() => home.lastJson(`${topic}info`).name).toBe("Told");
    expect(count()).toBe(before + 1);
  });

  test("say that a switch works while an agent is there", async () => {
    const device = await addDevice();
    const topic = `powerbeacon/device/${device.key}/availability`;
    await expect.poll(() => home.last(topic)).toBe("online");
    await pi.says("offline");
    await expect.poll(() => home.last(topic)).toBe("offline");
    await expect
      .poll(() => home.lastJson("powerbeacon/cluster/home/info"))
      .toMatchObject({
        problem: true,
        problems: expect.arrayContaining(["No agent is online"]),
      });
    await pi.says("online");
    await expect.poll(() => home.last(topic)).toBe("online");
    await hub.api.patch(`/devices/${device.id}`, { enabled: false });
    await expect.poll(() => home.last(topic)).toBe("offline");
  });
});

describe("events", () => {
  const eventsOf = (key: string) =>
    home.on(new RegExp(`^powerbeacon/device/${key}/event$`)).map(({ text }) => JSON.parse(text));
  const all = () => home.on(/^powerbeacon\/event$/).map(({ text }) => JSON.parse(text));

  test("tell a wake, and a device that came up by itself", async () => {
    const device = await addDevice();
    await wakeUp(device);
    await expect.poll(() => eventsOf(device.key).length).toBe(2);
    await pi.sees({ [device.key]: false });
    await expect.poll(async () => (await hub.api.get(`/devices/${device.id}`)).body.power).toBe("off");
    await pi.sees({ [device.key]: true });
    await expect
      .poll(() => eventsOf(device.key).map(({ event_type }) => event_type))
      .toEqual(["wake_requested", "wake_succeeded", "came_up_by_itself"]);
    expect(eventsOf(device.key)[1]).toEqual({
      event_type: "wake_succeeded",
      at: expect.any(String),
      cluster: "home",
      device: device.key,
      agent: null,
      by: "admin",
      transaction: null,
      reason: null,
      seconds: expect.any(Number),
    });
    expect(all().filter((event) => event.device === device.key)).toHaveLength(3);
    expect(home.on(/event$/).every(({ retained }) => !retained)).toBe(true);
  });

  test("tell agents that come and go, once each", async () => {
    const agent = await startScriptedAgent(hub, { name: "Guest", clusterId });
    await agent.says("online");
    agent.mqtt.client.stream.destroy();
    const told = () =>
      all()
        .filter((event) => event.agent === "guest")
        .map(({ event_type, cluster }) => [event_type, cluster]);
    await expect.poll(told).toEqual([
      ["agent_online", "home"],
      ["agent_offline", "home"],
    ]);
  });

  test("of a device hold what happened to it, and no refusals", async () => {
    const { key } = await addDevice();
    const refusals = () => all().filter((event) => event.device === key && event.event_type === "request_refused");
    await home.client.publishAsync(`powerbeacon/device/${key}/set`, "NONSENSE", { qos: 1 });
    await expect.poll(refusals).toHaveLength(1);
    expect(eventsOf(key)).toEqual([]);
  });

  test("tell refusals, ten a second at the most", async () => {
    const refused = () =>
      all().filter(({ event_type, reason }) => event_type === "request_refused" && reason.includes("nobody-"));
    await Promise.all(
      Array.from({ length: 60 }, (_, number) =>
        home.client.publishAsync("powerbeacon/cluster/home/wake", `nobody-${number}`, { qos: 1 }),
      ),
    );
    await expect
      .poll(() => home.on(/wake\/result$/).filter(({ text }) => text.includes("UNKNOWN_DEVICE")).length)
      .toBe(60);
    await hub.api.patch(`/clusters/${clusterId}`, { description: "after the flood" });
    expect(refused().length).toBeGreaterThan(0);
    expect(refused().length).toBeLessThanOrEqual(20);
    expect(refused()[0]).toMatchObject({ by: "ha", cluster: "home" });
  });
});

describe("the live stream of somebody", () => {
  const PASSWORD = "correct horse battery";
  let count = 0;

  async function listenAs(role: string) {
    const username = `${role}-${++count}`;
    const { body } = await hub.api.post("/users", { username, password: PASSWORD, role });
    const api = await createApi(hub.url).logIn({ username, password: PASSWORD });
    const stream = await listen({ token: api.token });
    await expect.poll(() => stream.events[0]?.event).toBe("snapshot");
    return { id: body.id as string, api, stream };
  }

  test.each([
    ["logs out", ({ api }) => api.post("/auth/logout")],
    ["is disabled", ({ id }) => hub.api.patch(`/users/${id}`, { enabled: false })],
    ["gets another role", ({ id }) => hub.api.patch(`/users/${id}`, { role: "viewer" })],
    ["is deleted", ({ id }) => hub.api.delete(`/users/${id}`)],
  ] satisfies [string, (who: { id: string; api: typeof hub.api }) => Promise<unknown>][])(
    "who %s ends at once, without waiting for anything to happen",
    async (_what, act) => {
      const who = await listenAs("user");
      await act(who);
      await expect.poll(who.stream.ended, { timeout: 2_000 }).toBe(true);
    },
  );

  test("whose role is another comes back to a new snapshot, not to what was missed", async () => {
    const who = await listenAs("user");
    await addDevice();
    await expect.poll(() => who.stream.events.at(-1)?.event).not.toBe("snapshot");
    const lastEventId = who.stream.events.findLast(({ id }) => id !== "")?.id ?? "";
    const again = await listen({ token: who.api.token, lastEventId });
    await addDevice();
    await expect.poll(() => again.events.length).toBeGreaterThan(0);
    expect(again.events.some(({ event }) => event === "snapshot")).toBe(false);
    await hub.api.patch(`/users/${who.id}`, { role: "viewer" });
    const plain = await listen({ token: who.api.token, lastEventId });
    await expect.poll(() => plain.events[0]?.event).toBe("snapshot");
  });

  test("who may see neither agents nor users holds none of them", async () => {
    const { stream } = await listenAs("viewer");
    const device = await addDevice();
    await hub.api.patch(`/devices/${device.id}`, { agentIds: [pi.id] });
    const news = () => stream.events.filter(({ event, data }) => event === "device" && data.id === device.id);
    await expect.poll(() => news().length).toBeGreaterThan(0);
    await pi.says("offline"); // of which others hear
    await pi.says("online");
    await hub.api.patch(`/devices/${device.id}`, { description: "again" });
    await expect.poll(() => news().some(({ data }) => data.description === "again")).toBe(true);
    for (const { data } of news()) expect(data).toMatchObject({ agentIds: [], ownerId: null, shares: [] });
    expect(stream.events[0]?.data.agents).toEqual([]);
    expect(stream.events.filter(({ event }) => event === "agent")).toEqual([]);
  });
});
