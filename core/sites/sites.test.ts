import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Api, createApi } from "#test/fixtures/api.ts";
import { type TestHub, startTestHub } from "#test/fixtures/hub.ts";

const PASSWORD = "correct horse battery";
let hub: TestHub;

beforeAll(async () => {
  hub = await startTestHub();
});

afterAll(() => hub.close());

const inSite = (key: string) => ({ "x-powerbeacon-site": key });

async function makeSite(name: string): Promise<{ id: string; key: string }> {
  const { status, body } = await hub.api.post("/sites", { name });
  expect({ status, body }).toMatchObject({ status: 201, body: { name, isDefault: false, devices: 0 } });
  return body;
}

async function addUser(username: string, role: string, site: string): Promise<Api> {
  expect((await hub.api.post("/users", { username, password: PASSWORD, role }, inSite(site))).status).toBe(201);
  return await createApi(hub.url).logIn({ username, password: PASSWORD });
}

describe("a site", () => {
  test("is there from the beginning, and stays", async () => {
    const { items } = (await hub.api.get("/sites")).body;
    expect(items).toMatchObject([{ key: "default", isDefault: true }]);
    expect(await hub.api.delete(`/sites/${items[0].id}`)).toMatchObject({ status: 409, body: { code: "SITE_IN_USE" } });
  });

  test("keeps its devices, clusters and wakes to itself, for superusers too", async () => {
    const { key } = await makeSite("Office");
    const device = { name: "NAS", mac: "02:00:00:00:30:01" };
    const { body: home } = await hub.api.post("/devices", device);
    const { body: office } = await hub.api.post("/devices", device, inSite(key));
    expect(office).toMatchObject({ name: "NAS", mac: device.mac, key: "nas-2" });
    const idsIn = async (headers = {}) =>
      (await hub.api.get("/devices?limit=200", headers)).body.items.map(({ id }: { id: string }) => id);
    expect(await idsIn()).toContain(home.id);
    expect(await idsIn()).not.toContain(office.id);
    expect(await idsIn(inSite(key))).toEqual([office.id]);
    expect((await hub.api.get(`/devices/${office.id}`)).status).toBe(404);
    expect((await hub.api.get(`/devices/${home.id}`, inSite(key))).status).toBe(404);
    expect((await hub.api.post(`/devices/${office.id}/wake`)).status).toBe(404);
    expect((await hub.api.get("/wakes", inSite(key))).body.items).toEqual([]);
  });

  test("that nobody knows, or that is not one's own, is answered alike", async () => {
    const { key } = await makeSite("Depot");
    const ann = await addUser("ann", "admin", "default");
    const refused = { status: 403, body: { code: "NO_SITE" } };
    expect(await ann.get("/devices", inSite(key))).toMatchObject(refused);
    expect(await ann.get("/devices", inSite("nowhere"))).toMatchObject(refused);
    expect(await hub.api.get("/devices", inSite("nowhere"))).toMatchObject(refused);
    const { items } = (await hub.api.get("/audit?scope=hub&result=refused")).body;
    expect(items).toContainEqual(
      expect.objectContaining({ reason: "NO_SITE", actor: { type: "user", id: expect.any(String), name: "ann" } }),
    );
  });

  test("is where a member's calls go without saying so; with a role of its own in each", async () => {
    const { id, key } = await makeSite("Lab");
    const bob = await addUser("bob", "viewer", key);
    expect((await bob.get("/auth/me")).body).toMatchObject({ role: "viewer", site: { id, key } });
    const { id: bobId } = (await bob.get("/auth/me")).body;
    await hub.api.patch(`/users/${bobId}`, { role: "user" });
    const me = (await bob.get("/auth/me", inSite(key))).body;
    expect(me).toMatchObject({
      role: "viewer",
      sites: [
        { key: "default", role: "user" },
        { key, role: "viewer" },
      ],
    });
    const device = { name: "PC", mac: "02:00:00:00:30:02" };
    expect((await bob.post("/devices", device, inSite("default"))).status).toBe(201);
    expect((await bob.post("/devices", device, inSite(key))).status).toBe(403);
  });

  test("whose admin would reach another site by a password may not set it", async () => {
    const { key } = await makeSite("Branch");
    const carl = await addUser("carl", "user", "default");
    const boss = await addUser("boss", "admin", key);
    const { id } = (await carl.get("/auth/me")).body;
    expect((await boss.get(`/users/${id}`)).status).toBe(404);
    // a superuser puts carl into both
    const put = await fetch(`${hub.url}/api/users/${id}`, {
      method: "PATCH",
      headers: { ...inSite(key), authorization: `Bearer ${hub.api.token}`, "content-type": "application/json" },
      body: JSON.stringify({ role: "user" }),
    });
    expect(put.status).toBe(200);
    for (const change of [{ password: PASSWORD }, { enabled: false }, { role: null }])
      expect((await boss.patch(`/users/${id}`, change)).status).toBe(403);
    expect((await boss.delete(`/users/${id}`)).status).toBe(403);
  });

  test("has what is done to its accounts in its own audit log, wherever the superuser calls from", async () => {
    const { key } = await makeSite("Ledger");
    const dora = await addUser("dora", "user", key);
    const { id } = (await dora.get("/auth/me")).body;
    await hub.api.patch(`/users/${id}`, { fullName: "Dora" });
    await hub.api.delete(`/users/${id}`);
    const told = async (headers: Record<string, string>) =>
      (await hub.api.get("/audit?scope=site&q=dora&limit=200", headers)).body.items
        .map(({ action }: { action: string }) => action)
        .filter((action: string) => action.startsWith("user."));
    expect(await told(inSite("default"))).toEqual([]);
    expect(await told(inSite(key))).toEqual(["user.delete", "user.change", "user.create"]);
  });

  test("that is empty can be renamed and deleted; one that is not, says so", async () => {
    const { id, key } = await makeSite("Gone");
    expect((await hub.api.patch(`/sites/${id}`, { name: "Going" })).body).toMatchObject({ name: "Going", key });
    const { body } = await hub.api.post("/clusters", { name: "Room" }, inSite(key));
    expect(await hub.api.delete(`/sites/${id}`)).toMatchObject({ status: 409, body: { code: "SITE_IN_USE" } });
    const headers = { ...inSite(key), authorization: `Bearer ${hub.api.token}` };
    await fetch(`${hub.url}/api/clusters/${body.id}`, { method: "DELETE", headers });
    const eve = await addUser("eve", "user", key);
    expect((await hub.api.delete(`/sites/${id}`)).status).toBe(204);
    expect(await eve.get("/devices")).toMatchObject({ status: 403, body: { code: "NO_SITE" } });
    expect((await eve.get("/auth/me")).body).toMatchObject({
      role: null,
      site: null,
      sites: [],
      permissions: ["self"],
    });
    await hub.restart();
    expect((await hub.api.get("/sites?limit=200")).body.items.map((site: { key: string }) => site.key)).not.toContain(
      key,
    );
  });

  test.each([
    ["no name", {}, 422, "name"],
    ["a key that is taken", { name: "X", key: "default" }, 409, "key"],
    ["a key that is none", { name: "X", key: "A B" }, 422, "key"],
  ])("with %s is refused by name", async (_what, body, status, path) => {
    expect(await hub.api.post("/sites", body)).toMatchObject({ status, body: { errors: [{ path }] } });
  });
});
