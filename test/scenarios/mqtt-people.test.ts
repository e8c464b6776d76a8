import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { TokenPermission } from "#contracts/permissions.ts";
import { query } from "#test/fixtures/database.ts";
import { type TestHub, startTestHub } from "#test/fixtures/hub.ts";
import { type TestMqttClient, connectMqtt } from "#test/fixtures/mqtt.ts";
import {
  BEHIND_PROXY,
  type Person,
  type TestSite,
  addPerson,
  addSite,
  addToken,
  firstSite,
} from "#test/fixtures/people.ts";
import { freshMac, freshName, startScriptedAgent } from "#test/fixtures/scripted-agent.ts";

/** People who use MQTT with a personal token, and sites that share one broker. */

let hub: TestHub;
let home: TestSite;
let away: TestSite;
const clients: TestMqttClient[] = [];
const ALL: TokenPermission[] = ["device:read", "device:wake", "cluster:read", "agent:read"];

beforeAll(async () => {
  hub = await startTestHub(BEHIND_PROXY, { discoveryTiming: { paceMs: 0, quietMs: 50 } });
  [home, away] = [await firstSite(hub), await addSite(hub, "Away")];
});

afterAll(async () => {
  for (const client of clients) await client.close();
  await hub.close();
});

async function connect(username: string, password: string, filters: string[] = []): Promise<TestMqttClient> {
  const client = await connectMqtt(hub.mqttUrl, { username, password, protocolVersion: 5 }, filters);
  clients.push(client);
  return client;
}

async function connectPerson(person: Person, permissions = ALL, filters = ["powerbeacon/#"]) {
  const { id, token } = await addToken(person.api, permissions);
  return { tokenId: id, token, mqtt: await connect(`~${person.username}`, token, filters) };
}

async function connectIntegration({ api }: TestSite, permissions: string[], filters = ["powerbeacon/#"]) {
  const { body } = await api.post("/mqtt-clients", { name: freshName("Client"), permissions });
  return {
    id: body.id as string,
    username: body.username as string,
    mqtt: await connect(body.username, body.password, filters),
  };
}

const addCluster = async ({ api }: TestSite, fields: object = {}) =>
  (await api.post("/clusters", { name: freshName("Cluster"), ...fields })).body;
const addDevice = async ({ api }: TestSite, fields: object = {}) =>
  (await api.post("/devices", { name: freshName("Box"), mac: freshMac(), ...fields })).body;
const publish = (mqtt: TestMqttClient, topic: string, payload = "ON") =>
  mqtt.client.publishAsync(`powerbeacon/${topic}`, payload, { qos: 1 });
const wakesOf = async ({ id }: { id: string }) => (await hub.api.get(`/devices/${id}/wakes`)).body.items;

