import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createApi } from "#test/fixtures/api.ts";
import { query } from "#test/fixtures/database.ts";
import { CLIENT } from "#test/fixtures/openid-provider.ts";
import { SETTINGS, type SignOnScene, startSignOn } from "#test/fixtures/sign-on.ts";

let scene: SignOnScene;
const open: (() => unknown)[] = [];

beforeAll(async () => {
  scene = await startSignOn();
});

afterAll(async () => {
  for (const close of open) close();
  await scene.close();
});

const settings = async (token: string | null) => (await createApi(scene.hub.url, token).get("/config/oidc")).body;

/** A server of this machine that counts who asks it, and answers with a document of its own. */
async function innerServer(answer: (url: string) => { status?: number; headers?: object; body?: unknown }) {
  let asked = 0;
  const server = createServer((request, response) => {
    asked++;
    const { status = 200, headers = {}, body = {} } = answer(`http://localhost:${port}${request.url}`);
    response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  open.push(() => server.close());
  return { port, issuer: `http://localhost:${port}`, asked: () => asked };
}

describe("the settings of sign-on", () => {
  test("tell a stranger the provider's name and nothing else", async () => {
    expect(await settings(null)).toEqual({
      enabled: true,
      name: "Home",
      redirectUri: `${scene.hub.url}/api/auth/callback`,
      logoutRedirectUri: `${scene.hub.url}/login`,
      settings: null,
    });
  });

  test("tell a superuser everything but the secret", async () => {
    const { clientSecret: _, ...rest } = SETTINGS;
    const expected = { ...rest, issuer: scene.provider.issuer, clientSecretSet: true };
    expect((await settings(scene.hub.api.token)).settings).toEqual(expected);
  });

  test("are no business of other accounts, nor of personal tokens", async () => {
    for (const role of ["admin", "user", "viewer"]) {
      const account = { username: `a-${role}`, password: "correct horse battery" };
      await scene.hub.api.post("/users", { ...account, role });
      const api = await createApi(scene.hub.url).logIn(account);
      expect((await api.get("/config/oidc")).body).toMatchObject({ enabled: true, settings: null });
      expect(await put({ enabled: false }, api.token)).toMatchObject({ status: 403, body: { code: "FORBIDDEN" } });
    }
    const { body } = await scene.hub.api.post("/tokens", { name: "script", permissions: ["device:read"] });
    expect((await settings(body.token)).settings).toBeNull();
    expect((await put({ enabled: false }, body.token)).status).toBe(403);
    expect((await put({ enabled: false }, null)).status).toBe(401);
  });

  test("keep the secret where neither the database nor the audit log shows it", async () => {
    const dump = JSON.stringify([
      await query(scene.hub.databaseUrl, "select * from provider"),
      await query(scene.hub.databaseUrl, "select * from audit where action = 'sign-on.change'"),
    ]);
    expect(dump).toContain('"client_secret":"ey');
    expect(dump).toContain("clientSecret");
    expect(dump).not.toContain(CLIENT.clientSecret);
  });

  test("change one by one, and what is left out stays", async () => {
    expect(await scene.configure({ name: "Elsewhere", allowedDomains: ["Example.ORG"] })).toMatchObject({
      status: 200,
      body: { name: "Elsewhere", settings: { allowedDomains: ["example.org"], clientSecretSet: true, enabled: true } },
    });
    await scene.configure({ name: "Home", allowedDomains: [] });
  });

  test("lose the secret when it is taken away", async () => {
    expect(await scene.configure({ clientSecret: null })).toMatchObject({
      body: { settings: { clientSecretSet: false } },
    });
    await scene.configure({ clientSecret: CLIENT.clientSecret });
  });

  test("do not hand the kept secret to another issuer", async () => {
    const { issuer, asked } = await innerServer(() => ({}));
    expect(await scene.configure({ issuer })).toMatchObject({
      status: 422,
      body: { errors: [{ path: "clientSecret", message: "The secret was for another issuer; type the one for this" }] },
    });
    expect(asked()).toBe(0);
  });

  test.each([
    [{ issuer: "not an address" }, "issuer"],
    [{ issuer: "ftp://login.example.org" }, "issuer"],
    [{ issuer: "https://user:password@login.example.org" }, "issuer"],
    [{ issuer: "https://login.example.org/?a=b" }, "issuer"],
    [{ issuer: "https://login.example.org/.well-known/openid-configuration" }, "issuer"],
    [{ defaultRole: "superuser" }, "defaultRole"],
    [{ roleMapping: [{ value: "root", role: "superuser" }] }, "roleMapping.0.role"],
    [{ clientId: "" }, "clientId"],
    [{ unknown: true }, "unknown"],
  ])("refuse %j and name the field", async (change, path) => {
    const answer = await scene.configure({ clientSecret: "x", ...change });
    expect(answer).toMatchObject({ status: 422, body: { code: "INVALID_INPUT" } });
    expect((answer.body as { errors: { path: string }[] }).errors.map((error) => error.path)).toEqual([path]);
  });

  test("of a hub that has none yet need an issuer and a client id", async () => {
    await query(scene.hub.databaseUrl, "delete from provider");
    expect(await settings(scene.hub.api.token)).toMatchObject({ enabled: false, name: null, settings: null });
    expect(await scene.configure({ enabled: true })).toMatchObject({
      status: 422,
      body: { errors: [{ path: "issuer" }] },
    });
    const { issuer } = scene.provider;
    expect(await scene.configure({ issuer })).toMatchObject({ status: 422, body: { errors: [{ path: "clientId" }] } });
    expect(await scene.configure({ issuer, clientId: "powerbeacon" })).toMatchObject({
      status: 200,
      body: { enabled: false, settings: { enabled: false, autoProvision: false, defaultRole: "viewer" } },
    });
    expect((await scene.configure({ ...SETTINGS, issuer })).status).toBe(200);
  });

  test("of two changes at the same moment both count, or one is told", async () => {
    const answers = await Promise.all([scene.configure({ name: "A" }), scene.configure({ defaultRole: "user" })]);
    const { settings: after } = await settings(scene.hub.api.token);
    expect({ name: after.name, defaultRole: after.defaultRole }).toEqual({
      name: answers[0]?.status === 200 ? "A" : "Home",
      defaultRole: answers[1]?.status === 200 ? "user" : "viewer",
    });
    expect(answers.map(({ status }) => status)).toEqual(expect.arrayContaining([200]));
    await scene.configure(SETTINGS);
  });
});

describe("an issuer that is to be enabled", () => {
  const enable = (issuer: string) => scene.configure({ ...SETTINGS, issuer });
  const refused = (message: unknown) => ({ status: 422, body: { errors: [{ path: "issuer", message }] } });

  test.each([
    "https://127.0.0.1",
    "https://2130706433",
    "https://0x7f.1",
    "https://[::1]",
    "https://[::ffff:127.0.0.1]",
    "http://127.0.0.1",
  ])("at %s, which is the hub's own machine, is not asked", async (address) => {
    const { port, asked } = await innerServer(() => ({}));
    const { status, body } = await enable(`${address}:${port}`);
    expect({ status, body }).toMatchObject(refused(expect.stringContaining("OUTBOUND_ALLOWED")));
    expect(asked()).toBe(0);
  });

  test.each([
    "https://169.254.169.254/latest/meta-data",
    "https://[fd00:ec2::254]",
    "https://[fe80::1]",
    "https://0.0.0.0",
  ])("at %s is not asked", async (issuer) => {
    expect(await enable(issuer)).toMatchObject(refused(expect.stringContaining("The hub does not call it")));
  });

  test("that redirects to somewhere else is not followed there", async () => {
    const secret = await innerServer(() => ({ body: { issuer: "anything" } }));
    const { issuer } = await innerServer(() => ({ status: 302, headers: { location: secret.issuer } }));
    expect(await enable(issuer)).toMatchObject(refused(expect.stringContaining("no OpenID provider")));
    expect(secret.asked()).toBe(0);
  });

  test("that names endpoints on forbidden addresses is never asked there", async () => {
    const inner = await innerServer(() => ({}));
    const document = (url: string) => {
      const { origin } = new URL(url);
      const forbidden = `http://127.0.0.1:${inner.port}`;
      const endpoints = {
        token_endpoint: `${forbidden}/t`,
        jwks_uri: `${forbidden}/j`,
        userinfo_endpoint: `${forbidden}/u`,
      };
      return { body: { issuer: origin, authorization_endpoint: `${origin}/auth`, ...endpoints } };
    };
    const { issuer } = await innerServer(document);
    expect((await enable(issuer)).status).toBe(200);
    const visitor = scene.visitor();
    const { hops } = await visitor.open(`${scene.hub.url}/api/auth/login/oauth`, { stopAt: issuer });
    const state = new URL(hops.at(-1) ?? "").searchParams.get("state");
    const landing = await visitor.open(`${scene.hub.url}/api/auth/callback?code=x&state=${state}`);
    expect(landing.url).toBe(`${scene.hub.url}/login?problem=PROVIDER_UNREACHABLE`);
    expect(inner.asked()).toBe(0);
    await enable(scene.provider.issuer);
  });

  test("that calls itself something else is told so, in its own words", async () => {
    const { issuer } = await innerServer(() => ({ body: { issuer: "https://login.example.org" } }));
    expect(await enable(issuer)).toMatchObject(
      refused("The provider calls itself https://login.example.org; use exactly that"),
    );
  });

  test("that names too little is told so", async () => {
    const { issuer } = await innerServer((url) => ({ body: { issuer: new URL(url).origin } }));
    expect(await enable(issuer)).toMatchObject(
      refused("The provider's discovery document names no authorization_endpoint"),
    );
  });

  test("where no provider is, is told so", async () => {
    const { issuer } = await innerServer(() => ({ status: 404 }));
    expect(await enable(issuer)).toMatchObject(refused(expect.stringMatching(/^There is no OpenID provider at this/)));
    expect(await enable("http://localhost:1")).toMatchObject(
      refused(expect.stringMatching(/^The issuer's localhost:1 cannot be reached/)),
    );
  });

  test("is not asked while it stays off", async () => {
    expect((await scene.configure({ ...SETTINGS, issuer: "http://localhost:1", enabled: false })).status).toBe(200);
    expect((await enable(scene.provider.issuer)).status).toBe(200);
  });
});

async function put(change: object, token: string | null) {
  const answer = await fetch(`${scene.hub.url}/api/config/oidc`, {
    method: "PUT",
    headers: { "content-type": "application/json", ...(token !== null && { authorization: `Bearer ${token}` }) },
    body: JSON.stringify(change),
  });
  return { status: answer.status, body: await answer.json() };
}
