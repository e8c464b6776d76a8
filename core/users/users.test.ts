import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Role } from "#contracts/permissions.ts";
import { type Api, createApi } from "#test/fixtures/api.ts";
import { query } from "#test/fixtures/database.ts";
import { type TestHub, startTestHub } from "#test/fixtures/hub.ts";

const env = { TRUST_PROXY: "127.0.0.1" };
const PASSWORD = "correct horse battery";
let hub: TestHub;
let admin: Api;
let count = 0;

beforeAll(async () => {
  hub = await startTestHub(env);
  admin = await as((await addUser("admin")).username);
});

afterAll(() => hub.close());

interface TestUser {
  readonly id: string;
  readonly username: string;
}

async function addUser(role: Role, fields: object = {}, by: Api = hub.api): Promise<TestUser> {
  const username = `${role}-${++count}`;
  const { status, body } = await by.post("/users", { username, password: PASSWORD, role, ...fields });
  expect({ status, body }).toMatchObject({ status: 201, body: { role } });
  return { id: body.id, username };
}

/** Each from an address of its own, since guessing is slowed down for each address. */
async function logIn(username: string, password = PASSWORD) {
  return await createApi(hub.url).post(
    "/auth/login",
    { username, password },
    { "x-forwarded-for": `10.1.${count % 250}.${++count % 250}` },
  );
}

async function as(username: string, password = PASSWORD): Promise<Api> {
  return createApi(hub.url, (await logIn(username, password)).body.access_token);
}