describe("a person", () => {
  test("wakes of a cluster what the person may wake; the others are named", async () => {
    const ann = await addPerson(hub, home, "user");
    const cluster = await addCluster(home);
    const pi = await startScriptedAgent(hub, { name: freshName("Pi"), clusterId: cluster.id });
    const [own, shared, foreign] = [
      await addDevice(home, { clusterId: cluster.id, ownerId: ann.id }),
      await addDevice(home, { clusterId: cluster.id, shares: [{ userId: ann.id, level: "wake" }] }),
      await addDevice(home, { clusterId: cluster.id, shares: [{ userId: ann.id, level: "view" }] }),
    ];
    const { mqtt, tokenId } = await connectPerson(ann);
    await publish(mqtt, `cluster/${cluster.key}/wake`, '{"transaction":"7"}');
    const results = () =>
      mqtt
        .on(/\/wake\/result$/)
        .map(({ text }) => JSON.parse(text))
        .filter(({ transaction }) => transaction === "7");
    const accepted = { stage: "accepted", transaction: "7" };
    await expect
      .poll(() => results().toSorted((a, b) => a.device.localeCompare(b.device)))
      .toMatchObject(
        [
          { ...accepted, device: own.key },
          { ...accepted, device: shared.key },
          { stage: "refused", code: "FORBIDDEN", transaction: "7", device: foreign.key },
        ].toSorted((a, b) => a.device.localeCompare(b.device)),
      );
    expect((await wakesOf(own))[0]).toMatchObject({ requestedBy: ann.username });
    expect(await wakesOf(foreign)).toEqual([]);
    const woken = new Set(pi.orders().flatMap(({ targets }) => targets.map(({ device }) => String(device))));
    expect(woken).toEqual(new Set([own.key, shared.key]));
    await expect
      .poll(() =>
        query(
          hub.databaseUrl,
          `select actor_type, actor_id, actor_name, address, details::jsonb->'devices' as devices
            from audit where target_id = $1 and action = 'device.wake'`,
          [cluster.id],
        ),
      )
      .toEqual([
        {
          actor_type: "token",
          actor_id: tokenId,
          actor_name: `${ann.username} · Script`,
          address: "127.0.0.1",
          devices: [own.key, shared.key],
        },
      ]);
    await pi.close();
  });

  test("is answered on a response topic of the person's own, and on no other", async () => {
    const { mqtt } = await connectPerson(await addPerson(hub, home, "admin"));
    const device = await addDevice(home);
    const ask = (responseTopic: string) =>
      mqtt.client.publishAsync(`powerbeacon/device/${device.key}/set`, "OFF", {
        qos: 1,
        properties: { responseTopic },
      });
    const name = mqtt.client.options.username;
    await ask(`powerbeacon/client/${name}/response/1`);
    await expect.poll(() => mqtt.lastJson(`powerbeacon/client/${name}/response/1`)).toMatchObject({ stage: "refused" });
    await expect(ask(`powerbeacon/client/${name?.slice(1)}/response/1`)).rejects.toThrow("Not authorized");
  });

  test("loses a right with the next message, and the connection with the token or the account", async () => {
    const ben = await addPerson(hub, home, "user");
    const device = await addDevice(home, { ownerId: ben.id });
    const { mqtt, tokenId } = await connectPerson(ben);
    const second = await connectPerson(ben);
    const wake = () => publish(mqtt, `device/${device.key}/set`);
    await wake();
    await home.api.patch(`/devices/${device.id}`, { ownerId: null });
    await expect(wake()).rejects.toThrow("Not authorized");
    await home.api.patch(`/devices/${device.id}`, { shares: [{ userId: ben.id, level: "wake" }] });
    await wake();
    await home.api.patch(`/users/${ben.id}`, { role: "viewer" });
    await expect(wake()).rejects.toThrow("Not authorized");
    await home.api.patch(`/users/${ben.id}`, { role: "admin" });
    await wake();

    expect((await ben.api.delete(`/tokens/${tokenId}`)).status).toBe(204);
    await expect.poll(() => mqtt.client.connected).toBe(false);
    expect(second.mqtt.client.connected).toBe(true);
    await home.api.patch(`/users/${ben.id}`, { enabled: false });
    await expect.poll(() => second.mqtt.client.connected).toBe(false);
    await expect(connect(`~${ben.username}`, second.token)).rejects.toThrow(/bad user ?name|not authorized/i);
  });

  test("asks the hub for what the token allows, and reads the own answers alone without the right to hand out credentials", async () => {
    const admin = await addPerson(hub, home, "admin");
    const plain = await connectPerson(admin);
    const own = `powerbeacon/client/~${admin.username}/response/send-discovery`;
    await publish(plain.mqtt, "hub/request/send-discovery", "{}");
    await expect.poll(() => plain.mqtt.lastJson(own)).toMatchObject({ error: { code: "FORBIDDEN" } });
    const manager = await connectPerson(admin, ["mqtt-client:manage"]);
    await publish(manager.mqtt, "hub/request/send-discovery", "{}");
    await expect
      .poll(() => manager.mqtt.lastJson("powerbeacon/hub/response/send-discovery"))
      .toMatchObject({ status: "ok" });
    expect(plain.mqtt.last("powerbeacon/hub/response/send-discovery")).toBeUndefined();
  });
});

