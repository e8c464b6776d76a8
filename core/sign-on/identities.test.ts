import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { query } from "#test/fixtures/database.ts";
import { SETTINGS, type SignOnScene, startSignOn } from "#test/fixtures/sign-on.ts";
import type { Visitor } from "#test/fixtures/visitor.ts";

const PASSWORD = "correct horse battery";
let scene: SignOnScene;
let accounts = 0;

beforeAll(async () => {
  scene = await startSignOn();
});

beforeEach(async () => {
  scene.provider.person = { sub: randomUUID(), email: `${randomUUID()}@example.org`, email_verified: true };
  await scene.configure({ ...SETTINGS, autoProvision: false });
});

afterAll(() => scene.close());

const api = (path: string) => `${scene.hub.url}/api${path}`;

/** Somebody with an account of the hub's own, logged in by its password. */
async function member(): Promise<{ visitor: Visitor; username: string }> {
  const username = `member-${++accounts}`;
  await scene.hub.api.post("/users", { username, password: PASSWORD, role: "user" });
  const visitor = scene.visitor();
  await visitor.call("POST", api("/auth/login"), { username, password: PASSWORD });
  return { visitor, username };
}

/** Begins a link and stops on the provider's page. */
async function begin(visitor: Visitor) {
  const { status, body } = await visitor.call("POST", api("/auth/identities"));
  if (status !== 200) throw new Error(`no link was begun: ${JSON.stringify(body)}`);
  return await visitor.open((body as { url: string }).url);
}

async function link(visitor: Visitor): Promise<string> {
  const page = await begin(visitor);
  const { url } = page.url.startsWith(scene.hub.url) ? page : await scene.decide(visitor, page);
  return url.replace(scene.hub.url, "");
}

async function identities(visitor: Visitor): Promise<{ id: string }[]> {
  const { body } = await visitor.call("GET", api("/auth/identities"));
  return (body as { items: { id: string }[] }).items;
}

async function whoIs(visitor: Visitor): Promise<unknown> {
  return ((await visitor.call("GET", api("/auth/me"))).body as { username?: string }).username;
}