describe("a user", () => {
  test("that is made belongs to the site, and logs in", async () => {
    const { id, username } = await addUser("viewer", { email: "v@example.org", fullName: "V" });
    expect((await hub.api.get(`/users/${id}`)).body).toMatchObject({
      username,
      email: "v@example.org",
      fullName: "V",
      role: "viewer",
      enabled: true,
    });
    const me = (await (await as(username)).get("/auth/me")).body;
    expect(me).toMatchObject({ id, role: "viewer", site: { key: "default" }, hasPassword: true });
    expect(me.permissions).toEqual(["self", "device:read", "cluster:read", "schedule:read"]);
    expect(JSON.stringify(me)).not.toContain("argon2");
  });

  test.each([
    ["a name that is taken, in other letters", { username: "ADMIN" }, 409, "username"],
    ["a name with a space", { username: "a b" }, 422, "username"],
    ["no password", { password: undefined }, 422, "password"],
    ["a short password", { password: "short" }, 422, "password"],
    ["an unknown role", { role: "root" }, 422, "role"],
    ["an unknown field", { superuser: true }, 422, "superuser"],
    ["no address in the e-mail", { email: "nobody" }, 422, "email"],
    ["a hash that is none", { password: undefined, passwordHash: "plain" }, 422, "passwordHash"],
    ["a password and a hash", { passwordHash: `$2b$10$${"a".repeat(53)}` }, 422, "passwordHash"],
  ])("with %s is refused by name", async (_what, fields, status, path) => {
    const body = { username: `fresh-${++count}`, password: PASSWORD, ...fields };
    expect(await hub.api.post("/users", body)).toMatchObject({ status, body: { errors: [{ path }] } });
  });

  test("shares no e-mail address with another, whatever its letters", async () => {
    await addUser("user", { email: "same@example.org" });
    const second = await addUser("user");
    expect(await hub.api.patch(`/users/${second.id}`, { email: "SAME@example.org" })).toMatchObject({
      status: 409,
      body: { code: "DUPLICATE", errors: [{ path: "email" }] },
    });
  });

  test("that is disabled is out at once, and back when it is enabled", async () => {
    const { id, username } = await addUser("user");
    const api = await as(username);
    expect((await api.get("/devices")).status).toBe(200);
    await hub.api.patch(`/users/${id}`, { enabled: false });
    expect((await api.get("/devices")).status).toBe(401);
    expect((await logIn(username)).body.code).toBe("BAD_CREDENTIALS");
    await hub.api.patch(`/users/${id}`, { enabled: true });
    expect((await logIn(username)).status).toBe(200);
  });

  test("whose password somebody else sets is out, and in with the new one", async () => {
    const { id, username } = await addUser("user");
    const api = await as(username);
    await admin.patch(`/users/${id}`, { password: "another horse battery", mustChangePassword: true });
    expect((await api.get("/auth/me")).status).toBe(401);
    const fresh = await as(username, "another horse battery");
    expect(await fresh.get("/devices")).toMatchObject({ status: 403, body: { code: "PASSWORD_CHANGE_REQUIRED" } });
    expect((await fresh.post("/tokens", { name: "T", permissions: ["device:read"] })).status).toBe(403);
    const same = { currentPassword: "another horse battery", password: "another horse battery" };
    expect((await fresh.patch("/auth/me", same)).body.errors).toMatchObject([{ path: "password" }]);
    const change = { currentPassword: "another horse battery", password: "my own horse battery" };
    expect((await fresh.patch("/auth/me", change)).status).toBe(200);
    expect((await fresh.get("/devices")).status).toBe(200);
  });

  test("sees and changes itself, and neither its role nor, past the old one, its password", async () => {
    const { id: own } = (await hub.api.get("/auth/me")).body;
    expect((await hub.api.patch(`/users/${own}`, { password: "another horse battery" })).status).toBe(403);
    for (const role of ["viewer", "user", "admin"] as const) {
      const { id, username } = await addUser(role);
      const api = await as(username);
      expect((await api.get(`/users/${id}`)).body).toMatchObject({ id, username, role, email: null });
      expect((await api.patch(`/users/${id}`, { fullName: "Me" })).body).toMatchObject({ fullName: "Me", role });
      for (const change of [{ role: "superuser" }, { enabled: true }, { password: "another horse battery" }])
        expect(await api.patch(`/users/${id}`, change)).toMatchObject({
          status: 403,
          body: { code: "FORBIDDEN", errors: [{ path: Object.keys(change)[0] }] },
        });
    }
  });

  test("sees the names of others, and nothing else of them", async () => {
    const { username } = await addUser("user");
    const api = await as(username);
    const { items } = (await api.get("/users?limit=200")).body;
    expect(items.length).toBeGreaterThan(2);
    for (const item of items) expect(Object.keys(item).toSorted()).toEqual(["fullName", "id", "username"]);
    expect((await api.get("/users?q=example.org")).body.items).toEqual([]);
    for (const filter of ["role=admin", "enabled=false"]) expect((await api.get(`/users?${filter}`)).status).toBe(403);
    const viewer = await as((await addUser("viewer")).username);
    expect((await viewer.get("/users")).status).toBe(403);
  });

  test("that is deleted leaves its things to nobody, or to the heir", async () => {
    const [owner, heir] = [await addUser("user"), await addUser("user")];
    const api = await as(owner.username);
    const make = async (mac: string) => (await api.post("/devices", { name: "D", mac })).body.id as string;
    const [first, second] = [await make("02:00:00:00:10:01"), await make("02:00:00:00:10:02")];
    await hub.api.patch(`/devices/${second}`, { shares: [{ userId: heir.id, level: "wake" }] });
    expect((await hub.api.delete(`/users/${owner.id}?heir=${owner.id}`)).body.errors).toMatchObject([{ path: "heir" }]);
    expect((await hub.api.delete(`/users/${owner.id}?heir=${heir.id}`)).status).toBe(204);
    for (const id of [first, second]) expect((await hub.api.get(`/devices/${id}`)).body.ownerId).toBe(heir.id);
    expect((await api.get("/auth/me")).status).toBe(401);
    expect((await hub.api.delete(`/users/${heir.id}`)).status).toBe(204);
    const left = (await hub.api.get(`/devices/${second}`)).body;
    expect({ ownerId: left.ownerId, shares: left.shares }).toEqual({ ownerId: null, shares: [] });
    expect(await query(hub.databaseUrl, "select owner_id from device where id = $1", [second])).toEqual([
      { owner_id: null },
    ]);
  });
});

