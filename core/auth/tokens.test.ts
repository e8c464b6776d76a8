import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TokenPermission } from "#contracts/permissions.ts";
import { type Api, createApi } from "#test/fixtures/api.ts";
import { query } from "#test/fixtures/database.ts";
import { type TestHub, startTestHub } from "#test/fixtures/hub.ts";
import { connectMqtt } from "#test/fixtures/mqtt.ts";

const PASSWORD = "correct horse battery";
let hub: TestHub;
let ann: Api;
let annId: string;

beforeAll(async () => {
  hub = await startTestHub();
  annId = (await hub.api.post("/users", { username: "Ann", password: PASSWORD, role: "user" })).body.id;
  ann = await createApi(hub.url).logIn({ username: "ann", password: PASSWORD });
});

afterAll(() => hub.close());

async function tokenOf(api: Api, permissions: TokenPermission[], fields: object = {}) {
  const { status, body } = await api.post("/tokens", { name: "Script", permissions, ...fields });
  expect({ status, body }).toMatchObject({ status: 201 });
  return { id: body.id as string, token: body.token as string, api: createApi(hub.url, body.token), body };
}

describe("a personal token", () => {
  test("is shown once, and kept as a hash", async () => {
    const { id, token, body } = await tokenOf(ann, ["device:read"]);
    expect(token).toMatch(/^pb_[a-z2-7]{8}_[a-z2-7]{52}$/);
    expect(token.startsWith(`${body.prefix}_`)).toBe(true);
    expect(body).toMatchObject({ mqttUsername: "~Ann", lastUsedAt: null });
    const [row] = await query(hub.databaseUrl, "select * from token where id = $1", [id]);
    expect(JSON.stringify(row)).not.toContain(token.slice(12));
    expect(JSON.stringify((await ann.get("/tokens")).body)).not.toContain(token.slice(12));
  });

  test("does what it was given, and no more", async () => {
    const { api } = await tokenOf(ann, ["device:read"]);
    expect((await api.get("/devices")).status).toBe(200);
    for (const path of ["/clusters", "/agents"])
      expect(await api.get(path)).toMatchObject({ status: 403, body: { code: "FORBIDDEN" } });
    expect((await api.post("/devices", { name: "D", mac: "02:00:00:00:20:01" })).status).toBe(403);
  });

  test("never does more than its account, also later", async () => {
    expect(await ann.post("/tokens", { name: "T", permissions: ["agent:manage"] })).toMatchObject({
      status: 403,
      body: { errors: [{ path: "permissions" }] },
    });
    const { api } = await tokenOf(ann, ["device:create", "agent:read"]);
    expect((await api.get("/agents")).status).toBe(200);
    await hub.api.patch(`/users/${annId}`, { role: "viewer" });
    expect((await api.get("/agents")).status).toBe(403);
    await hub.api.patch(`/users/${annId}`, { role: "user" });
    expect((await api.get("/agents")).status).toBe(200);
  });

  test("does not reach accounts, sessions and tokens, whatever it was given", async () => {
    const { api } = await tokenOf(hub.api, [...TokenPermission.options]);
    for (const path of ["/auth/me", "/auth/sessions", "/tokens", "/users"])
      expect(await api.get(path)).toMatchObject({ status: 403, body: { code: "TOKEN_NOT_ALLOWED" } });
    expect((await api.patch("/auth/me", { password: "another horse battery" })).status).toBe(403);
    expect((await api.post("/tokens", { name: "T", permissions: ["device:read"] })).status).toBe(403);
    expect((await api.post("/users", { username: "mallory", password: PASSWORD })).status).toBe(403);
    expect((await api.get("/sites")).status).toBe(403);
  });

  test("shows when and from where it was used last, also after a restart", async () => {
    const { id, api } = await tokenOf(ann, ["device:read"]);
    await api.get("/devices");
    const shown = async () =>
      (await ann.get("/tokens?limit=200")).body.items.find((item: { id: string }) => item.id === id);
    const used = await shown();
    expect(used).toMatchObject({ lastUsedAt: expect.any(String), lastAddress: "127.0.0.1" });
    await hub.restart();
    expect(await shown()).toEqual(used);
  });

  test("ends at once when it is revoked, expires or its account is gone", async () => {
    const { id, api } = await tokenOf(ann, ["device:read"]);
    const expiring = await tokenOf(ann, ["device:read"]);
    await query(hub.databaseUrl, "update token set expires_at = now() where id = $1", [expiring.id]);
    expect((await ann.delete(`/tokens/${id}`)).status).toBe(204);
    expect((await api.get("/devices")).status).toBe(401);
    await hub.restart();
    expect((await expiring.api.get("/devices")).status).toBe(401);
    const { body: bob } = await hub.api.post("/users", { username: "bob", password: PASSWORD, role: "user" });
    const bobs = await createApi(hub.url).logIn({ username: "bob", password: PASSWORD });
    const { api: script } = await tokenOf(bobs, ["device:read"]);
    await hub.api.delete(`/users/${bob.id}`);
    expect((await script.get("/devices")).status).toBe(401);
  });

  test("of others is out of reach", async () => {
    const { id, api } = await tokenOf(ann, ["device:read"]);
    expect((await hub.api.delete(`/tokens/${id}`)).status).toBe(404);
    expect((await api.get("/devices")).status).toBe(200);
  });

  test.each(["", "x", "pb_", "pb_aaaaaaaa_", "pb_aaaaaaaa_aaaa", "pb_constructor_aaaa"])("%j is none", async (text) => {
    expect((await createApi(hub.url, text).get("/devices")).status).toBe(401);
  });

  test("needs the whole of it: the prefix alone, or with other characters behind, opens nothing", async () => {
    const { token } = await tokenOf(ann, ["device:read"]);
    for (const wrong of [
      token.slice(0, -1),
      `${token.slice(0, -1)}${token.endsWith("a") ? "b" : "a"}`,
      token.toUpperCase(),
    ])
      expect((await createApi(hub.url, wrong).get("/devices")).status).toBe(401);
  });
});

describe("over MQTT a personal token", () => {
  test("lets its person in under the marked name, until it is revoked", async () => {
    const { id, token } = await tokenOf(ann, ["device:read"]);
    const ended = await connectMqtt(hub.mqttUrl, { username: "~ann", password: token });
    const closed = new Promise<void>((resolve) => ended.client.once("close", () => resolve()));
    await ann.delete(`/tokens/${id}`);
    await closed;
    await expect(connectMqtt(hub.mqttUrl, { username: "~ann", password: token })).rejects.toThrow();
  });

  test.each(["~bob", "ann", "Ann", "~", ""])("is worth nothing beside the name %j", async (username) => {
    const { token } = await tokenOf(ann, ["device:read"]);
    await expect(connectMqtt(hub.mqttUrl, { username, password: token })).rejects.toThrow();
  });
});
