import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { query } from "#test/fixtures/database.ts";
import { ADMIN } from "#test/fixtures/hub.ts";
import { SETTINGS, type SignOnScene, startSignOn } from "#test/fixtures/sign-on.ts";
import type { Visitor } from "#test/fixtures/visitor.ts";

let scene: SignOnScene;
let people = 0;

beforeAll(async () => {
  scene = await startSignOn();
});

beforeEach(async () => {
  scene.provider.tamper = null;
  await scene.configure(SETTINGS);
});

afterAll(() => scene.close());

/** Somebody whom neither the hub nor another test knows. */
function somebody(claims: object = {}) {
  const name = `person${++people}`;
  const known = { name: "Some Body", email: `${name}@example.org`, email_verified: true, preferred_username: name };
  return { sub: randomUUID(), ...known, ...claims };
}

const rowsOf = (username: string) =>
  query(
    scene.hub.databaseUrl,
    `select u.*, m.role, s.key as site from "user" u left join membership m on m.user_id = u.id
     left join site s on s.id = m.site_id where lower(username) = lower($1)`,
    [username],
  );

async function me(visitor: Visitor): Promise<{ status: number; body: unknown }> {
  return await visitor.call("GET", `${scene.hub.url}/api/auth/me`);
}

describe("somebody unknown who logs in by the provider", () => {
  test("gets an account without password, as a viewer, and lands where they wanted to go", async () => {
    const visitor = scene.visitor();
    const person = (scene.provider.person = somebody());
    const landing = await scene.logIn(visitor, { returnTo: "/devices/nas?tab=history" });
    expect(landing.url).toBe(`${scene.hub.url}/devices/nas?tab=history`);
    expect(await me(visitor)).toMatchObject({
      status: 200,
      body: {
        username: person.preferred_username,
        email: person.email,
        fullName: "Some Body",
        role: "viewer",
        hasPassword: false,
        permissions: expect.not.arrayContaining(["device:wake"]),
      },
    });
    expect(await rowsOf(person.preferred_username)).toMatchObject([
      { password_hash: null, superuser: false, role: "viewer", site: "default" },
    ]);
  });

  test("has a session like any other, which tells by which provider", async () => {
    const visitor = scene.visitor();
    const person = (scene.provider.person = somebody());
    await scene.logIn(visitor);
    const rows = await query(
      scene.hub.databaseUrl,
      'select s.provider_id from session s join "user" u on u.id = s.user_id where username = $1',
      [person.preferred_username],
    );
    expect(rows).toEqual([{ provider_id: expect.any(String) }]);
    expect(await visitor.call("GET", `${scene.hub.url}/api/auth/sessions`)).toMatchObject({ body: { total: 1 } });
  });

  test("never gets into an account that has their name, and its password stays as it is", async () => {
    const visitor = scene.visitor();
    scene.provider.person = somebody({ preferred_username: "ADMIN" });
    await scene.logIn(visitor);
    expect(await me(visitor)).toMatchObject({ body: { username: "ADMIN-2", role: "viewer" } });
    expect(await rowsOf("admin")).toMatchObject([{ superuser: true }]);
    await scene.hub.api.logIn(ADMIN);
  });

  test("never gets into an account that has their e-mail address", async () => {
    const { status } = await scene.hub.api.post("/users", {
      username: "victim",
      password: "correct horse battery",
      email: "victim@example.org",
      role: "admin",
    });
    expect(status).toBe(201);
    const visitor = scene.visitor();
    scene.provider.person = somebody({ email: "Victim@example.org", preferred_username: "victim" });
    const landing = await scene.logIn(visitor);
    expect(landing.url).toBe(`${scene.hub.url}/login?problem=EMAIL_TAKEN`);
    expect((await me(visitor)).status).toBe(401);
    expect(await rowsOf("victim-2")).toEqual([]);
  });

  test("of whom the provider says what the hub cannot keep gets an account all the same", async () => {
    const visitor = scene.visitor();
    scene.provider.person = somebody({ preferred_username: "\0\u202e", name: "a\0b", email: "a@b", sub: "ab" });
    await scene.logIn(visitor);
    expect(await me(visitor)).toMatchObject({ body: { username: "user", email: null, fullName: null } });
  });

  test("twice at the same moment gets one account", async () => {
    const person = (scene.provider.person = somebody());
    const visitors = Array.from({ length: 6 }, () => scene.visitor());
    const callbacks: URL[] = [];
    for (const visitor of visitors) callbacks.push(await scene.halfway(visitor));
    const landings = await Promise.all(
      visitors.map((visitor, index) => visitor.open(callbacks[index]?.href ?? "", { stopAt: `${scene.hub.url}/` })),
    );
    expect(landings.map(({ url }) => url)).toEqual(visitors.map(() => `${scene.hub.url}/`));
    expect(await rowsOf(person.preferred_username)).toHaveLength(1);
    expect(await rowsOf(`${person.preferred_username}-2`)).toEqual([]);
  });

  test("is written to the audit log", async () => {
    const person = (scene.provider.person = somebody());
    await scene.logIn(scene.visitor());
    const rows = await query(
      scene.hub.databaseUrl,
      "select action, actor_type, actor_name, result from audit where actor_name = $1 order by id",
      [person.preferred_username],
    );
    const by = { actor_type: "user", actor_name: person.preferred_username, result: "ok" };
    expect(rows).toEqual([
      { ...by, action: "user.create" },
      { ...by, action: "session.login" },
    ]);
  });
});