describe("an admin", () => {
  test("makes users and viewers, and neither admins nor superusers", async () => {
    await addUser("user", {}, admin);
    await addUser("viewer", {}, admin);
    for (const role of ["admin", "superuser"])
      expect(await admin.post("/users", { username: `x-${++count}`, password: PASSWORD, role })).toMatchObject({
        status: 403,
        body: { errors: [{ path: "role" }] },
      });
  });

  test("never makes anybody, least of all itself, more than it may", async () => {
    const user = await addUser("user");
    expect((await admin.patch(`/users/${user.id}`, { role: "admin" })).status).toBe(403);
    const { id } = (await admin.get("/auth/me")).body;
    expect((await admin.patch(`/users/${id}`, { role: "superuser" })).status).toBe(403);
    expect((await admin.patch("/auth/me", { role: "superuser" })).status).toBe(422);
    expect((await admin.get("/auth/me")).body.role).toBe("admin");
  });

  test("does not see superusers, nor change other admins", async () => {
    const { id } = (await hub.api.get("/auth/me")).body;
    const other = await addUser("admin");
    expect((await admin.get(`/users/${id}`)).status).toBe(404);
    expect((await admin.patch(`/users/${id}`, { password: PASSWORD })).status).toBe(404);
    expect((await admin.delete(`/users/${id}`)).status).toBe(404);
    expect((await admin.patch(`/users/${other.id}`, { password: PASSWORD })).status).toBe(403);
    expect((await admin.delete(`/users/${other.id}`)).status).toBe(403);
    expect((await admin.get("/users?limit=200")).body.items).not.toContainEqual(expect.objectContaining({ id }));
  });
});

describe("the last superuser", () => {
  test("can be neither demoted, disabled nor deleted", async () => {
    const { id } = (await hub.api.get("/auth/me")).body;
    for (const change of [{ role: "admin" }, { role: null }, { enabled: false }])
      expect(await hub.api.patch(`/users/${id}`, change)).toMatchObject({
        status: 409,
        body: { code: "LAST_SUPERUSER", errors: [{ path: Object.keys(change)[0] }] },
      });
    expect((await hub.api.delete(`/users/${id}`)).body.code).toBe("LAST_SUPERUSER");
    expect((await hub.api.get("/auth/me")).body.role).toBe("superuser");
  });

  test("remains when two demote each other at the same moment", async () => {
    const me = (await hub.api.get("/auth/me")).body.id as string;
    for (let round = 0; round < 5; round++) {
      const pair = [await addUser("superuser"), await addUser("superuser")] as const;
      const [first, second] = [await as(pair[0].username), await as(pair[1].username)];
      expect((await first.patch(`/users/${me}`, { role: "user" })).status).toBe(200);
      const answers = await Promise.all([
        first.patch(`/users/${pair[1].id}`, { role: "user" }),
        second.patch(`/users/${pair[0].id}`, { role: null }),
      ]);
      expect(answers.map(({ status }) => status).filter((status) => status === 200)).toHaveLength(1);
      const left = await query(hub.databaseUrl, 'select id from "user" where superuser and enabled');
      expect(left).toHaveLength(1);
      const [winner, lastId] = left[0]?.["id"] === pair[0].id ? [first, pair[0].id] : [second, pair[1].id];
      expect((await winner.patch(`/users/${me}`, { role: "superuser" })).status).toBe(200);
      expect((await hub.api.patch(`/users/${lastId}`, { role: "user" })).status).toBe(200);
    }
  });
});

test("an imported bcrypt hash lets its user in, and is argon2id from then on", async () => {
  const bcrypt = (await import("bcrypt")).default;
  const passwordHash = (await bcrypt.hash(PASSWORD, 10)).replace("$2b$", "$2y$");
  const { body } = await hub.api.post("/users", { username: `imported-${++count}`, passwordHash });
  const hashOf = async () =>
    String(
      (await query(hub.databaseUrl, 'select password_hash from "user" where id = $1', [body.id]))[0]?.["password_hash"],
    );
  expect((await logIn(body.username, "wrong")).status).toBe(401);
  expect(await hashOf()).toBe(passwordHash);
  expect((await logIn(body.username)).status).toBe(200);
  expect(await hashOf()).toMatch(/^\$argon2id\$/);
  expect((await logIn(body.username)).status).toBe(200);
});