describe("what happens in one site", () => {
  test("is an event of that site alone", async () => {
    const [near, far] = [await connectIntegration(home, ["read"]), await connectIntegration(away, ["read"])];
    const { mqtt: farAdmin } = await connectPerson(await addPerson(hub, away, "admin"));
    const { mqtt: waker } = await connectIntegration(home, ["wake"]);
    await expect(publish(waker, "device/nowhere/state", "ON")).rejects.toThrow("Not authorized");
    await expect.poll(() => near.mqtt.lastJson("powerbeacon/event")).toMatchObject({ event_type: "request_refused" });
    const device = await addDevice(away);
    await publish(farAdmin, `device/${device.key}/set`);
    for (const { mqtt } of [far, { mqtt: farAdmin }])
      await expect
        .poll(() => mqtt.on(/^powerbeacon\/event$/).map(({ text }) => JSON.parse(text)))
        .toMatchObject([{ event_type: "wake_failed", device: device.key }]);
    expect(near.mqtt.on(new RegExp(device.key))).toEqual([]);
  });

  test("is not heard in another when it is over: removed things are cleared for their own site", async () => {
    const [near, far] = [await connectIntegration(home, ["read"]), await connectIntegration(away, ["read"])];
    const cluster = await addCluster(away);
    const device = await addDevice(away);
    await expect.poll(() => far.mqtt.last(`powerbeacon/device/${device.key}/state`)).toBe("None");
    await expect.poll(() => far.mqtt.last(`powerbeacon/cluster/${cluster.key}/state`)).toBe("OFF");
    await away.api.delete(`/devices/${device.id}`);
    await away.api.delete(`/clusters/${cluster.id}`);
    await expect.poll(() => far.mqtt.last(`powerbeacon/device/${device.key}/state`)).toBe("");
    await expect.poll(() => far.mqtt.last(`powerbeacon/cluster/${cluster.key}/state`)).toBe("");
    expect(near.mqtt.on(new RegExp(`${device.key}|${cluster.key}/`))).toEqual([]);
  });

  test("is asked, answered and told to Home Assistant in that site alone", async () => {
    const filters = ["homeassistant/#", "powerbeacon/hub/response/#"];
    const near = await connectIntegration(home, ["read", "discovery"], filters);
    const far = await connectIntegration(away, ["read", "discovery"], filters);
    const device = await addDevice(away);
    const config = `homeassistant/device/powerbeacon_device_${device.id}/config`;
    await expect.poll(() => far.mqtt.last(config)).toContain(device.name);
    await expect.poll(() => near.mqtt.on(/_hub_/).length).toBeGreaterThan(0);
    const [before, hubBefore] = [far.mqtt.on(/_device_/).length, far.mqtt.on(/_hub_/).length];
    expect(hubBefore).toBeGreaterThan(0);

    await publish(far.mqtt, "hub/request/send-discovery", "{}");
    const things = (await away.api.get("/devices")).body.total;
    await expect
      .poll(() => far.mqtt.lastJson("powerbeacon/hub/response/send-discovery"))
      .toMatchObject({ status: "ok", data: { configs: things } });
    expect(far.mqtt.on(/_device_/)).toHaveLength(before + things);
    expect(far.mqtt.on(/_hub_/)).toHaveLength(hubBefore);
    await publish(far.mqtt, "hub/request/nonsense", "{}");
    await expect.poll(() => far.mqtt.on(/hub\/response\/nonsense$/)).toHaveLength(1);
    expect(near.mqtt.on(new RegExp(`${device.id}|response`))).toEqual([]);

    const clear = (topic: string) => near.mqtt.client.publishAsync(topic, "", { qos: 1, retain: true });
    await expect(clear(config)).rejects.toThrow("Not authorized");
    const hubConfig = far.mqtt.on(/_hub_/)[0]?.topic ?? "";
    await expect(far.mqtt.client.publishAsync(hubConfig, "", { qos: 1, retain: true })).rejects.toThrow(
      "Not authorized",
    );
    await far.mqtt.client.publishAsync(config, "", { qos: 1, retain: true });
    await expect.poll(async () => (await away.api.get(`/devices/${device.id}`)).body.showInHomeAssistant).toBe(false);
    await expect
      .poll(() =>
        query(
          hub.databaseUrl,
          "select actor_type, actor_id from audit where action = 'device.change' and target_id = $1",
          [device.id],
        ),
      )
      .toEqual([{ actor_type: "mqtt-client", actor_id: far.id }]);
  });
});