describe("somebody who comes back", () => {
  test("is found by issuer and sub alone, and has the name and the address that the provider has now", async () => {
    const person = somebody();
    scene.provider.person = person;
    await scene.logIn(scene.visitor());
    const visitor = scene.visitor();
    scene.provider.person = { ...person, name: "New Name", email: `new-${person.email}`, preferred_username: "admin" };
    await scene.logIn(visitor);
    expect(await me(visitor)).toMatchObject({
      body: { username: person.preferred_username, fullName: "New Name", email: `new-${person.email}` },
    });
  });

  test("with an address that another account has is told so, and nothing is changed", async () => {
    const [first, second] = [somebody(), somebody()];
    for (const person of [first, second]) {
      scene.provider.person = person;
      await scene.logIn(scene.visitor());
    }
    scene.provider.person = { ...second, name: "New Name", email: first.email.toUpperCase() };
    expect((await scene.logIn(scene.visitor())).url).toBe(`${scene.hub.url}/login?problem=EMAIL_TAKEN`);
    expect(await rowsOf(second.preferred_username)).toMatchObject([{ email: second.email, full_name: "Some Body" }]);
  });

  test("keeps what the provider says nothing of any more, and an address that it doubts is not taken over", async () => {
    const person = somebody();
    scene.provider.person = person;
    await scene.logIn(scene.visitor());
    for (const claims of [{ sub: person.sub }, { ...person, email: "doubtful@example.org", email_verified: false }]) {
      scene.provider.person = claims;
      const visitor = scene.visitor();
      await scene.logIn(visitor);
      expect(await me(visitor)).toMatchObject({ body: { fullName: "Some Body", email: person.email } });
    }
  });

  test("is let in while new accounts are not", async () => {
    scene.provider.person = somebody();
    await scene.logIn(scene.visitor());
    await scene.configure({ autoProvision: false, allowedDomains: ["elsewhere.example"] });
    const visitor = scene.visitor();
    await scene.logIn(visitor);
    expect((await me(visitor)).status).toBe(200);
  });

  test("and is disabled is refused", async () => {
    const person = (scene.provider.person = somebody());
    const visitor = scene.visitor();
    await scene.logIn(visitor);
    const { id } = (await me(visitor)).body as { id: string };
    await scene.hub.api.patch(`/users/${id}`, { enabled: false });
    expect((await scene.logIn(visitor)).url).toBe(`${scene.hub.url}/login?problem=ACCOUNT_DISABLED`);
    expect(await rowsOf(person.preferred_username)).toMatchObject([{ enabled: false, full_name: "Some Body" }]);
    expect((await me(visitor)).status).toBe(401);
  });
});

describe("a role claim", () => {
  const mapping = {
    roleClaim: "realm.roles",
    roleMapping: [
      { value: "hub-admins", role: "admin" },
      { value: "family", role: "user" },
    ],
  };

  test("decides at each log-in, on the next call at once", async () => {
    await scene.configure(mapping);
    const person = somebody();
    const first = scene.visitor();
    for (const [roles, role] of [
      [["family", "hub-admins"], "admin"],
      [["family"], "user"],
      [["superuser"], "viewer"],
    ] as const) {
      scene.provider.person = { ...person, realm: { roles } };
      await scene.logIn(first);
      expect(await me(first)).toMatchObject({ body: { role } });
    }
  });

  test("gives nothing to somebody who was taken out of the site, and takes nothing from a superuser", async () => {
    await scene.configure(mapping);
    const person = somebody({ realm: { roles: ["hub-admins"] } });
    scene.provider.person = person;
    const visitor = scene.visitor();
    await scene.logIn(visitor);
    const { id } = (await me(visitor)).body as { id: string };
    await scene.hub.api.patch(`/users/${id}`, { role: null });
    await scene.logIn(visitor);
    expect(await me(visitor)).toMatchObject({ body: { role: null, permissions: ["self"] } });

    await scene.hub.api.patch(`/users/${id}`, { role: "superuser" });
    const { databaseUrl } = scene.hub;
    await query(databaseUrl, "insert into membership (site_id, user_id, role) select id, $1, 'admin' from site", [id]);
    scene.provider.person = { ...person, realm: { roles: [] } };
    await scene.logIn(visitor);
    expect(await me(visitor)).toMatchObject({ body: { role: "superuser" } });
    expect(await rowsOf(person.preferred_username)).toMatchObject([{ superuser: true, role: "admin" }]);
  });
});

test("no token stands in any address", async () => {
  const visitor = scene.visitor();
  scene.provider.person = somebody();
  const { hops } = await scene.logIn(visitor);
  const secrets = [...scene.provider.tokens, visitor.cookie(scene.hub.url, "pb_session") ?? ""];
  expect(secrets.filter((secret) => secret.length > 40).length).toBeGreaterThan(2);
  const addresses = [...hops, ...scene.provider.urls];
  expect(addresses.filter((address) => secrets.some((secret) => address.includes(secret)))).toEqual([]);
});