describe("an account at the provider", () => {
  test("that somebody links while logged in logs in as them from then on", async () => {
    const { visitor, username } = await member();
    expect(await link(visitor)).toBe("/settings/profile");
    expect(await identities(visitor)).toEqual([
      {
        id: expect.any(String),
        provider: "Home",
        issuer: scene.provider.issuer,
        email: scene.provider.person["email"],
        createdAt: expect.any(String),
        lastLoginAt: null,
      },
    ]);
    const elsewhere = scene.visitor();
    await scene.logIn(elsewhere);
    expect(await whoIs(elsewhere)).toBe(username);
    expect(await identities(visitor)).toMatchObject([{ lastLoginAt: expect.any(String) }]);
  });

  test("is linked twice with the same user as once, and never with a second one", async () => {
    const first = await member();
    await link(first.visitor);
    expect(await link(first.visitor)).toBe("/settings/profile");
    expect(await identities(first.visitor)).toHaveLength(1);
    const second = await member();
    expect(await link(second.visitor)).toBe("/settings/profile?problem=IDENTITY_TAKEN");
    expect(await identities(second.visitor)).toEqual([]);
  });

  test("is not linked when the person cancels there", async () => {
    const { visitor } = await member();
    const page = await begin(visitor);
    const { url } = await visitor.open(page.url, { method: "POST", form: "decision=deny" });
    expect(url).toBe(`${scene.hub.url}/settings/profile?problem=DENIED`);
    expect(await identities(visitor)).toEqual([]);
  });

  test.each([
    ["", () => undefined],
    [", even where the same person has another one", (logIn: () => Promise<unknown>) => logIn()],
  ])("is not linked when the session that began it has ended meanwhile%s", async (_what, meanwhile) => {
    const { visitor, username } = await member();
    const logIn = () => visitor.call("POST", api("/auth/login"), { username, password: PASSWORD });
    const page = await begin(visitor);
    await visitor.call("POST", api("/auth/logout"));
    await meanwhile(logIn);
    expect((await scene.decide(visitor, page)).url).toBe(`${scene.hub.url}/login?problem=SESSION_ENDED`);
    await logIn();
    expect(await identities(visitor)).toEqual([]);
  });

  test("is not linked with who logged in meanwhile", async () => {
    const { visitor } = await member();
    const page = await begin(visitor);
    const { username } = await member();
    await visitor.call("POST", api("/auth/login"), { username, password: PASSWORD });
    expect((await scene.decide(visitor, page)).url).toBe(`${scene.hub.url}/login?problem=SESSION_ENDED`);
    expect(await whoIs(visitor)).toBe(username);
    expect(await identities(visitor)).toEqual([]);
  });

  test("is not linked by a page elsewhere, by a token or by nobody", async () => {
    const { visitor } = await member();
    const cookie = `pb_session=${visitor.cookie(scene.hub.url, "pb_session")}`;
    const forged = await fetch(api("/auth/identities"), { method: "POST", headers: { cookie } });
    expect(forged.status).toBe(403);
    const { body } = await scene.hub.api.post("/tokens", { name: "script", permissions: ["device:read"] });
    for (const [headers, status] of [
      [{ authorization: `Bearer ${body.token}` }, 403],
      [{}, 401],
    ] as const)
      for (const method of ["GET", "POST"])
        expect((await fetch(api("/auth/identities"), { method, headers })).status).toBe(status);
  });

  test("is unlinked, and lets nobody in any more", async () => {
    const { visitor } = await member();
    await link(visitor);
    const [identity] = await identities(visitor);
    const stranger = (await member()).visitor;
    expect((await stranger.call("DELETE", api(`/auth/identities/${identity?.id}`))).status).toBe(404);
    expect((await visitor.call("DELETE", api(`/auth/identities/${identity?.id}`))).status).toBe(204);
    expect(await identities(visitor)).toEqual([]);
    expect((await scene.logIn(scene.visitor())).url).toBe(`${scene.hub.url}/login?problem=NOT_PROVISIONED`);
  });

  test("stays while it is the only way in", async () => {
    await scene.configure({ autoProvision: true });
    const visitor = scene.visitor();
    await scene.logIn(visitor);
    const [identity] = await identities(visitor);
    const path = api(`/auth/identities/${identity?.id}`);
    expect(await visitor.call("DELETE", path)).toMatchObject({ status: 409, body: { code: "LAST_WAY_IN" } });
    await visitor.call("PATCH", api("/auth/me"), { password: PASSWORD });
    expect((await visitor.call("DELETE", path)).status).toBe(204);
  });

  test("leaves traces in the audit log", async () => {
    const { visitor, username } = await member();
    await link(visitor);
    const [identity] = await identities(visitor);
    await visitor.call("DELETE", api(`/auth/identities/${identity?.id}`));
    const rows = await query(
      scene.hub.databaseUrl,
      "select action, actor_name, target_name from audit where actor_name = $1 and action like 'identity.%' order by id",
      [username],
    );
    const by = { actor_name: username, target_name: username };
    expect(rows).toEqual([
      { ...by, action: "identity.link" },
      { ...by, action: "identity.unlink" },
    ]);
  });

  test("cannot be linked while the provider is down", async () => {
    const { visitor } = await member();
    await scene.configure({ enabled: false, issuer: "http://localhost:1", clientSecret: "x" });
    await query(scene.hub.databaseUrl, "update provider set enabled = true");
    const answer = await visitor.call("POST", api("/auth/identities"));
    expect(answer).toMatchObject({ status: 503, body: { code: "PROVIDER_UNAVAILABLE" } });
    const start = await scene.visitor().open(api("/auth/login/oauth"));
    expect(start.url).toBe(`${scene.hub.url}/login?problem=PROVIDER_UNREACHABLE`);
    expect((await scene.configure({ ...SETTINGS, issuer: scene.provider.issuer })).status).toBe(200);
  });
});

describe("a log-out", () => {
  test("of a session that came by the provider leads there, without any token", async () => {
    await scene.configure({ autoProvision: true });
    const visitor = scene.visitor();
    await scene.logIn(visitor);
    const { status, body } = await visitor.call("POST", api("/auth/logout"));
    expect(status).toBe(200);
    const url = new URL((body as { logoutUrl: string }).logoutUrl);
    expect(url.origin).toBe(scene.provider.issuer);
    expect(Object.fromEntries(url.searchParams)).toEqual({
      client_id: "powerbeacon",
      post_logout_redirect_uri: `${scene.hub.url}/login`,
    });
    expect(await whoIs(visitor)).toBeUndefined();

    const page = await visitor.open(url.href);
    const xsrf = /name="xsrf" value="([^"]+)"/.exec(page.text)?.[1] ?? "";
    const confirm = `${scene.provider.issuer}/session/end/confirm`;
    const landing = await visitor.open(confirm, { method: "POST", form: `xsrf=${xsrf}&logout=yes` });
    expect(landing.url).toBe(`${scene.hub.url}/login`);
    expect((await visitor.open(api("/auth/login/oauth"))).text).toContain("The provider"); // which asks anew
  });

  test("of any other session, or while the provider is off, leads nowhere", async () => {
    const { visitor } = await member();
    expect(await visitor.call("POST", api("/auth/logout"))).toEqual({ status: 200, body: { logoutUrl: null } });

    await scene.configure({ autoProvision: true });
    const other = scene.visitor();
    await scene.logIn(other);
    await scene.configure({ enabled: false });
    expect(await other.call("POST", api("/auth/logout"))).toEqual({ status: 200, body: { logoutUrl: null } });
  });
});