describe("what is refused", () => {
  const refusals = async (name: string) =>
    (
      await query(
        hub.databaseUrl,
        "select action, actor_type, address, result, reason, details, site_id from audit where actor_name = $1 and result = 'refused' order by id",
        [name],
      )
    ).map(({ details, ...row }) => ({ ...row, details: JSON.parse(String(details)) }));
  const refused = { action: "request.refused", address: "127.0.0.1", result: "refused", reason: "FORBIDDEN" };

  test("to a client stands in the audit log of its site", async () => {
    const { mqtt, username } = await connectIntegration(away, ["read"]);
    await publish(mqtt, "cluster/unassigned/wake", "*").catch(() => {});
    await mqtt.client.subscribeAsync("powerbeacon/agent/nobody/order").catch(() => {});
    const common = { ...refused, actor_type: "mqtt-client", site_id: away.id };
    await expect
      .poll(() => refusals(username))
      .toMatchObject([
        {
          ...common,
          details: { action: "publish", topic: "cluster/unassigned/wake", why: "needs the permission wake" },
        },
        { ...common, details: { action: "subscribe", topic: "agent/nobody/order" } },
      ]);
  });

  test("to a person or an agent does, too", async () => {
    const viewer = await addPerson(hub, home, "viewer");
    const device = await addDevice(home);
    const { token } = await addToken(viewer.api, ["device:read"]);
    const will = {
      topic: `powerbeacon/device/${device.key}/set`,
      payload: Buffer.from("ON"),
      qos: 1 as const,
      retain: false,
    };
    const person = await connectMqtt(hub.mqttUrl, { username: `~${viewer.username}`, password: token, will });
    clients.push(person);
    const common = { ...refused, site_id: home.id };
    await expect
      .poll(() => refusals(`${viewer.username} · Script`))
      .toMatchObject([
        { ...common, actor_type: "token", details: { action: "will", topic: `device/${device.key}/set` } },
      ]);

    const pi = await startScriptedAgent(hub, { name: freshName("Pi") });
    await pi.mqtt.client.publishAsync("powerbeacon/agent/another/status", "offline", { qos: 1 }).catch(() => {});
    await expect.poll(() => refusals(pi.key)).toMatchObject([{ ...common, actor_type: "agent" }]);
    await pi.close();
  });

  test("at the door does, in the site whose credential was tried", async () => {
    const { username } = await connectIntegration(away, ["read"]);
    const viewer = await addPerson(hub, home, "viewer");
    for (const name of [username, `~${viewer.username}`, "nobody-at-all"])
      await expect(connect(name, "pb_wrong")).rejects.toThrow(/bad user ?name|not authorized/i);
    const common = { action: "session.login", actor_type: "stranger", reason: "BAD_CREDENTIALS" };
    await expect
      .poll(() => refusals(username))
      .toMatchObject([{ ...common, site_id: away.id, details: { door: "mqtt" } }]);
    await expect.poll(() => refusals(viewer.username)).toMatchObject([{ ...common, site_id: null }]);
    await expect.poll(() => refusals("nobody-at-all")).toMatchObject([{ ...common, site_id: null }]);
  });

  test("again and again is noted ten times a minute", async () => {
    const { mqtt, username } = await connectIntegration(home, ["read"]);
    for (let times = 0; times < 40; times++) await publish(mqtt, "cluster/unassigned/wake", "*").catch(() => {});
    await expect.poll(async () => (await refusals(username)).length).toBeGreaterThan(0);
    expect((await refusals(username)).length).toBeLessThanOrEqual(20); // a minute may end meanwhile
  });
});
