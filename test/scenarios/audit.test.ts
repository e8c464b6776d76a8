import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Api, createApi } from "#test/fixtures/api.ts";
import { query, superuserUrl } from "#test/fixtures/database.ts";
import { ADMIN, type TestHub, startTestHub } from "#test/fixtures/hub.ts";
import { type TestMqttClient, connectMqtt } from "#test/fixtures/mqtt.ts";
import { enrolBody, freshMac, startScriptedAgent } from "#test/fixtures/scripted-agent.ts";

/** What the hub does while its audit log cannot be written: nothing that would have to stand there. */

const PASSWORD = "correct horse battery";

let hub: TestHub;
let listener: TestMqttClient;
/** Things to change, by what they are. */
const ids: Record<string, string> = {};
let joinCode: string;

beforeAll(async () => {
  hub = await startTestHub();
  const make = async (path: string, body: object) => (await hub.api.post(path, body)).body;
  const agent = await startScriptedAgent(hub, { name: "Pi" });
  ids["agent"] = agent.id;
  await agent.close();
  ids["cluster"] = (await make("/clusters", { name: "Lab" })).id;
  ids["device"] = (await make("/devices", { name: "NAS", mac: freshMac() })).id;
  const enrolment = await make("/enrolments", { uses: 5 });
  ids["enrolment"] = enrolment.id;
  joinCode = enrolment.code;
  ids["user"] = (await make("/users", { username: "ann", password: PASSWORD, role: "user" })).id;
  ids["token"] = (await make("/tokens", { name: "Script", permissions: ["device:read"] })).id;
  ids["site"] = (await make("/sites", { name: "Office" })).id;
  const client = await make("/mqtt-clients", { name: "Home", permissions: ["read"] });
  ids["client"] = client.id;
  const { username, password } = client;
  listener = await connectMqtt(hub.mqttUrl, { username, password, protocolVersion: 5 }, ["powerbeacon/hub/#"]);
});

afterAll(async () => {
  await listener.close();
  await hub.close();
});

const breakLog = () => query(hub.databaseUrl, "alter function audit_append(jsonb) rename to audit_append_gone");
const mendLog = () => query(hub.databaseUrl, "alter function audit_append_gone(jsonb) rename to audit_append");

/** What is written behind, and tells of no change. */
const BEHIND = new Set(["agent_heartbeat", "discovery_config", "mqtt_retained", "mqtt_session", "mqtt_queued"]);

/** The content of every table, but for when somebody was last there. */
async function content(): Promise<Record<string, unknown>> {
  const url = superuserUrl(hub.databaseUrl);
  const tables = await query(url, "select tablename as name from pg_tables where schemaname = 'public' order by 1");
  const all = tables.map((row) => String(row["name"])).filter((name) => !BEHIND.has(name));
  const rows = all.map(async (name) => [
    name,
    await query(
      url,
      `select (to_jsonb(t) - array['last_seen_at', 'last_used_at'])::text as row from "${name}" t order by 1`,
    ),
  ]);
  return Object.fromEntries(await Promise.all(rows)) as Record<string, unknown>;
}

/** What the hub tells, much of it from memory. */
async function answers(): Promise<unknown[]> {
  const paths = ["devices", "clusters", "agents", "enrolments", "mqtt-clients", "users", "tokens", "sites", "auth/me"];
  const all = await Promise.all(paths.map(async (path) => (await hub.api.get(`/${path}`)).body as unknown));
  return all.map((body) => JSON.stringify(body, (key, value: unknown) => (key === "lastSeenAt" ? null : value)));
}

const at = (path: string, thing: string) => `${path}/${ids[thing]}`;
const stranger = () => createApi(hub.url);

const CHANGES: Readonly<Record<string, (api: Api) => Promise<{ status: number; body: { code?: string } }>>> = {
  "a log-in": () => stranger().post("/auth/login", ADMIN),
  "one's own e-mail address": (api) => api.patch("/auth/me", { email: "admin@example.org" }),
  "one's own password": (api) => api.patch("/auth/me", { password: "x".repeat(12), currentPassword: ADMIN.password }),
  "a new device": (api) => api.post("/devices", { name: "PC", mac: freshMac() }),
  "a device": (api) => api.patch(at("/devices", "device"), { name: "Other" }),
  "a device that goes": (api) => api.delete(at("/devices", "device")),
  "a new cluster": (api) => api.post("/clusters", { name: "Attic" }),
  "a cluster": (api) => api.patch(at("/clusters", "cluster"), { deviceIds: [ids["device"]] }),
  "a cluster that goes": (api) => api.delete(at("/clusters", "cluster")),
  "a join code": (api) => api.post("/enrolments", {}),
  "a join code that goes": (api) => api.delete(at("/enrolments", "enrolment")),
  "an agent that joins": () => stranger().post("/agents/enrol", enrolBody(joinCode, "Second")),
  "an agent": (api) => api.patch(at("/agents", "agent"), { name: "Other" }),
  "an agent that goes": (api) => api.delete(at("/agents", "agent")),
  "a new MQTT client": (api) => api.post("/mqtt-clients", { name: "Other", permissions: ["read"] }),
  "an MQTT client": (api) => api.patch(at("/mqtt-clients", "client"), { permissions: ["wake"] }),
  "an MQTT client that goes": (api) => api.delete(at("/mqtt-clients", "client")),
  "a new user": (api) => api.post("/users", { username: "bob", password: PASSWORD }),
  "a user": (api) => api.patch(at("/users", "user"), { role: "viewer" }),
  "a user's password": (api) => api.patch(at("/users", "user"), { password: "y".repeat(12) }),
  "a user that goes": (api) => api.delete(at("/users", "user")),
  "the sign-on settings": (api) =>
    api.put("/config/oidc", { name: "Work", issuer: "https://login.example.org", clientId: "hub" }),
  "a new token": (api) => api.post("/tokens", { name: "Other", permissions: ["device:read"] }),
  "a token that goes": (api) => api.delete(at("/tokens", "token")),
  "a new site": (api) => api.post("/sites", { name: "Shop" }),
  "a site": (api) => api.patch(at("/sites", "site"), { name: "Other" }),
  "a site that goes": (api) => api.delete(at("/sites", "site")),
};

describe("while the audit log cannot be written", () => {
  beforeAll(async () => void (await breakLog()));
  afterAll(async () => void (await mendLog()));

  test.each(Object.entries(CHANGES))("no change is made: %s", async (_what, change) => {
    const before = [await content(), await answers()];
    expect(await change(hub.api)).toMatchObject({ status: 503, body: { code: "AUDIT_UNAVAILABLE" } });
    expect([await content(), await answers()]).toEqual(before);
  });

  test("everybody is told, and reading goes on", async () => {
    await expect.poll(() => listener.lastJson("powerbeacon/hub/info")?.audit).toBe("failing");
    expect((await hub.api.get("/devices")).body.total).toBe(1);
    expect((await hub.api.get("/auth/me")).status).toBe(200);
  });
});

test("with the next row that can be written all is well again", async () => {
  expect((await hub.api.patch(at("/devices", "device"), { name: "Other" })).status).toBe(200);
  await expect.poll(() => listener.lastJson("powerbeacon/hub/info").audit).toBe("ok");
  for (const [what, change] of Object.entries(CHANGES).filter(([what]) => what.startsWith("a new ")))
    expect({ what, status: (await change(hub.api)).status }).toEqual({ what, status: 201 });
});
